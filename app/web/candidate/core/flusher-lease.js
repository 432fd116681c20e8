/**
 * One page per browser sends. A lease in the store names it; every claim of the outbox checks the name in its own
 * transaction, so a page that lost the lease without noticing cannot send under it.
 *
 * The lease has no expiry time, because tabs share no monotonic clock and wall clocks are not to be trusted: the holder
 * counts a beat up, and another page may take over when it has watched the same beat for `STALE_MS` of its own time, or
 * when it asked aloud (BroadcastChannel) and nobody answered. A holder always answers, hidden or not; a frozen or dead
 * one does not.
 *
 * @typedef {import('./store-memory.js').Store} Store
 * @typedef {'asking' | 'held' | 'elsewhere' | 'released'} LeaseState
 * @typedef {{postMessage: (message: any) => void, onmessage: ((event: {data: any}) => void) | null,
 *   close: () => void}} Channel
 */

export const BEAT_MS = 2000;
export const STALE_MS = 6500;
/** How long a page that asks aloud waits for the holder's voice. */
export const ASK_MS = 800;

/**
 * @param {{
 *   store: Store, channel: Channel | null, timers: import('../../shared/api.js').Timers,
 *   random: {hex: (bytes: number) => string}, onChange: (state: LeaseState) => void,
 * }} ports
 */
export function createFlusherLease({ store, channel, timers, random, onChange }) {
  const id = random.hex(8);
  /** @type {LeaseState} */
  let state = 'released';
  /** @type {any} */
  let timer = null;
  /** What was seen last of another's lease. @type {{holder: string, beat: number, forMs: number} | null} */
  let watched = null;
  let heard = false;

  /** @param {LeaseState} next */
  const become = (next) => {
    if (next === state) return;
    state = next;
    onChange(state);
  };

  /** @param {(row: {holder: string | null, beat: number} | undefined) => {holder: string | null, beat: number} | null} decide */
  const compareAndSet = (decide) =>
    store.transaction(
      'readwrite',
      async (tx) => {
        const row = await tx.get('meta', 'flusher');
        const next = decide(row);
        if (next) await tx.put('meta', { name: 'flusher', ...next });
        return { row, next };
      },
      { durability: 'relaxed' },
    );

  /** @param {number} ms @param {() => Promise<void>} run */
  const later = (ms, run) => {
    timers.clearTimeout(timer);
    timer = timers.setTimeout(() => void run(), ms);
  };

  const beat = async () => {
    const { next } = await compareAndSet((row) => (row?.holder === id ? { holder: id, beat: row.beat + 1 } : null));
    if (state !== 'held') return;
    if (!next) {
      watched = null;
      become('elsewhere');
      later(BEAT_MS, look);
      return;
    }
    later(BEAT_MS, beat);
  };

  const held = () => {
    watched = null;
    become('held');
    later(BEAT_MS, beat);
  };

  const giveBack = async () => {
    await compareAndSet((row) => (row?.holder === id ? { holder: null, beat: row.beat + 1 } : null));
    channel?.postMessage({ free: id });
  };

  /** Looks at the lease once, and takes it when it is free, given up, or its holder is silent. */
  const look = async () => {
    if (state === 'held' || state === 'released') return;
    const { row, next } = await compareAndSet((seen) => {
      const free = !seen || seen.holder === null || seen.holder === id;
      const same = watched !== null && seen?.holder === watched.holder && seen?.beat === watched.beat;
      const silent = same && !heard && watched !== null && watched.forMs >= (channel ? ASK_MS : STALE_MS);
      return free || silent ? { holder: id, beat: (seen?.beat ?? 0) + 1 } : null;
    });
    if (state !== 'asking' && state !== 'elsewhere') return next ? giveBack() : undefined; // released meanwhile
    if (next) return held();
    const first = watched === null;
    const unchanged = watched !== null && row.holder === watched.holder && row.beat === watched.beat;
    const pause = first && channel ? ASK_MS : BEAT_MS;
    watched = { holder: row.holder, beat: row.beat, forMs: unchanged ? (watched?.forMs ?? 0) + pause : pause };
    if (!first) become('elsewhere');
    heard = false;
    channel?.postMessage({ ask: id });
    later(pause, look);
  };

  if (channel) {
    channel.onmessage = ({ data }) => {
      if (data?.ask && data.ask !== id && state === 'held') channel.postMessage({ here: id });
      if (data?.here) heard = true;
      if (data?.taken && data.taken !== id && state === 'held') {
        watched = null;
        become('elsewhere');
        later(BEAT_MS, look);
      }
      if (data?.free && state === 'elsewhere') later(0, look);
    };
  }

  return {
    id,
    state: () => state,
    start() {
      if (state !== 'released') return;
      watched = null;
      become('asking');
      void look();
    },
    /** The candidate chose this page: take the lease from whoever has it. */
    async take() {
      await compareAndSet((row) => ({ holder: id, beat: (row?.beat ?? 0) + 1 }));
      channel?.postMessage({ taken: id });
      held();
    },
    /** A claim found another's name in the lease: find out now instead of at the next beat. */
    recheck() {
      if (state === 'held') void beat();
    },
    /** On leaving the page: the next one need not wait. */
    async release() {
      timers.clearTimeout(timer);
      const mine = state === 'held';
      state = 'released';
      if (mine) await giveBack();
    },
  };
}

/** @typedef {ReturnType<typeof createFlusherLease>} FlusherLease */
