/**
 * A session's time as the service tells it (`GET /staff/time/sessions/{id}`), and what of it waits for somebody. Pure.
 *
 * @typedef {{zh: string, en: string}} Said a sentence in both languages
 * @typedef {{
 *   kind: string, from_at: string | null, to_at: string | null, entry?: number | null, scope?: string,
 * }} Span
 * @typedef {{
 *   id: number, name: string, building: string, building_id: number, candidates: number, open?: number, paused: number,
 *   start_at?: string | null, end_at: string | null, lost_ms: number, spans: Span[],
 * }} Room `open`: how many of its candidates have not ended; `paused`: how many are
 * @typedef {{
 *   id: number, kind: string, scope: string, scope_names: string[], candidates: number, rooms: number[],
 *   from_at: string | null, to_at: string | null, amount_ms: number | null, refers_id: number | null, reason: string,
 *   reason_zh: string, reason_en: string, note: string, incident: string, by: string | null, decision: number | null,
 *   made_ms: number, made_at: string, live: boolean, partly?: boolean, open: boolean,
 * }} Entry `live`: not taken back, `partly`: but for some of those it was for; `open`: a pause that has not ended
 * @typedef {Said & {
 *   id: number, kind: string, state: string, scope: string, scope_names: string[], candidates: number,
 *   from_at: string | null, to_at: string | null, amount_ms: number, reason: string, reason_zh: string,
 *   reason_en: string, note: string, decided_by: string | null,
 * }} Proposal
 * @typedef {{
 *   id: number, kind: string, state: string, scope: string, scope_names: string[], candidates: number, number: string,
 *   text: string, limit_ms: number | null, proposed_by: string, proposed_by_username: string,
 *   approved_by: string | null,
 * }} Decision
 * @typedef {{
 *   entry: number | null, scope: string, scope_names: string[], rooms: number[], candidates: number, lost_ms: number,
 *   members: {ticket: string}[],
 * }} Held
 * @typedef {Said & {id: number, shown: number, of: number, absent: number, made_at: string}} Notice
 * @typedef {Said & {code: string, automatic: boolean}} Reason
 * @typedef {{start_at: string | null, end_at: string | null}} Times
 * @typedef {{
 *   session: {id: number, name: string, timezone: string}, planned: Times, actual: Times, rooms: Room[],
 *   entries: Entry[], outages: {from_at: string, to_at: string}[], held: Held[], proposals: Proposal[],
 *   decisions: Decision[], notices: Notice[], reasons: Reason[], now_ms: number, now_at: string, cap_ms: number,
 * }} View
 */

/** What somebody should look at. @param {View} view */
export function waitingIn(view) {
  return {
    proposals: view.proposals.filter(({ state }) => state === 'open').length,
    decisions: view.decisions.filter(({ state }) => state === 'proposed').length,
    reach: view.notices.filter(({ shown, of }) => shown < of).length,
  };
}

/** Decisions on which something beyond the cap may rest. @param {View} view */
export function lifted(view) {
  return view.decisions.filter(({ kind, state }) => kind === 'lift-cap' && state === 'approved');
}

/**
 * Pauses that somebody of the staff began and nobody has ended; what the service holds is told as held.
 *
 * @param {View} view
 */
export function openPauses(view) {
  const held = new Set(view.held.map(({ entry }) => entry));
  return view.entries.filter(({ id, open }) => open && !held.has(id));
}

/** Rooms by building, in the order told. @param {View} view @returns {[string, Room[]][]} */
export function byBuilding(view) {
  /** @type {Map<string, Room[]>} */
  const buildings = new Map();
  for (const room of view.rooms) buildings.set(room.building, [...(buildings.get(room.building) ?? []), room]);
  return [...buildings];
}

/** What a time of day that somebody types is near to. @param {View} view */
export function nearOf({ actual, planned, now_at: now }) {
  return actual.start_at ?? planned.start_at ?? now;
}
