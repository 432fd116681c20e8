/**
 * Wall clocks and lengths of time, as staff read and type them. Pure: the exam's zone is an argument, the PC's zone and
 * the PC's clock are never asked.
 */

const TYPED_LENGTH = /^(?:(\d{1,2})[:：](?=\d{2}[:：]))?(\d{1,3})(?:[:：](\d{2}))?$/;
const TYPED_TIME = /^(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?$/;
const HALF_DAY_MS = 12 * 3600 * 1000;

/** `2:30`, or `1:05:00` from an hour on. @param {number} ms */
export function lengthText(ms) {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${hours > 0 ? two(Math.floor(seconds / 60) % 60) : Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  return `${ms < 0 ? '−' : ''}${hours > 0 ? `${hours}:` : ''}${rest}`;
}

/**
 * `10` is ten minutes, `2:30` two and a half, `1:05:00` an hour and five.
 *
 * @param {string} text
 * @returns {number | null} milliseconds above nought; null when it is no length
 */
export function parseLength(text) {
  const found = TYPED_LENGTH.exec(text.trim());
  if (!found) return null;
  const [hours, minutes, seconds] = [found[1], found[2], found[3]].map((part) => Number(part ?? 0));
  if (seconds > 59 || (found[1] !== undefined && minutes > 59)) return null;
  const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
  return ms > 0 ? ms : null;
}

/**
 * @param {string | null | undefined} iso
 * @param {string | undefined} zone
 * @param {boolean} [seconds]
 */
export function wallText(iso, zone, seconds = true) {
  return iso ? clockText(Date.parse(iso), zone, seconds) : '';
}

/**
 * `09:12:40`, the same in every language.
 *
 * @param {number} at milliseconds since 1970
 * @param {string | undefined} zone
 * @param {boolean} [seconds]
 */
export function clockText(at, zone, seconds = true) {
  const { hour, minute, second } = parts(at, zone);
  return seconds ? `${hour}:${minute}:${second}` : `${hour}:${minute}`;
}

/**
 * A time of day as it was typed, on the day that brings it nearest to `near`: an exam may begin before midnight.
 *
 * @param {string} text `9:12` or `09:12:40`
 * @param {string} near ISO instant
 * @param {string | undefined} zone
 * @returns {string | null} ISO in UTC; null when it is no time of day
 */
export function parseWall(text, near, zone) {
  const found = TYPED_TIME.exec(text.trim());
  if (!found) return null;
  const [hour, minute, second] = [found[1], found[2], found[3]].map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return null;
  const around = Date.parse(near);
  const day = parts(around, zone);
  const bare = Date.UTC(Number(day.year), Number(day.month) - 1, Number(day.day), hour, minute, second);
  // Twice: the first guess may lie on the other side of a change of the zone's offset.
  let at = bare - offset(bare, zone);
  at = bare - offset(at, zone);
  if (at - around > HALF_DAY_MS) at -= 2 * HALF_DAY_MS;
  else if (around - at > HALF_DAY_MS) at += 2 * HALF_DAY_MS;
  return new Date(at).toISOString();
}

/**
 * `11-24 09:12:40`, the same in every language.
 *
 * @param {string} iso
 * @param {string | undefined} zone
 */
export function dayTimeText(iso, zone) {
  const { month, day, hour, minute, second } = parts(Date.parse(iso), zone);
  return `${month}-${day} ${hour}:${minute}:${second}`;
}

/**
 * A day and time as a field of the browser gives it (`2026-11-24T09:12`), read on the exam's clocks.
 *
 * @param {string} local
 * @param {string | undefined} zone
 * @returns {string | null} ISO in UTC; null when it is no time
 */
export function instantOf(local, zone) {
  const bare = Date.parse(`${local}Z`);
  if (Number.isNaN(bare)) return null;
  // Twice: the first guess may lie on the other side of a change of the zone's offset.
  const first = bare - offset(bare, zone);
  return new Date(bare - offset(first, zone)).toISOString();
}

/**
 * @param {number} at
 * @param {string | undefined} zone
 * @returns {Record<string, string>}
 */
function parts(at, zone) {
  const format = formatOf(zone);
  return Object.fromEntries(format.formatToParts(new Date(at)).map(({ type, value }) => [type, value]));
}

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string | undefined} zone */
function formatOf(zone) {
  const key = zone ?? '';
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
    hourCycle: 'h23', timeZone: zone,
  });
  formats.set(key, made);
  return made;
}

/** How far the zone's clocks are ahead of UTC. @param {number} at @param {string | undefined} zone */
function offset(at, zone) {
  const { year, month, day, hour, minute, second } = parts(at, zone);
  const shown = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  return shown - Math.floor(at / 1000) * 1000;
}
