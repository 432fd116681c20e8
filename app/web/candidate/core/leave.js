/**
 * Whether the candidate is out of the room: then no question is shown, while the time runs on. The invigilator says so by
 * notices, `leave` and `return`; a page that is loaded meanwhile reads it with the attempt. An older notice that comes
 * once more after a newer one says nothing.
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
    /** As the attempt was read. @param {unknown} onLeave */
    read: (onLeave) => set(onLeave === true),

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
