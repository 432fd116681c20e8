/**
 * The store the page works with: IndexedDB while it works, memory from the moment it does not.
 *
 * A browser's storage can fail at any time (a full disk, a damaged profile, a policy). The candidate must be able to go
 * on, so a failure moves the page to memory with everything this page has read or written, repeats the transaction
 * there, and says so once through `onDegraded`. What lies in IndexedDB stays there untouched.
 *
 * @typedef {import('./store-memory.js').Store} Store
 * @typedef {import('./store-memory.js').Tx} Tx
 */
import { StoreFailed, openIdbStore } from './store-idb.js';
import { createMemoryStore } from './store-memory.js';

/**
 * @param {Omit<Parameters<typeof openIdbStore>[0], 'indexedDB'> & {indexedDB: IDBFactory | undefined}} ports
 * @param {(error: Error) => void} onDegraded
 * @returns {Promise<Store>}
 */
export async function openStore(ports, onDegraded) {
  const { indexedDB } = ports;
  try {
    if (!indexedDB) throw new StoreFailed('this browser has no IndexedDB');
    return withFallback(await openIdbStore({ ...ports, indexedDB }), onDegraded);
  } catch (error) {
    if (!(error instanceof StoreFailed)) throw error;
    onDegraded(error);
    return createMemoryStore();
  }
}

/**
 * @param {Store} first
 * @param {(error: Error) => void} onDegraded
 * @returns {Store}
 */
export function withFallback(first, onDegraded) {
  const shadow = createMemoryStore();
  let failed = false;

  /** @type {Store} */
  const store = {
    get kind() {
      return failed ? 'memory' : first.kind;
    },
    async transaction(mode, work, options) {
      if (failed) return shadow.transaction(mode, work, options);
      /** @type {Array<(tx: Tx) => Promise<void>>} */
      const seen = [];
      try {
        const result = await first.transaction(mode, (tx) => work(watched(tx, seen)), options);
        await shadow.transaction('readwrite', async (tx) => {
          for (const repeat of seen) await repeat(tx);
        });
        return result;
      } catch (error) {
        if (!(error instanceof StoreFailed)) throw error;
        if (!failed) {
          failed = true;
          onDegraded(error);
        }
        return shadow.transaction(mode, work, options);
      }
    },
    close: () => first.close(),
  };
  return store;
}

/**
 * @param {Tx} tx
 * @param {Array<(tx: Tx) => Promise<void>>} seen what the shadow has to repeat, in order
 * @returns {Tx}
 */
function watched(tx, seen) {
  return {
    async get(table, key) {
      const row = await tx.get(table, key);
      if (row !== undefined) seen.push((copy) => copy.put(table, row));
      return row;
    },
    async all(table, prefix) {
      const rows = await tx.all(table, prefix);
      for (const row of rows) seen.push((copy) => copy.put(table, row));
      return rows;
    },
    put(table, row) {
      seen.push((copy) => copy.put(table, row));
      return tx.put(table, row);
    },
    delete(table, key) {
      seen.push((copy) => copy.delete(table, key));
      return tx.delete(table, key);
    },
  };
}
