/**
 * What the office is about to do, while it is being put together: from fields to the service's Action. Pure.
 *
 * @typedef {'pause' | 'resume' | 'postpone' | 'extend' | 'credit' | 'end' | 'reopen'} Kind
 * @typedef {'site' | 'building' | 'room' | 'list' | 'candidate'} ScopeKind
 * @typedef {{attempt: string, ticket: string, name: string, room: string, seat: string}} Person
 * @typedef {{
 *   action: Kind, scope: ScopeKind, buildings: number[], rooms: number[], tickets: string, person: Person | null,
 *   length: string, from: string, to: string, reason: string, note: string,
 *   incident: string, entry: string | number | null, decision: string | number | null,
 * }} Draft
 * @typedef {{kind: string, other: string, number: string, text: string}} RoundsDraft
 * @typedef {{session: number, zone: string | undefined, near: string}} Where `near`: an instant of the session's day
 */
import { parseLength, parseWall } from './wall.js';

/** @type {Kind[]} */
export const ACTIONS = ['pause', 'resume', 'postpone', 'extend', 'credit', 'end', 'reopen'];
/** @type {ScopeKind[]} */
export const SCOPES = ['site', 'building', 'room', 'list', 'candidate'];
/** Whom an action may be for: attempts are opened again by name. @param {Kind} action */
export const scopesFor = (action) => (action === 'reopen' ? SCOPES.slice(3) : SCOPES);
/** What ends or reopens somebody's sitting is marked as what cannot be taken lightly. */
export const GRAVE = new Set(['end', 'reopen', 'defer']);
const SPLIT = /[\s,;，；、]+/;

/** @returns {Draft} */
export function emptyDraft() {
  return {
    action: 'pause', scope: 'room', buildings: [], rooms: [], tickets: '', person: null, length: '',
    from: '', to: '', reason: '', note: '', incident: '', entry: null, decision: null,
  };
}

/** @returns {RoundsDraft} */
export function emptyRounds() {
  return { kind: 'move', other: '', number: '', text: '' };
}

/**
 * The draft's fields for another action: the scope stays where the action may be for it.
 *
 * @param {Draft} draft
 * @param {Kind} action
 * @returns {Partial<Draft>}
 */
export function withAction(draft, action) {
  const scope = scopesFor(action).includes(draft.scope) ? draft.scope : 'candidate';
  return { action, scope, entry: null };
}

/** Tickets as pasted from a sheet or a message: each once, in the order given. @param {string} text */
export function ticketsIn(text) {
  return [...new Set(text.split(SPLIT).filter((part) => part !== ''))];
}

/** Postponing and extending are lengths; a credit is an interval. @param {Draft} draft */
export function needs(draft) {
  if (draft.action === 'postpone' || draft.action === 'extend') return 'length';
  return draft.action === 'credit' ? 'interval' : null;
}

/**
 * The first thing that is missing or not understood, as the name of its field; null when all is there.
 *
 * @param {Draft} draft
 * @param {Where} where
 */
export function missing(draft, where) {
  if (!scopesFor(draft.action).includes(draft.scope)) return 'candidate';
  if (toScope(draft, where.session) === null) return draft.scope;
  const what = needs(draft);
  if (what === 'length' && parseLength(draft.length) === null) return 'length';
  if (what === 'interval') {
    const from = parseWall(draft.from, where.near, where.zone);
    if (from === null) return 'from';
    const to = parseWall(draft.to, where.near, where.zone);
    if (to === null || Date.parse(to) <= Date.parse(from)) return 'to';
  }
  if (what === null && takesFrom(draft) && draft.from.trim() !== '') {
    if (parseWall(draft.from, where.near, where.zone) === null) return 'from';
  }
  if (draft.reason === '' && draft.action !== 'resume') return 'reason';
  return wantsNote(draft) && draft.note.trim() === '' ? 'note' : null;
}

/** A pause may have begun before anybody telephoned. @param {Draft} draft */
export function takesFrom(draft) {
  return draft.action === 'credit' || draft.action === 'pause';
}

/** Where the code says nothing or the step is grave, a person has to say why. @param {Draft} draft */
export function wantsNote(draft) {
  return draft.reason === 'other' || GRAVE.has(draft.action);
}

/**
 * @param {Draft} draft
 * @param {number} session
 */
export function toScope(draft, session) {
  const { scope: kind } = draft;
  const tickets = ticketsIn(draft.tickets);
  if (kind === 'building') return draft.buildings.length ? { session, kind, buildings: draft.buildings } : null;
  if (kind === 'room') return draft.rooms.length ? { session, kind, rooms: draft.rooms } : null;
  if (kind === 'list') return tickets.length ? { session, kind, tickets } : null;
  if (kind === 'candidate') return draft.person ? { session, kind, attempt: draft.person.attempt } : null;
  return { session, kind };
}

/**
 * The Action; only after `missing` has found nothing.
 *
 * @param {Draft} draft
 * @param {Where} where
 */
export function toAction(draft, where) {
  const { action, reason, note, incident, entry, decision } = draft;
  /** @type {Record<string, unknown>} */
  const body = { action, scope: toScope(draft, where.session), reason, note: note.trim() };
  const what = needs(draft);
  if (what === 'length') body.ms = parseLength(draft.length);
  if (what === 'interval') {
    body.from_at = parseWall(draft.from, where.near, where.zone);
    body.to_at = parseWall(draft.to, where.near, where.zone);
  }
  if (what === null && takesFrom(draft) && draft.from.trim() !== '') {
    body.from_at = parseWall(draft.from, where.near, where.zone);
  }
  if (incident.trim()) body.incident = incident.trim();
  if (entry !== null && action === 'resume') body.entry = entry;
  if (decision !== null) body.decision = decision;
  return body;
}

/**
 * A room was clicked on the map or a row of the picture: they become the scope, or leave it.
 *
 * @param {Draft} draft
 * @param {number[]} rooms
 * @returns {Draft}
 */
export function toggleRooms(draft, rooms) {
  const all = draft.scope === 'room' && rooms.every((id) => draft.rooms.includes(id));
  const others = draft.scope === 'room' ? draft.rooms.filter((id) => !rooms.includes(id)) : [];
  return { ...draft, scope: 'room', rooms: all ? others : [...others, ...rooms] };
}

/**
 * How many candidates the scope has at most, before the service is asked.
 *
 * @param {Draft} draft
 * @param {{id: number, building_id?: number, candidates: number}[]} rooms
 */
export function countOf(draft, rooms) {
  const sum = (/** @type {typeof rooms} */ some) => some.reduce((all, { candidates }) => all + candidates, 0);
  if (draft.scope === 'site') return sum(rooms);
  if (draft.scope === 'building') return sum(rooms.filter(({ building_id: id }) => draft.buildings.includes(id ?? -1)));
  if (draft.scope === 'room') return sum(rooms.filter(({ id }) => draft.rooms.includes(id)));
  return draft.scope === 'list' ? ticketsIn(draft.tickets).length : draft.person ? 1 : 0;
}
