/**
 * Whether the candidate is out of the room: then no question is shown, while the time runs on. The invigilator says so by
 * notices, `leave` and `return`; a page that is loaded meanwhile reads it with the attempt. Replies and events overtake
 * each other: both say which notice they know of, and the word of an older one changes nothing.
 *
 * @param {{onChange: (out: boolean) => void}} ports
 */
export function createLeave({ onChange }) {
  let newest = 0;
  let out = false;

  /** @param {boolean} next */
  const set = (next) => {
    if (next === out) return;
    out = next;
    onChange(out);
  };

  return {
    /**
     * As the attempt was read, with the newest notice about it that the record had then.
     *
     * @param {unknown} onLeave
     * @param {number} notice
     */
    read(onLeave, notice) {
      if (notice < newest) return;
      newest = notice;
      set(onLeave === true);
    },

    /** The record was put back to before what it said: its notices are counted anew. */
    restored() {
      newest = 0;
    },

    /** @param {import('./reply.js').Notice[]} told */
    hear(told) {
      for (const { id, kind } of told) {
        if (id <= newest || (kind !== 'leave' && kind !== 'return')) continue;
        newest = id;
        set(kind === 'leave');
      }
    },
  };
}
