/**
 * Full jitter: each wait is uniform between zero and a ceiling that doubles. After a server comes back, 1,880 browsers
 * arrive spread over the ceiling instead of in one wave (STYLE 23).
 *
 * @typedef {{base: number, cap: number}} Curve milliseconds
 */

/**
 * @param {number} failures how many tries in a row have failed, 1 for the first
 * @param {Curve} curve
 * @param {() => number} unit uniform in [0, 1)
 * @param {number} [atLeast] what the server asked for (Retry-After); jitter comes on top of it
 * @returns {number} milliseconds to wait
 */
export function fullJitter(failures, { base, cap }, unit, atLeast = 0) {
  const ceiling = Math.min(cap, base * 2 ** Math.min(Math.max(failures - 1, 0), 30));
  return Math.round(atLeast + unit() * ceiling);
}
