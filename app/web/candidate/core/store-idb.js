/**
 * The store in IndexedDB: what the candidate typed outlives the tab, the browser and the power.
 *
 * Rules that keep it so:
 * - `durability: 'strict'`: a transaction is over when the bytes are on the disk, not when the operating system has
 *   taken them. Browsers before 2020 ignore the option; they flushed every transaction anyway.
 * - An upgrade only adds: each step creates what is missing, none deletes or renames (tests/web/store.test.js
 *   walks old versions through it).
 * - A connection that another tab wants to upgrade under us, or that the browser closes, is opened again.
 *
 * @typedef {import('./store-memory.js').Store} Store
 * @typedef {import('./store-memory.js').TableName} TableName
 */
import { KEYS } from './store-memory.js';

/** The browser's storage failed (not our code): the caller goes on in memory and says so. */
export class StoreFailed extends Error {
  /** @param {string} what @param {any} [cause] */
  constructor(what, cause) {
    super(cause ? `${what}: ${cause.name ?? ''} ${cause.message ?? cause}` : what);
    this.name = 'StoreFailed';
  }
}

export const NAME = 'holdfast';

/**
 * One step per version, in order; a step may only add. Version 1 is the first.
 *
 * @type {ReadonlyArray<(db: IDBDatabase) => void>}
 */
export const STEPS = [
  (db) => {
    for (const table of /** @type {TableName[]} */ (Object.keys(KEYS))) {
      const path = KEYS[table];
      db.createObjectStore(table, { keyPath: path.length === 1 ? path[0] : [...path] });
    }
  },
];

/**
 * @param {{
 *   indexedDB: IDBFactory, IDBKeyRange: typeof globalThis.IDBKeyRange,
 *   timers: import('../../shared/api.js').Timers, name?: string, steps?: typeof STEPS, timeoutMs?: number,
 * }} ports `timeoutMs`: storage that does not answer for so long has failed (a broken profile can hang for ever)
 * @returns {Promise<Store>}
 * @throws {StoreFailed}
 */
export async function openIdbStore(ports) {
  const { timers, IDBKeyRange, timeoutMs = 4000 } = ports;
  const within = limiter(timers, timeoutMs);
  let shut = false;
  /** @type {Promise<IDBDatabase> | null} */
  let opening = null;

  const database = () => {
    if (opening === null) {
      opening = within('opening the database', open(ports)).then(
        (db) => {
          db.onversionchange = () => {
            db.close();
            opening = null;
          };
          db.onclose = () => {
            opening = null;
          };
          return db;
        },
        (error) => {
          opening = null;
          throw error;
        },
      );
    }
    return opening;
  };

  await database();
  return {
    kind: 'indexeddb',
    async transaction(mode, work, { durability = 'strict' } = {}) {
      if (shut) throw new StoreFailed('the store is closed');
      const db = await database();
      let tx;
      try {
        tx = db.transaction(Object.keys(KEYS), mode, { durability });
      } catch (error) {
        // The connection was closed between the two lines (an upgrade elsewhere): once more on a new one.
        opening = null;
        tx = attempt('beginning a transaction', await database(), mode, durability);
      }
      return within('a transaction', carryOut(tx, work, IDBKeyRange));
    },
    close() {
      shut = true;
      opening?.then(
        (db) => db.close(),
        () => undefined, // it never opened, so there is nothing to close; the opener has been told
      );
    },
  };
}

/** @param {string} what @param {IDBDatabase} db @param {IDBTransactionMode} mode @param {'strict' | 'relaxed'} durability */
function attempt(what, db, mode, durability) {
  try {
    return db.transaction(Object.keys(KEYS), mode, { durability });
  } catch (error) {
    throw new StoreFailed(what, error);
  }
}

/**
 * @param {Parameters<typeof openIdbStore>[0]} ports
 * @returns {Promise<IDBDatabase>}
 */
function open({ indexedDB, name = NAME, steps = STEPS }) {
  return new Promise((resolve, reject) => {
    /** @param {number} [version] */
    const ask = (version) => {
      let request;
      try {
        request = indexedDB.open(name, version);
      } catch (error) {
        reject(new StoreFailed('opening the database', error));
        return;
      }
      request.onupgradeneeded = (event) => {
        for (const step of steps.slice(event.oldVersion)) step(request.result);
      };
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => {
        // A newer page (the standby may be one release ahead) has upgraded the database. Steps only add, so what this
        // page needs is there: open it as it is.
        if (version !== undefined && request.error?.name === 'VersionError') ask();
        else reject(new StoreFailed('opening the database', request.error));
      };
    };
    ask(steps.length);
  });
}

/**
 * Runs `work` in the transaction and waits until the transaction is complete, not only its requests.
 *
 * @template T
 * @param {IDBTransaction} tx
 * @param {(tx: import('./store-memory.js').Tx) => Promise<T>} work
 * @param {typeof globalThis.IDBKeyRange} IDBKeyRange
 * @returns {Promise<T>}
 */
function carryOut(tx, work, IDBKeyRange) {
  /** @type {unknown} */
  let ours = null;
  /** @type {Promise<void>} */
  const complete = new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve();
    tx.onabort = () => reject(ours ?? new StoreFailed('a transaction', tx.error));
  });
  const done = work({
    get: (table, key) => answer(tx.objectStore(table).get(key)),
    all: (table, prefix = []) => {
      // [a, b] ≤ key ≤ [a, b, []]: an array sorts after every number, string and date.
      const range = prefix.length ? IDBKeyRange.bound(prefix, [...prefix, []]) : null;
      return answer(tx.objectStore(table).getAll(range));
    },
    put: (table, row) => answer(tx.objectStore(table).put(row)).then(() => undefined),
    delete: (table, key) => answer(tx.objectStore(table).delete(key)),
  }).catch((error) => {
    ours = error;
    try {
      tx.abort();
    } catch {
      // It has already ended by itself; `complete` knows how.
    }
    throw error;
  });
  return Promise.all([done, complete]).then(([result]) => result);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new StoreFailed('a request', request.error));
  });
}

/**
 * @param {import('../../shared/api.js').Timers} timers
 * @param {number} timeoutMs
 */
function limiter(timers, timeoutMs) {
  /**
   * @template T
   * @param {string} what
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  return (what, promise) =>
    new Promise((resolve, reject) => {
      const timer = timers.setTimeout(() => reject(new StoreFailed(`${what} did not end`)), timeoutMs);
      promise.then(
        (value) => {
          timers.clearTimeout(timer);
          resolve(value);
        },
        (error) => {
          timers.clearTimeout(timer);
          reject(error);
        },
      );
    });
}
