/**
 * When the next request goes out: at once after a choice, within `TYPING_MS` of the first unsent key, every
 * `HEARTBEAT_MS` in any case, and never before the end of a backoff. Holds instants of the monotonic clock, no timers.
 */
import { RETRY_AFTER_MOST_MS, fullJitter } from '../../shared/backoff.js';

export const HEARTBEAT_MS = 10000;
export const TYPING_MS = 900;
export const CURVE = Object.freeze({ base: 400, cap: 5000 });
/** For what is left of an attempt that is over: nobody waits for it. */
export const SLOW_CURVE = Object.freeze({ base: 2000, cap: 60000 });
/** After `online` a whole hall comes back with one switch. */
export const ONLINE_SPREAD_MS = 3000;

/**
 * @param {{clock: {now: () => number}, random: {unit: () => number}, beats: boolean}} ports
 */
export function createPace({ clock, random, beats }) {
  let failures = 0;
  let notBefore = 0;
  /** What the service asked for: only a page that is being left comes sooner. */
  let askedUntil = 0;
  let beatAt = beats ? 0 : Infinity;
  /** @type {number | null} */
  let dueAt = null;

  return {
    /** Milliseconds until the next request; null when there is no reason for one. */
    wait() {
      const next = Math.min(beatAt, dueAt ?? Infinity);
      return next === Infinity ? null : Math.max(0, Math.max(next, notBefore) - clock.now());
    },
    /** A request goes out now: what asks for one from here on asks for the next. */
    sent() {
      dueAt = null;
      if (beats) beatAt = clock.now() + HEARTBEAT_MS;
    },
    choice() {
      dueAt = clock.now();
    },
    typing() {
      if (dueAt === null) dueAt = clock.now() + TYPING_MS;
    },
    /** The first real acknowledgement ends the backoff. The beat is jittered: 1,880 pages began in one instant. */
    acknowledged() {
      failures = 0;
      notBefore = 0;
      askedUntil = 0;
      if (beats) beatAt = clock.now() + HEARTBEAT_MS * (0.9 + 0.1 * random.unit());
    },
    /**
     * @param {{askedMs?: number | null, curve?: import('../../shared/backoff.js').Curve}} [how] `askedMs`: what the
     *   service asked for
     */
    failed({ askedMs = null, curve = CURVE } = {}) {
      failures += 1;
      notBefore = clock.now() + fullJitter(failures, curve, random.unit, askedMs);
      askedUntil = clock.now() + Math.min(askedMs ?? 0, RETRY_AFTER_MOST_MS);
      dueAt = clock.now();
    },
    /** Whatever our own backoff says: the candidate hands in. */
    soon() {
      notBefore = askedUntil;
      dueAt = clock.now();
    },
    /** Whatever anybody says: the page is going. */
    now() {
      notBefore = 0;
      dueAt = clock.now();
    },
    online() {
      notBefore = Math.max(askedUntil, clock.now() + random.unit() * ONLINE_SPREAD_MS);
      dueAt = clock.now();
    },
    noMoreBeats() {
      beats = false;
      beatAt = Infinity;
    },
    isBackingOff: () => failures > 0,
  };
}

/** @typedef {ReturnType<typeof createPace>} Pace */
