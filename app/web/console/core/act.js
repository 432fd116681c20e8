/**
 * One click, one change: a request is repeated under one Idempotency-Key until it has an answer, so that a lost reply
 * neither does a thing twice nor leaves anyone wondering.
 *
 * @typedef {import('../../shared/api.js').Api} Api
 * @typedef {import('../../shared/api.js').Timers} Timers
 */
import { ApiError, Refused } from '../../shared/api.js';
import { fullJitter } from '../../shared/backoff.js';

const CURVE = { base: 400, cap: 3000 };
/** How long a click is pursued before the page says that the outcome is unknown. */
export const PURSUED_MS = 20_000;

/**
 * @param {{
 *   api: Api, timers: Timers, random: {unit: () => number, hex: (bytes: number) => string},
 *   clock: {now: () => number}, token: () => string | null, toldBy?: () => string,
 * }} ports `toldBy`: who asked for it by telephone, while a call is under way
 */
export function createActs({ api, timers, random, clock, token, toldBy = () => '' }) {
  const pause = (/** @type {number} */ ms) => new Promise((resolve) => timers.setTimeout(() => resolve(null), ms));

  /**
   * @param {string} path below `/api/v1/staff`
   * @param {unknown} body
   * @param {() => void} [onWaiting] called when the first try got no answer
   * @returns {Promise<any>} the reply's body
   * @throws {ApiError} Refused when the service said no, otherwise the outcome is unknown
   */
  return async function act(path, body, onWaiting = () => {}) {
    const key = random.hex(16);
    // As it was clicked: a call that ends meanwhile ends nothing of what was asked for in it.
    const name = toldBy();
    const headers = { 'Idempotency-Key': key, ...(name === '' ? {} : { 'Told-By': encodeURIComponent(name) }) };
    const until = clock.now() + PURSUED_MS;
    for (let tries = 1; ; tries += 1) {
      try {
        return (await api.post(`/api/v1/staff${path}`, body, { token: token(), headers })).body;
      } catch (error) {
        const later = error instanceof ApiError && (!(error instanceof Refused) || error.status === 503);
        if (!later || clock.now() > until) throw error;
        onWaiting();
        await pause(fullJitter(tries, CURVE, random.unit, error.retryAfterMs));
      }
    }
  };
}
