/**
 * Which screen is true. One pure function over what is known, first match wins; no screen is ever "gone to".
 *
 * @typedef {'starting' | 'elsewhere' | 'sign-in' | 'receipt' | 'replaced' | 'closed' | 'resuming' | 'identity' |
 *   'notice' | 'handing-in' | 'time-up' | 'exam'} Phase
 * @typedef {{
 *   lease: import('./flusher-lease.js').LeaseState, loaded: boolean, grant: import('./grant.js').Grant | null,
 *   merged: boolean, clockState: string | null, hasPaper: boolean, handingIn: boolean,
 * }} Facts `loaded`: this browser's store has been read; `merged`: what the service holds has been read too
 */

/**
 * @param {Facts} facts
 * @returns {Phase}
 */
export function phaseOf({ lease, loaded, grant, merged, clockState, hasPaper, handingIn }) {
  if (lease === 'elsewhere') return 'elsewhere';
  if (!loaded) return 'starting';
  if (!grant || grant.state === 'signed-out') return 'sign-in';
  if (grant.receipt) return 'receipt';
  if (grant.state === 'superseded') return 'replaced';
  if (grant.state === 'closed' || grant.state === 'final') return 'closed';
  if (!merged) return 'resuming';
  if (handingIn) return 'handing-in';
  if (clockState === 'ended' || clockState === 'final') return 'time-up';
  if (!grant.who?.confirmed) return 'identity';
  if (clockState === 'waiting' || clockState === null || !hasPaper) return 'notice';
  return 'exam';
}
