/**
 * What the evidence or an invigilator proposes, and what the office makes of it. Pure.
 *
 * @typedef {{
 *   id: number, kind: string, scope: string, scope_names: string[], from_ms: number | null, to_ms: number | null,
 *   from_at: string | null, to_at: string | null, evidence: Record<string, any>, state: string,
 * }} Proposal
 * @typedef {{from: string, to: string, note: string}} Change as typed
 */
import { lengthText, parseWall } from './wall.js';

/** What stands in the fields at first: the proposal as it is. @param {any} proposal @param {(iso: string) => string} wall */
export function asProposed(proposal, wall) {
  return { from: proposal.from_at ? wall(proposal.from_at) : '', to: proposal.to_at ? wall(proposal.to_at) : '', note: '' };
}

/**
 * The interval that is approved: null when it is not understood; `{}` when it is the one that was proposed.
 *
 * @param {any} proposal
 * @param {Change} change
 * @param {{near: string, zone: string | undefined, wall: (iso: string) => string}} where
 * @returns {{from_at?: string, to_at?: string} | null}
 */
export function approved(proposal, change, { near, zone, wall }) {
  const first = asProposed(proposal, wall);
  if (change.from === first.from && change.to === first.to) return {};
  const from = parseWall(change.from, near, zone);
  const to = parseWall(change.to, near, zone);
  if (from === null || to === null || Date.parse(to) <= Date.parse(from)) return null;
  return { from_at: from, to_at: to };
}

/**
 * The decision a proposal amounts to, for showing its effect; null when the proposal does not say whom it is about.
 *
 * @param {any} proposal
 * @param {number} session
 * @param {{from_at?: string, to_at?: string}} changed
 */
export function asAction(proposal, session, changed) {
  const scope = scopeOf(proposal, session);
  const from = changed.from_at ?? proposal.from_at;
  const to = changed.to_at ?? proposal.to_at;
  if (scope === null || !from || !to) return null;
  const reason = proposal.reason || 'other';
  return { action: 'credit', scope, from_at: from, to_at: to, reason, note: proposal.note || proposal.kind };
}

/** @param {any} proposal @param {number} session */
function scopeOf(proposal, session) {
  const { scope: kind } = proposal;
  if (kind === 'site') return { session, kind };
  if (kind === 'building' && proposal.buildings?.length) return { session, kind, buildings: proposal.buildings };
  if (kind === 'room' && proposal.rooms?.length) return { session, kind, rooms: proposal.rooms };
  if (proposal.attempt) return { session, kind: 'candidate', attempt: proposal.attempt };
  if (proposal.tickets?.length) return { session, kind: 'list', tickets: proposal.tickets };
  return null;
}

/** How long the proposed credit is; '' for none. @param {any} proposal */
export function lengthOf(proposal) {
  if (proposal.amount_ms) return lengthText(proposal.amount_ms);
  if (!proposal.from_at || !proposal.to_at) return '';
  return lengthText(Date.parse(proposal.to_at) - Date.parse(proposal.from_at));
}
