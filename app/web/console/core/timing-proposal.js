/**
 * What the evidence or an invigilator proposes, and what the office makes of it: an interval to credit, or a length by
 * which a later session starts later. Pure.
 *
 * @typedef {{from_at: string | null, to_at: string | null, amount_ms: number}} Proposal
 * @typedef {{from: string, to: string, length: string, note: string}} Change as typed
 */
import { lengthText, parseLength, parseWall } from './wall.js';

/**
 * What stands in the fields at first: the proposal as it is.
 *
 * @param {Proposal} proposal
 * @param {(iso: string) => string} wall
 * @returns {Change}
 */
export function asProposed(proposal, wall) {
  const { from_at: from, to_at: to } = proposal;
  return { from: from ? wall(from) : '', to: to ? wall(to) : '', length: lengthText(proposal.amount_ms), note: '' };
}

/** The fields in which it can be changed. @param {Proposal} proposal @returns {('from' | 'to' | 'length')[]} */
export function fieldsOf(proposal) {
  return proposal.from_at && proposal.to_at ? ['from', 'to'] : ['length'];
}

/**
 * What is approved instead: null when it is not understood; `{}` when it is what was proposed.
 *
 * @param {Proposal} proposal
 * @param {Change} change
 * @param {{near: string, zone: string | undefined, wall: (iso: string) => string}} where
 * @returns {{from_at?: string, to_at?: string, ms?: number} | null}
 */
export function approved(proposal, change, { near, zone, wall }) {
  const first = asProposed(proposal, wall);
  if (fieldsOf(proposal).every((name) => change[name] === first[name])) return {};
  if (fieldsOf(proposal)[0] === 'length') {
    const ms = parseLength(change.length);
    return ms === null ? null : { ms };
  }
  const from = parseWall(change.from, near, zone);
  const to = parseWall(change.to, near, zone);
  if (from === null || to === null || Date.parse(to) <= Date.parse(from)) return null;
  return { from_at: from, to_at: to };
}
