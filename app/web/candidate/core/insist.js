/**
 * Asks until it is answered: silence and 5xx are waited out with full jitter, a refusal is an answer and is thrown.
 */
import { Refused } from '../../shared/api.js';
import { fullJitter } from '../../shared/backoff.js';

export const RETRY = Object.freeze({ base: 500, cap: 5000 });
const RETRY_AFTER_MOST_MS = 30000;

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
        if (error instanceof Refused && error.status < 500 && error.status !== 429) {
          connection.ok();
          onWaiting(false);
          throw error;
        }
        connection.failed(error, clock.now() - began);
        onWaiting(true);
        const asked = error instanceof Refused ? (error.retryAfterMs ?? 0) : 0;
        await pause(fullJitter(failures, RETRY, random.unit, Math.min(asked, RETRY_AFTER_MOST_MS)));
      }
    }
    return null;
  }

  return { insist, pause };
}

/** @typedef {ReturnType<typeof createInsist>} Insist */
