/**
 * What the page makes of a room's picture (`services/room.py`): pure functions, no clock, no DOM.
 *
 * @typedef {'not_arrived' | 'checked_in' | 'absent' | 'waiting' | 'answering' | 'on_leave' | 'paused' | 'silent' |
 *   'handed_in' | 'timed_out' | 'forced' | 'deferred'} State
 * @typedef {{by: string, ms: number}} Done who did it, and when in service time
 * @typedef {{
 *   id: number, from_seat: string, to_seat: string, to_seat_id: number, to_room: string | null, same_seat: boolean,
 *   released: boolean, reason: string, by: string, opened_s: number, state: string,
 * }} Pending
 * @typedef {{
 *   attempt_id: string | null, ticket: string, name: string, gender: string, specialty: string, employer: string,
 *   state: State, silent_s: number | null, last_seen_s: number | null, remaining_ms: number | null,
 *   answered: number, total: number | null, planned_label: string, planned_room: string | null, relog: Pending | null,
 *   candidate_id: number, checked_in: Done | null, admission: (Done & {reason: string}) | null, provisional: boolean,
 *   leave: {kind: string, ms: number, away_s: number} | null, withdrew: (Done & {reason: string}) | null,
 * }} Occupant
 * @typedef {{
 *   seat_id: number, label: string, ordinal: number, is_spare: boolean, out_of_order: string | null, free: boolean,
 *   arriving: {id: number, name: string, ticket: string, from_seat: string, from_room: string | null} | null,
 *   occupant: Occupant | null,
 * }} Seat
 * @typedef {{
 *   service_ms: number, state: 'planned' | 'waiting' | 'running' | 'ended' | 'held',
 *   starts_in_ms: number | null, remaining_ms: number, longest_ms: number | null,
 * }} Clock
 * @typedef {{
 *   id: number, exam_id: number, number: number, name: string, planned_start: string, duration_ms: number, timezone: string,
 *   state: Clock['state'], room_ids?: number[], clock?: Clock,
 * }} Session
 * @typedef {{seat_id: number, label: string, room_id: number, room: string, left: number}} SpareRoom
 * @typedef {{
 *   id: number, attempt_id: string, state: 'asked' | 'granted' | 'declined' | 'withdrawn', reason: string,
 *   ticket: string, name: string, from_room: string, from_room_id: number, from_seat: string, to_room: string,
 *   to_room_id: number, asked: Done, answered: Done | null,
 * }} SpareRequest
 * @typedef {{
 *   id: number, opened: Done, closed: Done | null,
 *   people: {ticket: string, name: string, seat: string, found: boolean | null, by: string | null, ms: number | null}[],
 *   counts: {people: number, found: number, missing: number, open: number},
 * }} RollCall
 * @typedef {{expected: number, present: number, absent: number}} Numbers
 * @typedef {{
 *   room: {id: number, name: string, number: string, building: string, exam_name: string, timezone: string},
 *   session: Session, clock: Clock, counts: Record<string, number>, seats: Seat[],
 *   spare_left: number, suggested_seat_id: number | null, spare_low: boolean,
 *   nearest_spare: SpareRoom | null, spare_rooms: SpareRoom[], spare_requests: SpareRequest[],
 *   roll_call: RollCall | null,
 *   door: {opens_in_ms: number | null, last_admission_in_ms: number | null, hand_in_in_ms: number | null},
 *   numbers: {expected: number, present: number, absent: number, deferred: number, unaccounted: number}, absent_due: string[],
 *   record: {
 *     absent_confirmed: Done | null, signed: (Done & {numbers: Numbers}) | null, released: Done | null, remarks: string,
 *   },
 * }} Picture
 */

/**
 * The service sends a picture at least every 5 s. A page that has heard nothing for longer does not count on: the
 * service may stand, and its clock with it.
 */
export const TRUSTED_MS = 8000;

