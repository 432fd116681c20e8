/**
 * The service says what the clock does (a reply, an event, the first paint): which word is believed, and what it changes
 * against what was shown. Replies and events overtake each other, and come from processes that have not read the time in
 * one instant.
 *
 * @typedef {import('./reply.js').ClockMessage} ClockMessage
 * @typedef {{
 *   changedByMs: number, reopened: boolean, doubtful: boolean, because: boolean,
 * }} Heard `changedByMs`: the remaining time moved by so much and no notice says why, 0 when it did not; `reopened`: the
 *   attempt was over and is not any more; `doubtful`: blanked or shown by a word that may be the older one;
 *   `because`: the end comes from something else than before
 */
import { isOver } from './reply.js';

/** A change of the remaining time worth telling. */
const CHANGE_MS = 5000;
/** A page that was blanked, or shown again, twice within this asks which of the two holds. */
const DOUBT_MS = 3000;
/** A notice and the change it explains come together, or by two ways. */
const EXPLAINED_MS = 12000;

/** The summands as one comparable word. @param {ClockMessage} message */
const spelled = ({ because }) => JSON.stringify(because);

/**
 * @param {{timer: import('./timer.js').ExamTimer, clock: {now: () => number}}} ports
 */
export function createClockWords({ timer, clock }) {
  /** When the page was last blanked or shown again. */
  let flippedAt = -Infinity;
  let explainedAt = -Infinity;

  return {
    /** A notice was told: a change that comes with it needs no other words. */
    explained() {
      explainedAt = clock.now();
    },

    /**
     * @param {ClockMessage} message
     * @param {{pushed?: boolean}} [how] see `timer.sync`
     * @returns {Heard | null} null: an older word that was overtaken
     */
    hear(message, how) {
      const before = timer.reading()?.message ?? null;
      const jump = timer.sync(message, how) ?? 0;
      if (timer.reading()?.message !== message) return null;
      const now = clock.now();
      const flips = before !== null && (before.state === 'paused') !== (message.state === 'paused');
      const doubtful = flips && (before.service_ms > message.service_ms || now - flippedAt < DOUBT_MS);
      if (flips) flippedAt = now;
      const changed = Math.abs(jump) >= CHANGE_MS && message.state === 'running' && now - explainedAt >= EXPLAINED_MS;
      const reopened = before !== null && isOver(before.state) && !isOver(message.state);
      const because = before === null || before.state !== message.state || spelled(before) !== spelled(message);
      return { changedByMs: changed ? jump : 0, reopened, doubtful, because };
    },
  };
}
