/**
 * What of the incident desk needs no service: the draft as it is sent, and the order of what happened.
 *
 * @typedef {import('./incidents.js').Draft} Draft
 * @typedef {import('./incidents.js').Incident} Incident
 * @typedef {import('./incidents.js').Entry} Entry
 * @typedef {import('./incidents.js').Action} Action
 */

/** Tickets as somebody pasted them: by line, comma or blank; each once. @param {string} text */
export function ticketsIn(text) {
  return [...new Set(text.split(/[\s,，;；、]+/).filter(Boolean))];
}

/** What is still missing before it can be sent, by the name of its field. @param {Draft} draft */
export function lacking(draft) {
  if (!draft.plan) return 'plan';
  if (draft.scope === 'room' && draft.rooms.length === 0) return 'rooms';
  if (draft.scope === 'building' && draft.buildings.length === 0) return 'buildings';
  if (draft.scope === 'list' && ticketsIn(draft.tickets).length === 0) return 'tickets';
  return /^\d{1,3}$/.test(draft.minutes.trim()) && Number(draft.minutes) <= 600 ? null : 'minutes';
}

/** @param {Draft} draft @param {number} session */
export function toBody(draft, session) {
  const tickets = draft.scope === 'list' ? ticketsIn(draft.tickets) : [];
  const kind = tickets.length === 1 ? 'candidate' : draft.scope;
  return {
    session,
    plan: draft.plan,
    scope: {
      kind,
      buildings: draft.scope === 'building' ? draft.buildings : [],
      rooms: draft.scope === 'room' ? draft.rooms : [],
      tickets,
    },
    title: draft.title,
    note: draft.note,
    told_by: draft.toldBy,
    sealed: draft.sealed ? true : null,
    minutes_ago: Number(draft.minutes),
  };
}

/**
 * What people wrote and what was done in the system, newest first.
 *
 * @param {Incident} of
 * @returns {(Entry | Action)[]}
 */
export function timeline({ entries, actions }) {
  const lines = [...entries.map((line) => ({ line, order: 0 })), ...actions.map((line) => ({ line, order: 1 }))];
  lines.sort((a, b) => b.line.at_ms - a.line.at_ms || b.order - a.order || b.line.id - a.line.id);
  return lines.map(({ line }) => line);
}
