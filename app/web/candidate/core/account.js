/**
 * Whether the record holds more than this page can account for: something else has written, and today that is the office
 * adopting an answer. The push says so at once; this finds out when nobody heard it, from the count that every reply
 * carries. To be wrong costs one reading too many.
 */
export function createAccount() {
  /** The count as last heard. @type {number | null} */
  let known = null;
  return {
    /** What was just read whole, or told together with what it came from. @param {number | null} count */
    met(count) {
      if (count !== null) known = count;
    },
    /**
     * @param {number | null} count as a reply tells it
     * @param {number} own how many revisions that reply speaks of
     * @returns {boolean} true when there are more
     */
    more(count, own) {
      if (count === null) return false;
      const before = known;
      known = count;
      return before !== null && count > before + own;
    },
  };
}
