/**
 * What the passing of time makes the page do: ask the service when a clock reaches zero, speak at thresholds, and count
 * the working time. It decides nothing about the exam.
 */
import { spokenThreshold } from './timer.js';

const TICK_MS = 500;
const ASK_AGAIN_MS = 2000;

/**
 * @param {{
 *   timer: import('./timer.js').ExamTimer, clock: {now: () => number},
 *   timers: import('../../shared/api.js').Timers, onAsk: () => void, onSpoken: (minutes: number) => void,
 * }} ports
 */
export function createCountdown({ timer, clock, timers, onAsk, onSpoken }) {
  /** @type {any} */
  let handle = null;
  let askedAt = -Infinity;
  /** Remaining time at the last tick of a running clock. @type {number | null} */
  let before = null;
  let workedBase = 0;
  /** @type {number | null} */
  let workingSince = null;

  const worked = () => workedBase + (workingSince === null ? 0 : clock.now() - workingSince);

  const tick = () => {
    timers.clearTimeout(handle);
    handle = timers.setTimeout(tick, TICK_MS);
    const now = clock.now();
    if ((timer.mustAsk() || timer.mustAskStart()) && now - askedAt >= ASK_AGAIN_MS) {
      askedAt = now;
      onAsk();
    }
    if (timer.state() !== 'running' || workingSince === null) return;
    const remaining = /** @type {number} */ (timer.remaining());
    const minutes = spokenThreshold(before, remaining);
    before = remaining;
    if (minutes !== null) onSpoken(minutes);
  };

  return {
    tick,
    stop: () => timers.clearTimeout(handle),
    /** Milliseconds in which the paper was on the screen and the clock ran. */
    worked,
    /** @param {number} ms what is known from before */
    workedBefore(ms) {
      workedBase = ms;
    },
    /** @param {boolean} working */
    working(working) {
      if (working && workingSince === null) workingSince = clock.now();
      if (!working && workingSince !== null) {
        workedBase = worked();
        workingSince = null;
      }
    },
  };
}
