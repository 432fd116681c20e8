/**
 * Randomness for pages served over plain http, where `crypto.randomUUID` and `crypto.subtle` do not exist.
 *
 * @typedef {{unit: () => number, hex: (bytes: number) => string}} Random
 *   `unit` is uniform in [0, 1) and good enough for jitter and for secrets alike; `hex(n)` is 2n characters.
 */

/**
 * @param {{getRandomValues: (array: Uint8Array) => unknown}} source
 * @returns {Random}
 */
export function createRandom(source) {
  /** @param {number} count */
  const bytes = (count) => {
    const array = new Uint8Array(count);
    source.getRandomValues(array);
    return Array.from(array);
  };
  return {
    unit: () => bytes(6).reduce((sum, byte) => sum * 256 + byte, 0) / 2 ** 48,
    hex: (count) => bytes(count).map((byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}
