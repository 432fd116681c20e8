/**
 * Asks until it is answered: silence, 5xx and 429 are waited out with full jitter on top of what was asked for
 * (Retry-After). A refusal is an answer and is thrown, and so is a wait that is longer than anybody sits out silently.
 */
import { ApiError, Refused } from '../../shared/api.js';
import { RETRY_AFTER_MOST_MS, fullJitter } from '../../shared/backoff.js';

export const RETRY = Object.freeze({ base: 500, cap: 5000 });

/**
 * @param {{
 *   clock: {now: () => number}, timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   connection: {ok: () => void, failed: (error: unknown, tookMs: number) => void},
 *   onWaiting: (waiting: boolean) => void,
 * }} ports
 */
export function createInsist({ clock, timers, random, connection, onWaiting }) {
  /** @param {number} ms @returns {Promise<void>} */
  const pause = (ms) => new Promise((resolve) => void timers.setTimeout(resolve, ms));

  /**
   * @template T
   * @param {() => Promise<T>} ask
   * @param {() => boolean} wanted looked at after every wait
   * @returns {Promise<T | null>} null when the answer is not wanted any more
   * @throws {Refused}
   */
  async function insist(ask, wanted) {
    for (let failures = 1; wanted(); failures += 1) {
      const began = clock.now();
      try {
        const answer = await ask();
        connection.ok();
        onWaiting(false);
        return wanted() ? answer : null;
      } catch (error) {
        if (!wanted()) return null;
        if (isAnswer(error)) {
          connection.ok();
          onWaiting(false);
          throw error;
        }
        connection.failed(error, clock.now() - began);
        onWaiting(true);
        await pause(fullJitter(failures, RETRY, random.unit, askedFor(error)));
      }
    }
    return null;
  }

  return { insist, pause };
}

/** @param {unknown} error */
function isAnswer(error) {
  if (!(error instanceof Refused) || error.status >= 500) return false;
  return error.status !== 429 || (error.retryAfterMs ?? 0) > RETRY_AFTER_MOST_MS;
}

/** Retry-After of whatever went wrong; null when nobody asked for a wait. @param {unknown} error */
export function askedFor(error) {
  return error instanceof ApiError ? error.retryAfterMs : null;
}

/** @typedef {ReturnType<typeof createInsist>} Insist */
