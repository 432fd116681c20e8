/**
 * Whether the service has both its stores, asked every ten seconds or so: what candidates notice of one that is away is
 * little, and staff should know why.
 *
 * `ready`: candidates are served and the exam clock moves, with whatever is left of the two.
 *
 * @typedef {{postgres: boolean, redis: boolean, ready: boolean}} Stores
 */
import { signal } from '../../shared/ui.js';

const EVERY_MS = 10_000;
const WAIT_MS = 5000;

/**
 * @param {{
 *   fetch: typeof globalThis.fetch, timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 * }} ports
 */
export function createStores({ fetch, timers, random }) {
  /** Null: the service did not say; the page's other lines tell whether it can be reached. */
  const stores = signal(/** @type {Stores | null} */ (null));
  /** @type {any} */
  let timer = null;

  async function look() {
    const abort = new AbortController();
    const late = timers.setTimeout(() => abort.abort(), WAIT_MS);
    try {
      // 503 carries the same words: nobody can be served, and the fields say why.
      const reply = await fetch('/readyz', { cache: 'no-store', credentials: 'omit', signal: abort.signal });
      return readStores(await reply.json());
    } catch {
      return null; // no answer, or not the service's: not known, which is not "away"
    } finally {
      timers.clearTimeout(late);
    }
  }

  function lookNow() {
    timers.clearTimeout(timer);
    lookIn(0);
  }

  /** @param {number} ms */
  function lookIn(ms) {
    const mine = timers.setTimeout(async () => {
      const seen = await look();
      if (timer !== mine) return;
      stores.value = seen;
      lookIn(EVERY_MS * (0.75 + random.unit() / 2));
    }, ms);
    timer = mine;
  }

  return {
    stores,
    /** Asked again at once: something else has shown that a store may be away. */
    hurry() {
      if (timer !== null) lookNow();
    },
    start: lookNow,
    stop() {
      timers.clearTimeout(timer);
      timer = null;
      stores.value = null;
    },
  };
}

/**
 * The body of `/readyz`; null when it is something else.
 *
 * @param {any} body
 * @returns {Stores | null}
 */
export function readStores(body) {
  if ([body?.postgres, body?.redis, body?.ready].some((one) => typeof one !== 'boolean')) return null;
  return { postgres: body.postgres, redis: body.redis, ready: body.ready };
}

/**
 * The line to show: `postgres`, `redis`, `both`, or null while all is well or nothing is known.
 *
 * @param {Stores | null} stores
 */
export function missing(stores) {
  if (!stores || (stores.postgres && stores.redis)) return null;
  if (!stores.postgres && !stores.redis) return 'both';
  return stores.postgres ? 'redis' : 'postgres';
}