/** Order in which states are told: what needs a hand comes first. @type {State[]} */
export const STATES = [
  'silent', 'on_leave', 'paused', 'answering', 'waiting', 'checked_in', 'not_arrived', 'absent', 'handed_in',
  'timed_out', 'forced', 'deferred',
];

/** Longer than this a silence is no slow network any more. */
export const LONG_SILENCE_S = 60;

/** @param {number} sinceMs time since the picture came, on the page's monotonic clock */
export function trusted(sinceMs) {
  return Math.min(Math.max(0, sinceMs), TRUSTED_MS);
}

/**
 * @param {number | null} seconds as the picture told it
 * @param {number} sinceMs
 */
export function secondsNow(seconds, sinceMs) {
  return seconds === null ? null : seconds + Math.floor(trusted(sinceMs) / 1000);
}

/**
 * The session's big digits now.
 *
 * @param {Clock} clock
 * @param {number} sinceMs
 * @returns {{kind: 'planned' | 'held' | 'starts' | 'remains' | 'over', ms: number, longestMs: number | null}}
 */
export function countdown(clock, sinceMs) {
  const since = trusted(sinceMs);
  const longest = clock.longest_ms === null ? null : Math.max(0, clock.longest_ms - since);
  if (clock.state === 'held' || clock.state === 'planned') return { kind: clock.state, ms: 0, longestMs: null };
  if (clock.state === 'waiting') {
    const left = (clock.starts_in_ms ?? 0) - since;
    if (left > 0) return { kind: 'starts', ms: left, longestMs: null };
    return { kind: 'remains', ms: Math.max(0, clock.remaining_ms + left), longestMs: longest };
  }
  const ms = Math.max(0, clock.remaining_ms - (clock.state === 'running' ? since : 0));
  return { kind: ms > 0 ? 'remains' : 'over', ms, longestMs: longest };
}

/** `1:02:05` or `09:05`, rounded up: the last second is still shown while it runs. @param {number} ms */
export function digits(ms) {
  const seconds = Math.ceil(ms / 1000);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/**
 * How long ago something was done, in whole minutes of service time.
 *
 * @param {Clock} clock
 * @param {number} ms
 */
export function minutesAgo(clock, ms) {
  return Math.max(0, Math.floor((clock.service_ms - ms) / 60_000));
}

/** Nobody has signed in there: no answers, no progress. @param {State} state */
export function beforeSignIn(state) {
  return state === 'not_arrived' || state === 'checked_in' || state === 'absent';
}

/** `0:34` or `12:05`: how long a silence lasts. @param {number} seconds */
export function minutes(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/**
 * What a seat is, for its colour, shape and word.
 *
 * @param {Seat} seat
 * @returns {State | 'withdrew' | 'free' | 'kept' | 'broken' | 'empty'}
 */
export function kindOf(seat) {
  if (seat.occupant?.state === 'forced' && seat.occupant.withdrew) return 'withdrew';
  if (seat.occupant) return seat.occupant.state;
  if (seat.out_of_order !== null) return 'broken';
  if (seat.arriving) return 'kept';
  return seat.is_spare ? 'free' : 'empty';
}

/**
 * Whether a seat is looked for: by label, by any part of name or ticket, and by state.
 *
 * @param {Seat} seat
 * @param {string} query
 * @param {string | null} only a kind, `moving`, or null for all
 */
export function matches(seat, query, only) {
  if (only === 'moving' && !seat.occupant?.relog && !seat.arriving) return false;
  // Who left for good is among those whose session was ended.
  if (only !== null && only !== 'moving' && ![kindOf(seat), seat.occupant?.state].includes(/** @type {State} */ (only))) {
    return false;
  }
  const words = query.trim().toLowerCase();
  if (words === '') return true;
  if (seat.label.toLowerCase() === words) return true;
  // A bare one- or two-digit number is a seat; the tail of a ticket is longer.
  if (/^\d{1,2}$/.test(words)) return false;
  if (seat.label.toLowerCase().includes(words)) return true;
  const person = seat.occupant ?? seat.arriving;
  if (!person) return false;
  return person.name.toLowerCase().includes(words) || person.ticket.toLowerCase().includes(words);
}

/**
 * Where an arrow key leads from `index` in a list laid out in `columns`.
 *
 * @param {string} key
 * @param {number} index
 * @param {number} columns
 * @param {number} total
 * @returns {number | null} null when the key is not ours
 */
export function step(key, index, columns, total) {
  const last = total - 1;
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, index - 1);
    case 'ArrowRight':
      return Math.min(last, index + 1);
    case 'ArrowUp':
      return index - columns >= 0 ? index - columns : index;
    case 'ArrowDown':
      return index + columns <= last ? index + columns : index;
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return null;
  }
}

