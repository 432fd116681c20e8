/**
 * What the administration's pages make of a picture of an exam. Pure.
 *
 * @typedef {import('./site.js').Job} Job
 * @typedef {import('./site.js').Room} Room
 * @typedef {import('./site.js').RoomForm} RoomForm
 * @typedef {import('./site.js').Session} Session
 * @typedef {import('./site.js').SessionForm} SessionForm
 */

/** Somebody works on it; `checked` waits for a person. */
const MOVES = new Set(['waiting', 'working']);

/** @param {Job | null} job */
export const moves = (job) => job !== null && MOVES.has(job.state);
/** Bars the exam for others. @param {Job | null} job */
export const isOpen = (job) => moves(job) || job?.state === 'checked';

/** @param {Session} one @returns {SessionForm} */
export function sessionForm({ name, start, minutes, sign_in_opens, last_admission, earliest_hand_in }) {
  return { name, start, minutes, sign_in_opens, last_admission, earliest_hand_in };
}

/** @param {Room} one @returns {RoomForm} */
export function roomForm({ name, building, number, seats, spares }) {
  return { name, building, number, seats, spares };
}

/**
 * The rooms by building, in the order of the rooms.
 *
 * @param {Room[]} rooms
 * @returns {{id: number, name: string, rooms: Room[]}[]}
 */
export function byBuilding(rooms) {
  const found = /** @type {Map<number, {id: number, name: string, rooms: Room[]}>} */ (new Map());
  for (const room of rooms) {
    const there = found.get(room.building_id) ?? { id: room.building_id, name: room.building, rooms: [] };
    there.rooms.push(room);
    found.set(room.building_id, there);
  }
  return [...found.values()];
}
