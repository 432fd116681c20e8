/**
 * The store's interface, and the implementation that forgets: used by tests, and by the page when this browser has no
 * working IndexedDB.
 *
 * A transaction reads and writes as if it were alone, and either all of it is kept or nothing. `work` awaits only the
 * promises of its `tx` (an IndexedDB transaction closes itself as soon as it is left alone).
 *
 * @typedef {'entries' | 'grants' | 'proofs' | 'meta'} TableName
 * @typedef {'readonly' | 'readwrite'} Mode
 * @typedef {{
 *   get: (table: TableName, key: any) => Promise<any>,
 *   all: (table: TableName, prefix?: any[]) => Promise<any[]>,
 *   put: (table: TableName, row: any) => Promise<void>,
 *   delete: (table: TableName, key: any) => Promise<void>,
 * }} Tx `prefix` selects the rows whose key begins with these parts
 * @typedef {{durability?: 'strict' | 'relaxed'}} TxOptions
 * @typedef {{
 *   kind: 'indexeddb' | 'memory',
 *   transaction: <T>(mode: Mode, work: (tx: Tx) => Promise<T>, options?: TxOptions) => Promise<T>,
 *   close: () => void,
 * }} Store
 */

/** The key of each table, part by part. @type {Readonly<Record<TableName, readonly string[]>>} */
export const KEYS = {
  entries: ['attempt', 'epoch', 'item'],
  grants: ['attempt', 'epoch'],
  proofs: ['ticket'],
  meta: ['name'],
};

/** @param {TableName} table @param {any} row */
export function keyOf(table, row) {
  const parts = KEYS[table].map((part) => row[part]);
  return parts.length === 1 ? parts[0] : parts;
}

/** @returns {Store} */
export function createMemoryStore() {
  /** @type {Record<TableName, Map<string, any>>} */
  let tables = { entries: new Map(), grants: new Map(), proofs: new Map(), meta: new Map() };
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();

  /**
   * @template T
   * @param {(tx: Tx) => Promise<T>} work
   */
  async function alone(work) {
    const draft = {
      entries: new Map(tables.entries),
      grants: new Map(tables.grants),
      proofs: new Map(tables.proofs),
      meta: new Map(tables.meta),
    };
    const result = await work({
      get: async (table, key) => copy(draft[table].get(JSON.stringify(key))),
      all: async (table, prefix = []) =>
        [...draft[table].values()].filter((row) => startsWith(keyOf(table, row), prefix)).map(copy),
      put: async (table, row) => void draft[table].set(JSON.stringify(keyOf(table, row)), copy(row)),
      delete: async (table, key) => void draft[table].delete(JSON.stringify(key)),
    });
    tables = draft; // only now: work that threw has left nothing behind
    return result;
  }

  return {
    kind: 'memory',
    transaction(_mode, work) {
      const run = last.then(() => alone(work));
      last = run.catch(() => undefined); // the caller of `run` gets the error; the queue only goes on
      return run;
    },
    close() {},
  };
}

/** @param {any} row */
function copy(row) {
  return row === undefined ? undefined : JSON.parse(JSON.stringify(row));
}

/** @param {any} key @param {any[]} prefix */
function startsWith(key, prefix) {
  const parts = Array.isArray(key) ? key : [key];
  return prefix.every((part, index) => parts[index] === part);
}