/**
 * The session a room page opens with: what runs, else what comes next, else what was last.
 *
 * @param {Session[]} sessions in planned order
 * @param {number} roomId
 */
export function currentSession(sessions, roomId) {
  const here = sessions.filter((session) => session.room_ids?.includes(roomId));
  const first = (/** @type {Clock['state'][]} */ states) => here.find((session) => states.includes(session.state));
  return first(['running']) ?? first(['waiting', 'held']) ?? first(['planned']) ?? here[here.length - 1] ?? null;
}

/**
 * Seats somebody can be moved to, the suggested one first.
 *
 * @param {Picture} picture
 */
export function freeSeats(picture) {
  const rank = (/** @type {Seat} */ seat) =>
    seat.seat_id === picture.suggested_seat_id ? 0 : seat.is_spare ? 1 : 2;
  return picture.seats
    .filter((seat) => seat.free)
    .sort((a, b) => rank(a) - rank(b) || a.ordinal - b.ordinal);
}

/**
 * What happened between two pictures of the same room that people should be told.
 *
 * @param {Picture | null} before
 * @param {Picture} after
 * @returns {{kind: 'silent' | 'back' | 'moved' | 'returned', name: string, seat: string}[]}
 */
export function happenings(before, after) {
  if (!before || before.room.id !== after.room.id || before.session.id !== after.session.id) return [];
  const was = new Map();
  for (const seat of before.seats) if (seat.occupant) was.set(seat.occupant.ticket, seat);
  /** @type {ReturnType<typeof happenings>} */
  const told = [];
  for (const seat of after.seats) {
    const now = seat.occupant;
    const earlier = now ? was.get(now.ticket) : undefined;
    if (!now) continue;
    const arriving = before.seats.find((one) => one.seat_id === seat.seat_id)?.arriving;
    if (!earlier) {
      if (arriving?.ticket === now.ticket) told.push({ kind: 'moved', name: now.name, seat: seat.label });
      continue;
    }
    const pending = earlier.occupant.relog;
    if (earlier.seat_id !== seat.seat_id) {
      // Seats exchanged before the start: nobody has signed in anywhere by that.
      const exchanged = !pending && (beforeSignIn(now.state) || now.state === 'waiting');
      if (!exchanged) told.push({ kind: 'moved', name: now.name, seat: seat.label });
    } else if (pending?.same_seat && !now.relog && now.last_seen_s !== null && now.state !== 'silent') {
      told.push({ kind: 'returned', name: now.name, seat: seat.label });
    } else if (earlier.occupant.state !== 'silent' && now.state === 'silent') {
      told.push({ kind: 'silent', name: now.name, seat: seat.label });
    } else if (earlier.occupant.state === 'silent' && now.state === 'answering') {
      told.push({ kind: 'back', name: now.name, seat: seat.label });
    }
  }
  return told;
}

/**
 * The selection stays with the person: when they move, it moves along.
 *
 * @param {{seatId: number, ticket: string | null} | null} selection
 * @param {Picture} picture
 */
export function follow(selection, picture) {
  if (!selection) return null;
  const person = selection.ticket && picture.seats.find((seat) => seat.occupant?.ticket === selection.ticket);
  const seat = person || picture.seats.find((one) => one.seat_id === selection.seatId);
  return seat ? { seatId: seat.seat_id, ticket: seat.occupant?.ticket ?? null } : null;
}
