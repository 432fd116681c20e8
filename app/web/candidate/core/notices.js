/**
 * What the exam office tells this page, by the stream or with a reply: shown until it is dismissed, and confirmed to the
 * service once it has been on the screen. One notice comes many times (an event, every reply until it is confirmed, a
 * second server); it is shown once and confirmed once.
 *
 * @typedef {import('./reply.js').Notice} Notice
 */

/** Newest ones kept on the page. */
const MOST = 5;
/** Not words but what the page itself does: the question goes and comes back (leave.js). */
const DONE_HERE = new Set(['leave', 'return']);
/** A whole hall shows a notice in one instant; its receipts come within this. */
const RECEIPT_SPREAD_MS = 800;
/** What opens an attempt that is over. */
const OPENS = new Set(['reopen', 'extend']);
/** What is said whether or not anybody answers any more. */
const LASTING = new Set(['notice', 'announcement']);
/** What says that nothing can be answered. */
const STANDS = new Set(['pause', 'end']);

/**
 * @param {{
 *   send: (ids: number[]) => Promise<unknown>, pause: (ms: number) => Promise<void>, random: {unit: () => number},
 *   watch: (promise: Promise<unknown>) => void, onChange: (notices: Notice[]) => void,
 * }} ports `send` tries until it is answered, or throws what the service refused it with
 */
export function createNotices({ send, pause, random, watch, onChange }) {
  /** @type {Notice[]} */
  let open = [];
  /** Every notice this page has heard of. @type {Set<number>} */
  const known = new Set();
  /** Those that have been on the screen. @type {Set<number>} */
  const seen = new Set();
  /** @type {number[]} */
  let unsaid = [];
  let saying = false;

  /** @param {Notice[]} next */
  const set = (next) => {
    open = next;
    onChange(open);
  };

  async function say() {
    if (saying) return;
    saying = true;
    try {
      while (unsaid.length) {
        await pause(random.unit() * RECEIPT_SPREAD_MS);
        const ids = unsaid;
        unsaid = [];
        await send(ids);
      }
    } finally {
      saying = false;
    }
  }

  /**
   * These are on the screen now. On a page that is `over` nobody has read why it comes back before it has: that is
   * confirmed by the page that goes on, which would not be told again.
   *
   * @param {number[]} ids
   * @param {boolean} [over]
   */
  function shown(ids, over = false) {
    const later = new Set(over ? open.filter(({ kind }) => OPENS.has(kind)).map(({ id }) => id) : []);
    const first = ids.filter((id) => known.has(id) && !seen.has(id) && !later.has(id));
    if (first.length === 0) return;
    for (const id of first) seen.add(id);
    unsaid.push(...first);
    watch(say());
  }

  return {
    /** @param {Notice[]} told @returns {boolean} whether there is something new to read */
    tell(told) {
      const news = told.filter(({ id }) => !known.has(id));
      if (news.length === 0) return false;
      for (const { id } of news) known.add(id);
      const words = news.filter(({ kind }) => !DONE_HERE.has(kind));
      set([...open, ...words].sort((a, b) => a.id - b.id).slice(-MOST));
      shown(news.filter((one) => !words.includes(one)).map(({ id }) => id));
      return words.length > 0;
    },

    shown,

    /** @param {number} id */
    dismiss: (id) => set(open.filter((one) => one.id !== id)),

    /**
     * The attempt is over: what was read of its time says nothing any more. That it was deferred or goes on in another
     * session stays; it is why the attempt is over.
     */
    over: () => set(open.filter((one) => LASTING.has(one.kind) || !seen.has(one.id))),

    /** The clock runs: that it stands, or was ended, is no news any more, for whoever has read it. */
    running() {
      const left = open.filter((one) => !STANDS.has(one.kind) || !seen.has(one.id));
      if (left.length !== open.length) set(left);
    },
  };
}

/** @typedef {ReturnType<typeof createNotices>} Notices */
