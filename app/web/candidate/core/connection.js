/**
 * Which of two very different messages is true: *the server is away, keep working* or *this PC is offline, raise your
 * hand*. A wrong "raise your hand" on 1,880 screens empties the invigilators' hands; a wrong "nothing to do" leaves one
 * candidate alone. A page cannot see the network, only this:
 *
 * 1. A server that answers anything at all, a refusal or a 503 or a `/livez`, proves the path: if checkpoints fail
 *    nevertheless, the service is away, not this PC.
 * 2. The browser's own word "no network" (`navigator.onLine === false`) means the cable or the adapter; the word "there
 *    is a network" means little, a switch may be dead behind it.
 * 3. A connection that is refused *at once* while there is a network was refused by a living host: the path works.
 * 4. Nothing answers, slowly, and the adapter is up: it may be the server's power or a switch in between. Most such
 *    moments are the server's, and answers are safe either way, so the page says "server away", and after
 *    `UNSURE_AFTER_MS` adds the one test that a candidate can make and a page cannot: if your neighbours are fine,
 *    raise your hand.
 *
 * 5. A service that says once "come again in 3 s" is not away, it is changing over: nothing is told until it was asked
 *    again. Said twice in a row, it is away.
 *
 * @typedef {'online' | 'trouble' | 'server-away' | 'pc-offline'} ConnectionState
 *   `trouble`: a try has failed and it is too early to say anything
 * @typedef {{
 *   adapterUp: boolean, failingSince: number | null, failures: number,
 *   pathProvenAt: number | null, fastRefusal: boolean, promisedUntil: number | null,
 * }} Facts instants are monotonic ms; `promisedUntil`: by then the one service that asked for a wait was asked again
 * @typedef {{state: ConnectionState, unsure: boolean}} Verdict
 */
import { NotOurs, Refused, TimedOut, Unreachable } from '../../shared/api.js';

/** Nobody is told anything for so long: most failures end within it. */
export const GRACE_MS = 2500;
export const UNSURE_AFTER_MS = 90000;
/** The longest wait that a service may ask for without the candidate being told. */
export const PROMISE_MS = 8000;
/** A path that was proven since the failure began stays believed for so long. */
export const PROOF_MS = 12000;
/** A TCP reset from a living host comes within this; an unreachable one takes seconds. */
export const FAST_MS = 700;

/**
 * @param {Facts} facts
 * @param {number} now
 * @returns {Verdict}
 */
export function judge(facts, now) {
  if (facts.failingSince === null) return { state: 'online', unsure: false };
  const failingMs = now - facts.failingSince;
  const promised = facts.promisedUntil !== null && now < facts.promisedUntil;
  if (failingMs < GRACE_MS || promised) return { state: 'trouble', unsure: false };
  const proven =
    facts.pathProvenAt !== null && facts.pathProvenAt >= facts.failingSince && now - facts.pathProvenAt < PROOF_MS;
  if (proven) return { state: 'server-away', unsure: false };
  if (!facts.adapterUp) return { state: 'pc-offline', unsure: false };
  if (facts.fastRefusal) return { state: 'server-away', unsure: false };
  return { state: 'server-away', unsure: failingMs >= UNSURE_AFTER_MS };
}

/**
 * @param {{
 *   clock: {now: () => number}, timers: import('../../shared/api.js').Timers, fetch: typeof globalThis.fetch,
 *   adapterUp: () => boolean, onChange: (verdict: Verdict) => void,
 * }} ports
 */
export function createConnection({ clock, timers, fetch, adapterUp, onChange }) {
  /** @type {Facts} */
  const facts = { adapterUp: true, failingSince: null, failures: 0, pathProvenAt: null, fastRefusal: false, promisedUntil: null };
  /** @type {Verdict} */
  let verdict = { state: 'online', unsure: false };
  /** @type {any} */
  let timer = null;
  let probing = false;

  const look = () => {
    facts.adapterUp = adapterUp();
    const next = judge(facts, clock.now());
    if (next.state !== verdict.state || next.unsure !== verdict.unsure) {
      verdict = next;
      onChange(verdict);
    }
    timers.clearTimeout(timer);
    if (facts.failingSince !== null) timer = timers.setTimeout(look, 1000);
  };

  /** Does the page's own server answer anything? Any HTTP status proves the path. */
  const probe = async () => {
    if (probing) return;
    probing = true;
    const abort = new AbortController();
    const limit = timers.setTimeout(() => abort.abort(), 3000);
    const began = clock.now();
    try {
      await fetch('/livez', { cache: 'no-store', credentials: 'omit', signal: abort.signal });
      facts.pathProvenAt = clock.now();
    } catch {
      facts.fastRefusal = adapterUp() && clock.now() - began < FAST_MS; // no answer is an answer here: fact 3 or 4
    } finally {
      timers.clearTimeout(limit);
      probing = false;
      if (facts.failingSince !== null) look();
    }
  };

  return {
    verdict: () => verdict,
    /** A real acknowledgement came. */
    ok() {
      facts.failingSince = null;
      facts.failures = 0;
      facts.promisedUntil = null;
      facts.pathProvenAt = clock.now();
      facts.fastRefusal = false;
      look();
    },
    /**
     * @param {unknown} error what the request threw
     * @param {number} tookMs
     */
    failed(error, tookMs) {
      const now = clock.now();
      facts.failures += 1;
      if (facts.failingSince === null) facts.failingSince = now - Math.min(tookMs, GRACE_MS);
      facts.promisedUntil = facts.failures === 1 ? askedAgainBy(error, now) : null;
      if (error instanceof Refused || error instanceof NotOurs) facts.pathProvenAt = now;
      else if (error instanceof TimedOut) facts.fastRefusal = false;
      else if (error instanceof Unreachable) facts.fastRefusal = adapterUp() && tookMs < FAST_MS;
      look();
      if (facts.pathProvenAt !== now) probe();
    },
    /** `online` and `offline` events. */
    adapterChanged() {
      facts.pathProvenAt = facts.adapterUp === adapterUp() ? facts.pathProvenAt : null;
      look();
    },
    stop: () => timers.clearTimeout(timer),
  };
}

/** @typedef {ReturnType<typeof createConnection>} Connection */

/**
 * When the service that asked for a wait will have been asked again: its wait, as long again by chance, and a reply.
 *
 * @param {unknown} error
 * @param {number} now
 */
function askedAgainBy(error, now) {
  const asked = error instanceof Refused && error.status >= 500 ? error.retryAfterMs : null;
  return asked ? now + Math.min(2 * asked + 1000, PROMISE_MS) : null;
}
