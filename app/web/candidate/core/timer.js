/**
 * The exam's time as this page may show it: what the service said last, minus the monotonic clock since. The PC's wall
 * clock is never read, and nothing ends here: at zero the page asks (`sync.js`), and the answer decides.
 *
 * @typedef {import('./reply.js').ClockMessage} ClockMessage
 * @typedef {{now: () => number}} Clock monotonic milliseconds (`performance.now`)
 * @typedef {{message: ClockMessage, at: number}} Reading a clock message and the monotonic instant of its arrival
 */

/** Minutes at which the remaining time is spoken; the last one assertively. */
export const SPOKEN_MINUTES = Object.freeze([60, 30, 15, 10, 5, 1]);

/** Two words about the clock that arrive in the wrong order are at most this far apart. */
const OVERTAKEN_MS = 10000;
/** Two processes that tell this page the time have read it at most this far apart. */
const SKEW_MS = 2000;

/**
 * Remaining milliseconds, never below zero. Only a running clock runs.
 *
 * @param {Reading} reading
 * @param {number} now
 */
export function remainingMs({ message, at }, now) {
  const passed = message.state === 'running' ? now - at : 0;
  return Math.max(0, message.remaining_ms - passed);
}

/**
 * Milliseconds to the start; null when the start is not fixed or has been.
 *
 * @param {Reading} reading
 * @param {number} now
 */
export function startsInMs({ message, at }, now) {
  if (message.starts_in_ms === null || message.state !== 'waiting') return null;
  return Math.max(0, message.starts_in_ms - (now - at));
}

/**
 * Service time now, for stamping an answer. It may run ahead of a service that stands still; the service knows its own
 * time and judges by both.
 *
 * @param {Reading} reading
 * @param {number} now
 */
export function serviceMs({ message, at }, now) {
  return Math.round(message.service_ms + (now - at));
}

/**
 * The threshold that was passed between two moments, as minutes; null when none was. Passing several at once (the page
 * slept) speaks only the nearest, and time that was given back makes its thresholds speakable again by itself, because
 * only the two moments count.
 *
 * @param {number | null} before remaining ms when last asked
 * @param {number} after remaining ms now
 */
export function spokenThreshold(before, after) {
  if (before === null || after >= before) return null;
  const passed = SPOKEN_MINUTES.filter((minutes) => before > minutes * 60000 && after <= minutes * 60000);
  return passed.length ? passed[passed.length - 1] : null;
}

/**
 * Digits for eyes: h:mm:ss above an hour, mm:ss below. Rounded up, so that zero means zero.
 *
 * @param {number} ms
 */
export function digits(ms) {
  const total = Math.ceil(ms / 1000);
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return `${String(minutes).padStart(2, '0')}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${seconds}`;
}

/**
 * Holds the latest reading.
 *
 * @param {{clock: Clock}} ports
 */
export function createExamTimer({ clock }) {
  /** @type {Reading | null} */
  let reading = null;

  return {
    /**
     * @param {ClockMessage} message
     * @param {{pushed?: boolean}} [how] `pushed`: told by the stream, when something has just been decided
     * @returns {number | null} how much the remaining time jumped against what was shown, in ms
     */
    sync(message, { pushed = false } = {}) {
      const at = clock.now();
      // A stream and a reply may overtake each other; service time only goes forward, so the older word is dropped.
      // Much older is not an overtaking but a restored service with an earlier counter: believed.
      const behind = reading ? reading.message.service_ms - message.service_ms : 0;
      // But a pause must not be lost because the process that pushes it has read the time a moment before the other.
      if (behind > (pushed ? SKEW_MS : 0) && behind <= OVERTAKEN_MS) return null;
      const shown = reading && remainingMs(reading, at);
      reading = { message, at };
      return shown === null ? null : remainingMs(reading, at) - shown;
    },
    reading: () => reading,
    state: () => reading?.message.state ?? null,
    remaining: () => (reading ? remainingMs(reading, clock.now()) : null),
    startsIn: () => (reading ? startsInMs(reading, clock.now()) : null),
    /** @returns {number} 0 before the first word of the service: such an answer cannot be told late */
    serviceNow: () => (reading ? serviceMs(reading, clock.now()) : 0),
    /** Zero has been reached and the service has not yet said that the time is up. */
    mustAsk: () => reading !== null && reading.message.state === 'running' && remainingMs(reading, clock.now()) === 0,
    mustAskStart: () => reading !== null && startsInMs(reading, clock.now()) === 0,
  };
}

/** @typedef {ReturnType<typeof createExamTimer>} ExamTimer */
