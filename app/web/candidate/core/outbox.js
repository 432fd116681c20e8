/**
 * Every answer of one grant (attempt, epoch) in this browser, until the final receipt.
 *
 * The steps, and why a crash between any two of them loses nothing:
 *
 * 1. `edit` writes {value, rev} in one transaction that also reads the revision it must exceed; tabs share the
 *    transaction order, so no two edits get one revision. Crash before the commit: the screen said "saving", not
 *    "saved on this PC". Crash after: the entry is `local` and the next page sends it.
 * 2. `claim` reads the sequence number and what is due, checking in the same transaction that this page still holds the
 *    flusher lease. It changes no entry. Crash: the next page claims the same number and the same entries.
 * 3. The request. Its reply may be lost: the entries are still `local`, the same number is repeated, the service merges
 *    by revision and answers again.
 * 4. `settle` stores what the reply says, item by item, for exactly the revision that was answered. Crash before it: as
 *    a lost reply. An entry never leaves the store here; only `purge` after the final receipt removes.
 *
 * Nothing here knows another attempt: each key begins with this grant, and the token that a claim carries is read from
 * this grant's own row in the same transaction.
 *
 * @typedef {import('./state.js').Entry} Entry
 * @typedef {import('./state.js').ItemAck} ItemAck
 * @typedef {import('./state.js').ServerResponse} ServerResponse
 * @typedef {import('./store-memory.js').Store} Store
 * @typedef {import('./grant.js').Grant} Grant
 * @typedef {import('./grant.js').Registers} Registers
 * @typedef {import('./grant.js').Claim} Claim
 * @typedef {{item: number, value: any, state: 'writing' | 'local' | 'sending' | 'buffered' | 'durable' | 'stranded' |
 *   'refused', code: string | null, rev: number}} View one item as the page shows it
 */
import { afterPush, afterReading, afterReply, claimed, lost } from './grant.js';
import { disowned, edited, inTime, isDue, isSettled, rebased, settled } from './state.js';

/**
 * @param {{store: Store, attempt: string, epoch: number, serviceNow: () => number, onChange?: () => void}} ports
 */
