/**
 * The session's time as a picture (`GET /staff/time/sessions/{id}`): a row of bars for rooms that are alike, over the
 * wall clock. An outage has no length in service time, but people's watches went on in it. Pure functions, no DOM.
 *
 * @typedef {import('./timing-view.js').View} View
 * @typedef {import('./timing-view.js').Room} Room
 * @typedef {import('./timing-view.js').Span} Span
 * @typedef {{kind: string, from: number, to: number, open: boolean, left: number, width: number, entry: any}} Mark
 * @typedef {{
 *   key: string, building: string, rooms: Room[], candidates: number, stands: boolean, paused: number, held: boolean,
 *   lostMs: number, endAt: string | null, marks: Mark[],
 * }} Row `stands`: nobody goes on; `paused`: how many do not while others do
 * @typedef {{from: number, to: number}} Extent
 */

/** In what order marks are drawn, the later above the earlier; also the legend. */
export const KINDS = ['planned', 'actual', 'postpone', 'extend', 'credit', 'pause', 'outage'];
/** What only single candidates have is on their own page: it would tear rows apart that are alike. */
const PERSONAL = new Set(['candidate', 'list']);
const STEPS_MIN = [1, 2, 5, 10, 15, 20, 30, 60, 120, 240];
const MINUTE_MS = 60 * 1000;

/**
 * From when to when the picture goes: everything that is planned or happened, and now while the session is near.
 *
 * @param {View} view
 * @returns {Extent}
 */
export function extentOf(view) {
  /** @type {(string | null)[]} */
  const told = [view.planned.start_at, view.planned.end_at, view.actual.start_at, view.actual.end_at];
  for (const room of view.rooms) {
    told.push(room.end_at);
    for (const span of room.spans) told.push(span.from_at, span.to_at);
  }
  for (const outage of view.outages) told.push(outage.from_at, outage.to_at);
  const known = told.filter(Boolean).map((at) => Date.parse(/** @type {string} */ (at)));
  const now = Date.parse(view.now_at);
  let from = Math.min(...known);
  let to = Math.max(...known);
  // A session of yesterday is not drawn up to today.
  const near = (to - from) / 2 + 30 * MINUTE_MS;
  if (now > from - near && now < to + near) [from, to] = [Math.min(from, now), Math.max(to, now)];
  const pad = Math.max(2 * MINUTE_MS, (to - from) * 0.02);
  return { from: from - pad, to: to + pad };
}

/**
 * Where lines of the clock are drawn: whole minutes, at most `most` of them.
 *
 * @param {Extent} extent
 * @param {number} most
 */
export function ticks({ from, to }, most = 10) {
  const step = (STEPS_MIN.find((min) => (to - from) / (min * MINUTE_MS) <= most) ?? 480) * MINUTE_MS;
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push({ at, left: share(at, { from, to }) });
  return found;
}

/** In hundredths of the width, to a hundredth of one. @param {number} at @param {Extent} extent */
export function share(at, { from, to }) {
  return Math.round((10000 * (at - from)) / (to - from)) / 100;
}

/**
 * The rows, rooms of one building that are alike in one.
 *
 * @param {View} view
 * @param {Extent} extent
 * @param {boolean} apart each room for itself
 * @returns {{building: string, rows: Row[]}[]}
 */
export function rowsOf(view, extent, apart = false) {
  const held = new Set(view.held.flatMap(({ rooms }) => rooms));
  const now = Date.parse(view.now_at);
  /** @type {Map<string, Map<string, Row>>} */
  const buildings = new Map();
  for (const room of view.rooms) {
    // Not by the end: a single candidate's own time moves that of the room.
    const likeness = marksOf(room, view, extent, now).map(({ kind, from, to, open, entry }) => {
      return [kind, from, open || kind === 'actual' ? 0 : to, entry];
    });
    const isHeld = held.has(room.id);
    const key = apart ? `room ${room.id}` : JSON.stringify([likeness, stands(room), isHeld]);
    const rows = buildings.get(room.building) ?? new Map();
    buildings.set(room.building, rows);
    const row = rows.get(key);
    if (row) row.rooms.push(room);
    else rows.set(key, { key: `${room.building} ${room.id}`, building: room.building, held: isHeld, rooms: [room] });
  }
  return [...buildings].map(([building, rows]) => {
    return { building, rows: [...rows.values()].map((row) => together(row, view, extent, now)) };
  });
}

/** Nobody of the room goes on; who has handed in or ended would not anyhow. @param {Room} room */
export function stands({ paused, candidates, open = candidates }) {
  return paused > 0 && paused >= open;
}

