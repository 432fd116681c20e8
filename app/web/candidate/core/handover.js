/**
 * What earlier grants of this browser left unsent goes to the service under their own tokens: answers of a candidate
 * whose PC died and who went on elsewhere become stranded there, where the exam office can see them, instead of
 * lying on this disk. Runs while nobody is signed in (every attempt), or beside a signed-in candidate for that
 * candidate's own older grants only. Nothing of it is ever shown.
 *
 * @typedef {import('./grant.js').Grant} Grant
 */
import { createOutbox } from './outbox.js';
import { isSettled } from './state.js';

/**
 * @param {{
 *   store: import('./store-memory.js').Store,
 *   makeSync: (outbox: import('./outbox.js').Outbox, listener: Partial<import('./sync.js').Listener>) =>
 *     import('./sync.js').Sync,
 * }} ports
 */
export function createHandover({ store, makeSync }) {
  /** Ends what is under way. */
  let cut = () => {};
  let round = 0;

  /** @param {string | null} attempt @param {number | null} except */
  const leftovers = (attempt, except) =>
    store.transaction('readonly', async (tx) => {
      /** @type {Grant[]} */
      const grants = await tx.all('grants', attempt === null ? undefined : [attempt]);
      const found = [];
      for (const grant of grants) {
        if (grant.token === '' || grant.state === 'signed-out' || grant.epoch === except) continue;
        /** @type {import('./state.js').Entry[]} */
        const rows = await tx.all('entries', [grant.attempt, grant.epoch]);
        if (rows.some((row) => !isSettled(row))) found.push(grant);
      }
      return found;
    });

  const stop = () => {
    round += 1;
    cut();
  };

  return {
    stop,
    /**
     * @param {{attempt: string | null, except: number | null}} which `attempt: null` is every attempt; `except` is the
     *   epoch that is signed in
     * @returns {Promise<number>} how many grants were worked through
     */
    async run({ attempt, except }) {
      stop();
      const mine = round;
      const grants = await leftovers(attempt, except);
      for (const grant of grants) {
        if (mine !== round) break;
        const outbox = createOutbox({
          store,
          attempt: grant.attempt,
          epoch: grant.epoch,
          serviceNow: () => 0, // nothing is typed here
        });
        await outbox.load();
        await new Promise((/** @type {(value?: any) => void} */ resolve) => {
          if (mine !== round) return resolve();
          const sync = makeSync(outbox, { onRest: resolve, onSignedOut: resolve, onLeaseLost: resolve });
          cut = () => {
            sync.stop();
            resolve();
          };
          sync.start();
        });
      }
      return grants.length;
    },
  };
}
