/**
 * Full jitter: each wait is uniform between zero and a ceiling that doubles. After a server comes back, 1,880 browsers
 * arrive spread over the ceiling instead of in one wave (STYLE 23).
 *
 * @typedef {{base: number, cap: number}} Curve milliseconds
 */

/** A service that asks for longer than this is asked again anyway. */
export const RETRY_AFTER_MOST_MS = 60000;

/**
 * @param {number} failures how many tries in a row have failed, 1 for the first
 * @param {Curve} curve
 * @param {() => number} unit uniform in [0, 1)
 * @param {number | null} [asked] what the server asked for (Retry-After). It is never undercut, and the jitter on top of
 *   it is at least as wide: a hall that was told "2 s" in one instant must not come back in one instant
 * @returns {number} milliseconds to wait
 */
export function fullJitter(failures, { base, cap }, unit, asked = null) {
  const ceiling = Math.min(cap, base * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  const atLeast = Math.min(Math.max(asked ?? 0, 0), RETRY_AFTER_MOST_MS);
  return Math.round(atLeast + unit() * Math.max(ceiling, atLeast));
}