/**
 * What the rooms of a row have together: the latest end, the most lost.
 *
 * @param {Row} row
 * @param {View} view
 * @param {Extent} extent
 * @param {number} now
 * @returns {Row}
 */
function together(row, view, extent, now) {
  const { rooms } = row;
  const ends = rooms.flatMap(({ end_at: end }) => end ?? []);
  const endAt = ends.sort((a, b) => Date.parse(a) - Date.parse(b)).pop() ?? null;
  const all = stands(rooms[0]);
  return {
    ...row,
    candidates: rooms.reduce((sum, { candidates }) => sum + candidates, 0),
    stands: all,
    paused: all ? 0 : rooms.reduce((sum, { paused }) => sum + paused, 0),
    lostMs: Math.max(...rooms.map(({ lost_ms: lost }) => lost)),
    endAt,
    marks: marksOf({ ...rooms[0], end_at: endAt }, view, extent, now),
  };
}

/**
 * @param {Room} room
 * @param {View} view
 * @param {Extent} extent
 * @param {number} now
 * @returns {Mark[]}
 */
function marksOf(room, view, extent, now) {
  /** @type {Span[]} */
  const spans = room.spans.filter((span) => !PERSONAL.has(span.scope ?? ''));
  const has = (/** @type {string} */ kind) => spans.some((span) => span.kind === kind);
  const { planned, actual } = view;
  if (!has('planned')) spans.push({ kind: 'planned', from_at: planned.start_at, to_at: planned.end_at });
  const start = room.start_at ?? actual.start_at;
  if (!has('actual') && start) spans.push({ kind: 'actual', from_at: start, to_at: room.end_at });
  for (const outage of view.outages) {
    if (!has('outage')) spans.push({ kind: 'outage', from_at: outage.from_at, to_at: outage.to_at });
  }
  return spans
    .filter((span) => span.from_at)
    .map((span) => {
      const from = Date.parse(/** @type {string} */ (span.from_at));
      const open = !span.to_at;
      const to = Math.max(from, span.to_at ? Date.parse(span.to_at) : now);
      const left = share(Math.max(from, extent.from), extent);
      const width = Math.max(0, Math.round(100 * (share(Math.min(to, extent.to), extent) - left)) / 100);
      return { kind: span.kind, from, to, open, left, width, entry: span.entry ?? null };
    })
    .sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) || a.from - b.from);
}

/**
 * The rooms of a row in few words: one name, two names, or from where to where and how many.
 *
 * @param {Room[]} rooms
 * @returns {{key: 'one' | 'two' | 'range' | 'some', first: string, last: string, n: number}}
 */
export function namesOf(rooms, all = rooms) {
  const n = rooms.length;
  const first = rooms[0].name;
  const last = rooms[n - 1].name;
  if (n < 3) return { key: n === 1 ? 'one' : 'two', first, last, n };
  const at = all.findIndex(({ id }) => id === rooms[0].id);
  const follows = rooms.every(({ id }, index) => all[at + index]?.id === id);
  return { key: follows ? 'range' : 'some', first, last, n };
}

/**
 * Where an arrow leads among the marks: along the row, or to the mark of the next row that lies nearest.
 *
 * @param {string} key
 * @param {{row: number, mark: number}} at
 * @param {Mark[][]} rows
 * @returns {{row: number, mark: number} | null} null when the key is not ours
 */
export function walk(key, at, rows) {
  const own = rows[at.row] ?? [];
  if (key === 'ArrowLeft') return { row: at.row, mark: Math.max(0, at.mark - 1) };
  if (key === 'ArrowRight') return { row: at.row, mark: Math.min(own.length - 1, at.mark + 1) };
  if (key === 'Home') return { row: at.row, mark: 0 };
  if (key === 'End') return { row: at.row, mark: Math.max(0, own.length - 1) };
  if (key !== 'ArrowUp' && key !== 'ArrowDown') return null;
  const step = key === 'ArrowUp' ? -1 : 1;
  let row = at.row + step;
  while (rows[row] && rows[row].length === 0) row += step;
  const next = rows[row];
  if (!next) return at;
  const from = own[at.mark]?.from ?? 0;
  const same = next.findIndex(({ kind }) => kind === own[at.mark]?.kind);
  const nearest = next.reduce(
    (best, { from: other }, index) => (Math.abs(other - from) < Math.abs(next[best].from - from) ? index : best), 0,
  );
  return { row, mark: same >= 0 ? same : nearest };
}