export function createOutbox({ store, attempt, epoch, serviceNow, onChange = () => {} }) {
  const key = [attempt, epoch];
  /** The entries as last committed. @type {Map<number, Entry>} */
  const entries = new Map();
  /** Changes on the screen that are not on the disk yet; the newest per item. @type {Map<number, {value: any, at_ms: number}>} */
  const typing = new Map();
  /** Revisions in the request that is under way. @type {Map<number, number>} */
  let underWay = new Map();
  /** @type {Promise<void> | null} */
  let writing = null;

  const changed = () => onChange();

  /** @param {Entry[]} rows */
  const show = (rows) => {
    for (const row of rows) entries.set(row.item, row);
    changed();
  };

  /** Writes what is being typed until nothing is left; one transaction at a time, each with all there is. */
  async function write() {
    while (typing.size > 0) {
      const batch = new Map(typing);
      const rows = await store.transaction('readwrite', async (tx) => {
        /** @type {Entry[]} */
        const written = [];
        for (const [item, change] of batch) {
          const before = (await tx.get('entries', [...key, item])) ?? null;
          const after = edited(before, { attempt, epoch, item, ...change });
          if (after !== before) await tx.put('entries', after);
          written.push(after);
        }
        return written;
      });
      for (const [item, change] of batch) if (typing.get(item) === change) typing.delete(item);
      show(rows);
    }
  }

  /**
   * Reads and changes this grant's entries in one transaction.
   *
   * @param {(rows: Entry[], grant: Grant) => {entries: Entry[], grant?: Grant}} decide
   */
  async function revise(decide) {
    const after = await store.transaction('readwrite', async (tx) => {
      /** @type {Grant | undefined} */
      const grant = await tx.get('grants', key);
      if (!grant) return null;
      const next = decide(await tx.all('entries', key), grant);
      for (const row of next.entries) await tx.put('entries', row);
      if (next.grant) await tx.put('grants', next.grant);
      return next;
    });
    if (after) show(after.entries);
    return after;
  }

  return {
    attempt,
    epoch,

    /** Reads what is on the disk. */
    async load() {
      const rows = await store.transaction('readonly', (tx) => tx.all('entries', key));
      entries.clear();
      show(rows);
    },

    /** @returns {Promise<Grant | undefined>} */
    grant: () => store.transaction('readonly', (tx) => tx.get('grants', key)),

    /**
     * The candidate changed an item. The view changes at once; the promise resolves when it is on the disk.
     *
     * @param {number} item
     * @param {any} value
     */
    edit(item, value) {
      typing.set(item, { value, at_ms: serviceNow() });
      changed();
      if (writing === null) {
        writing = write().finally(() => {
          writing = null;
        });
      }
      return writing;
    },

    /** Resolves when everything typed so far is on the disk. */
    written: () => writing ?? Promise.resolve(),

    /**
     * @param {number} item
     * @returns {View | null}
     */
    view(item) {
      const entry = entries.get(item) ?? null;
      const typed = typing.get(item);
      if (typed) return { item, value: typed.value, state: 'writing', code: null, rev: entry?.rev ?? 0 };
      if (!entry) return null;
      const sending = !isSettled(entry) && underWay.get(item) === entry.rev;
      return { item, value: entry.value, state: sending ? 'sending' : entry.state, code: entry.code, rev: entry.rev };
    },

    /** @returns {View[]} */
    views() {
      const items = new Set([...entries.keys(), ...typing.keys()]);
      return [...items].map((item) => /** @type {View} */ (this.view(item)));
    },

    /** @param {boolean} withBuffered */
    hasDue: (withBuffered) => [...entries.values()].some((entry) => isDue(entry, withBuffered)),

    hasUnsettled: () => typing.size > 0 || [...entries.values()].some((entry) => !isSettled(entry)),

    /**
     * Position, marks and elapsed time: kept with the grant, sent with the next checkpoint.
     *
     * @param {Partial<Registers>} change
     */
    async note(change) {
      await revise((_rows, grant) => ({
        entries: [],
        grant: { ...grant, registers: { ...grant.registers, ...change } },
      }));
    },

    /**
     * Step 2. What to send now, under the number it is sent under until it is answered.
     *
     * @param {{withBuffered: boolean, holder: string | null, most: number, mostBytes: number,
     *   registers?: Partial<Registers>, bare?: boolean}} how `holder` is this page's name in the flusher lease (null: no
     *   lease is kept); `bare` leaves the registers out (the service refused a body because of them)
     * @returns {Promise<Claim | null>} null when this page may not send: the lease is another's or the grant is gone
     */
    async claim({ withBuffered, holder, registers = {}, bare = false, ...limits }) {
      const claim = await store.transaction(
        'readwrite',
        async (tx) => {
          /** @type {Grant | undefined} */
          const stored = await tx.get('grants', key);
          if (!stored || stored.state === 'final') return null;
          if (holder !== null && (await tx.get('meta', 'flusher'))?.holder !== holder) return null;
          const grant = { ...stored, registers: { ...stored.registers, ...registers } };
          await tx.put('grants', grant);
          /** @type {Entry[]} */
          const rows = await tx.all('entries', key);
          return claimed(grant, rows.filter((row) => isDue(row, withBuffered)), { ...limits, bare });
        },
        { durability: 'relaxed' }, // losing a claim in a power cut only means claiming again
      );
      underWay = claim?.revs ?? new Map();
      changed();
      return claim;
    },

    /** The request is over, however it ended. */
    ended() {
      underWay = new Map();
      changed();
    },

    /**
     * Step 4. A real reply (`reply.js`).
     *
     * @param {Claim} claim
     * @param {import('./reply.js').CheckpointReply} reply
     * @param {{patient?: boolean}} [how] see `afterReply`
     * @returns {Promise<{settled: number, resend: boolean}>} how many entries moved, and whether everything is sent again
     */
    async settle(claim, reply, { patient = false } = {}) {
      let outcome = { settled: 0, resend: false };
      await revise((rows, grant) => {
        const after = afterReply(rows, grant, claim, reply, patient);
        outcome = { settled: after.moved, resend: after.resend };
        return after;
      });
      return outcome;
    },

    /**
     * A refusal that speaks of single items (superseded, closed, one bad response): only those named move.
     *
     * @param {Claim} claim
     * @param {ItemAck[]} acks
     */
    async settleItems(claim, acks) {
      let moved = 0;
      const named = new Map(acks.map((ack) => [ack.item, ack]));
      await revise((rows) => {
        const after = rows
          .filter((row) => claim.revs.has(row.item) && named.has(row.item))
          .map((row) => settled(row, /** @type {ItemAck} */ (named.get(row.item))));
        moved = after.filter(isSettled).length;
        return { entries: after };
      });
      return moved;
    },

    /**
     * An event: which record it is, how many revisions it holds, and what became of buffered answers (`items`, none in
     * a snapshot).
     *
     * @param {{lineage: string, count: number | null, items?: ItemAck[]}} told
     * @returns {Promise<boolean>} whether the service seems to hold less than it once said: a reply will show it
     */
    async hear({ items = [], ...standing }) {
      let behind = false;
      await revise((rows, grant) => {
        behind = lost(grant, standing);
        return afterPush(rows, grant, { ...standing, items });
      });
      return behind;
    },

    /**
     * The office opened the attempt again under this grant: what was too late by the end that no longer holds goes out
     * once more.
     */
    reopened: () =>
      revise((rows, grant) => ({
        entries: rows.map(inTime),
        grant: { ...grant, state: 'live', receipt: null, hand_in_asked: false },
      })),

    /** The record had lost this grant and has it again: everything goes out once more. */
    restored: () => revise((rows) => ({ entries: rows.map(disowned) })),

    /**
     * `GET /attempt`, on sign-in and reload, or when something else has written: both sides meet. Not once the receipt
     * is here: what this browser lets go of must not come back with a reading that was under way.
     *
     * @param {import('./reply.js').AttemptReply} reply
     */
    absorb: (reply) =>
      revise((rows, grant) => (grant.receipt ? { entries: [] } : afterReading(rows, grant, reply, serviceNow()))),

    /**
     * After the service began another lineage, or lost the grants that followed this one, and this device signed in
     * again: what other grants of this attempt still hold moves here, where nobody wrote the item later.
     *
     * @param {string} lineage the new one
     * @param {Record<string, ServerResponse>} responses
     */
    async adoptOlder(lineage, responses) {
      const rows = await store.transaction('readwrite', async (tx) => {
        /** @type {Grant[]} */
        const others = (await tx.all('grants', [attempt])).filter(
          (/** @type {Grant} */ g) => g.epoch > epoch || (g.epoch < epoch && g.told.lineage !== lineage),
        );
        const moved = [];
        for (const grant of others.sort((a, b) => b.epoch - a.epoch)) {
          for (const old of await tx.all('entries', [attempt, grant.epoch])) {
            if (old.code === 'moved-on') continue; // once: the candidate may have changed it since
            const current = (await tx.get('entries', [...key, old.item])) ?? null;
            const row = rebased(old, current, responses[String(old.item)] ?? null, epoch);
            if (!row) continue;
            await tx.put('entries', row);
            await tx.put('entries', { ...old, state: 'stranded', code: 'moved-on' });
            moved.push(row);
          }
        }
        return moved;
      });
      show(rows);
      return rows.length;
    },

    /**
     * @param {Partial<Grant>} change
     */
    async mark(change) {
      await revise((_rows, grant) => ({ entries: [], grant: { ...grant, ...change } }));
    },

    /**
     * Only after the final receipt: the one place where answers leave this browser. The grant stays until the candidate
     * leaves the page (`session.leave`), for the office may open the attempt again. A PC whose candidate went on
     * elsewhere never sees that receipt and keeps its rows: I1 sets no other end, they are one more copy should the
     * record and the new seat both be lost, and no code path shows them to the next candidate. Clearing the profile
     * after the day is the room's, as it is for a PC that died.
     */
    async purge() {
      await store.transaction('readwrite', async (tx) => {
        /** @type {Grant | undefined} */
        const grant = await tx.get('grants', key);
        if (grant?.state !== 'final') throw new Error('purge before the final receipt');
        for (const row of await tx.all('entries', [attempt])) {
          if (isSettled(row)) await tx.delete('entries', [attempt, row.epoch, row.item]);
        }
      });
      entries.clear();
      changed();
    },
  };
}

/** @typedef {ReturnType<typeof createOutbox>} Outbox */
