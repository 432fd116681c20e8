/**
 * Sends what the outbox holds, for as long as there is a grant. One request at a time:
 *
 * 1. `pace.js` says when; `claim` gives the body and its number. Unanswered, the same number goes out again, with what
 *    has grown since.
 * 2. Only a parsed reply with a status for every response sent is an acknowledgement; it resets the backoff.
 * 3. Whatever else happens is "unknown": the next server of the ring is asked at once, and after a full round the page
 *    waits with full jitter, at least as long as the service asked for.
 * 4. `superseded` and `closed` are answers too: what they say about each item is stored, what is left is handed over in
 *    further requests, and then sending stops for good.
 *
 * The hand-in is the same request to another address, sent when everything fits into it.
 *
 * @typedef {import('./outbox.js').Outbox} Outbox
 * @typedef {import('./grant.js').Claim} Claim
 * @typedef {import('./reply.js').CheckpointReply} CheckpointReply
 * @typedef {{
 *   onReply: (reply: CheckpointReply) => void,
 *   onSuperseded: (params: Record<string, any>) => void,
 *   onClosed: () => void,
 *   onSignedOut: () => void,
 *   onGrantLost: () => void,
 *   onHandInRefused: (error: Refused) => void,
 *   onHandInVoid: () => void,
 *   onLeaseLost: () => void,
 *   onRest: () => void,
 *   onFault: (error: unknown) => void,
 * }} Listener `onGrantLost`: the record was put back and does not know this grant; sending stands still until `start`.
 *   `onRest`: an attempt that is over has nothing left to hand over; `onFault`: our own code failed
 */
import { NotOurs, Refused } from '../../shared/api.js';
import { askedFor } from './insist.js';
import { SLOW_CURVE, createPace } from './pace.js';
import { checkpointReply, handInReply, itemAcks } from './reply.js';

/** A commit slower than a second counts as away on the service's side, so this is generous. */
export const REQUEST_MS = 4000;
export const HAND_IN_MS = 12000;
/** A hand-in that is only buffered is asked about again after this. */
export const RECEIPT_MS = 2000;
/** How long a buffered answer waits before it is asked about without other reason. */
export const BUFFERED_MS = 15000;
/** At most this often a lower count makes everything go out again. */
export const RESEND_MS = 30000;
/** What one request may carry; well below the service's own limits. */
export const MOST_RESPONSES = 100;
export const MOST_BYTES = 180000;
/** Browsers refuse larger bodies with `keepalive`. */
export const KEEPALIVE_BYTES = 60000;
/** A closed attempt that takes nothing more is not asked for ever. */
const CLOSED_TRIES = 3;

/**
 * @param {{
 *   outbox: Outbox, api: import('../../shared/api.js').Api, ring: import('../../shared/api.js').ServerRing,
 *   clock: {now: () => number}, timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   connection: {ok: () => void, failed: (error: unknown, tookMs: number) => void},
 *   holder: string | null, registers?: () => Partial<import('./grant.js').Registers>,
 *   listener?: Partial<Listener>, beats?: boolean,
 * }} ports `beats: false` hands over what an old grant left and then rests
 */
export function createSync(ports) {
  const { outbox, api, ring, clock, timers, random, connection, holder, registers = () => ({}) } = ports;
  const { listener = {}, beats = true } = ports;
  const pace = createPace({ clock, random, beats });

  let stopped = true;
  let busy = false;
  /** @type {any} */
  let timer = null;
  let most = MOST_RESPONSES;
  let bare = false;
  /** The last reply was durable: what was buffered before can become durable now. */
  let recordBack = false;
  let bufferedAskedAt = -Infinity;
  let resentAt = -Infinity;
  let handingIn = false;
  /** Nobody pressed anything: the hand-in is for the time being up, and void when it is not any more. */
  let timeUp = false;
  let leaving = false;
  /** @type {'superseded' | 'closed' | null} */
  let over = null;
  let closedTries = 0;

  // The hand-in is made from the record: what only Redis has is brought by it, for Redis may be gone by then.
  const withBuffered = () =>
    !beats || handingIn || over !== null || recordBack || clock.now() - bufferedAskedAt >= BUFFERED_MS;

  const plan = () => {
    timers.clearTimeout(timer);
    const wait = stopped || busy ? null : pace.wait();
    if (wait !== null) timer = timers.setTimeout(() => void run(), wait);
  };

  const rest = () => {
    stopped = true;
    listener.onRest?.();
  };

  async function run() {
    if (busy || stopped) return;
    busy = true;
    try {
      await once();
    } catch (error) {
      pace.failed(); // our own fault: said aloud, and tried again slowly rather than in a circle
      listener.onFault?.(error);
    } finally {
      busy = false;
      leaving = false;
      outbox.ended();
      plan();
    }
  }

  async function once() {
    pace.sent();
    const asksBuffered = withBuffered();
    const claim = await outbox.claim({
      withBuffered: asksBuffered,
      holder,
      most,
      mostBytes: leaving ? KEEPALIVE_BYTES : MOST_BYTES,
      registers: registers(),
      bare,
    });
    if (!claim) {
      stopped = true;
      listener.onLeaseLost?.();
      return;
    }
    if ((over || !beats) && claim.revs.size === 0) return rest();
    if (asksBuffered) bufferedAskedAt = clock.now();

    const final = handingIn && !claim.more;
    // What the record must hold after this request, or it is no receipt that we want (`grant.js`).
    const held = { lineage: claim.lineage, count: claim.count + claim.fresh.size };
    const body = final ? { ...claim.body, ...held, ...(timeUp ? { time_up: true } : {}) } : claim.body;
    const server = ring.current();
    const began = clock.now();
    let reply;
    try {
      const answer = await api.post(`/api/v1/attempt/${final ? 'hand-in' : 'checkpoints'}`, body, {
        token: claim.token,
        server,
        timeoutMs: final ? HAND_IN_MS : REQUEST_MS,
        keepalive: leaving,
      });
      reply = final ? handInReply(answer.body, claim) : checkpointReply(answer.body, claim);
      if (!reply) throw new NotOurs(answer.status, server);
    } catch (error) {
      return failed(error, claim, final, server, clock.now() - began);
    }
    reached(server);
    await acknowledged(claim, reply);
    if (!final || !handingIn) return; // taken back meanwhile: the time goes on
    if (reply.hand_in_void) return dropped();
    handingIn = !reply.receipt;
    if (handingIn) pace.failed({ askedMs: RECEIPT_MS }); // buffered: the receipt is made when the record is back
  }

  /** What the hand-in asked for has been taken back (the attempt was reopened): the candidate goes on, and may press
   * again. Asked again by itself it would be a new request, and end the attempt. */
  async function dropped() {
    handingIn = false;
    if (timeUp) return;
    await outbox.mark({ hand_in_asked: false });
    listener.onHandInVoid?.();
  }

  /** @param {string} server */
  function reached(server) {
    ring.answered(server);
    connection.ok();
  }

  /**
   * @param {Claim} claim
   * @param {CheckpointReply} reply
   */
  async function acknowledged(claim, reply) {
    // A hand-in is the last word: it waits for no patience.
    const patient = !handingIn && clock.now() - resentAt < RESEND_MS;
    const { settled, resend } = await outbox.settle(claim, reply, { patient });
    if (resend) resentAt = clock.now();
    recordBack = reply.durability === 'durable';
    most = MOST_RESPONSES;
    bare = false;
    pace.acknowledged();
    // Answered, and yet nothing moved: asking again at once would be a circle.
    if (claim.revs.size > 0 && settled === 0) pace.failed();
    else if (outbox.hasDue(withBuffered())) pace.choice();
    else if (!beats) rest();
    listener.onReply?.(reply);
  }

  /**
   * @param {unknown} error
   * @param {Claim} claim
   * @param {boolean} final
   * @param {string} server
   * @param {number} tookMs
   */
  async function failed(error, claim, final, server, tookMs) {
    const unavailable = !(error instanceof Refused) || error.status >= 500 || error.status === 429;
    if (unavailable) {
      connection.failed(error, tookMs);
      const asked = askedFor(error);
      const busyNow = error instanceof Refused && error.status === 429;
      const { round, askedMs } = busyNow ? { round: true, askedMs: asked } : ring.failed(server, asked);
      if (round) pace.failed({ askedMs });
      else pace.choice();
      return;
    }
    reached(server);
    const { status, code } = error;
    if (code === 'superseded' || code === 'closed') return ended(error, code, claim);
    if (code === 'grant-lost' && listener.onGrantLost) {
      stopped = true;
      pace.failed(); // should it be lost again and again, it is not asked in a circle
      listener.onGrantLost();
    } else if (status === 401) {
      stopped = true;
      await outbox.mark({ state: 'signed-out' });
      listener.onSignedOut?.();
    } else if (status === 413 || status === 422) {
      await narrow(error, claim);
    } else if (final) {
      handingIn = false;
      pace.choice();
      if (timeUp) return; // paused at its end, or moved: the next word of the clock says
      await outbox.mark({ hand_in_asked: false });
      listener.onHandInRefused?.(error);
    } else if (claim.revs.size > 0) {
      pace.failed(); // a refusal for now (not started): the answers stay, and go out again later
    }
  }

  /**
   * @param {Refused} error
   * @param {'superseded' | 'closed'} code
   * @param {Claim} claim
   */
  async function ended(error, code, claim) {
    const first = over === null;
    over = code;
    handingIn = false;
    pace.noMoreBeats();
    const moved = await outbox.settleItems(claim, itemAcks(error.problem.items ?? error.params.items) ?? []);
    await outbox.mark(code === 'closed' ? { state: 'closed' } : { state: 'superseded', superseded_by: error.params });
    if (first && code === 'closed') listener.onClosed?.();
    if (first && code === 'superseded') listener.onSuperseded?.(error.params);
    if (!outbox.hasDue(true)) return rest();
    if (moved > 0 || claim.revs.size === 0) return pace.choice();
    closedTries += 1;
    if (code === 'closed' && closedTries >= CLOSED_TRIES) return rest();
    pace.failed({ curve: SLOW_CURVE });
  }

  /**
   * The service cannot take this body. Half of it, until one response is left that cannot be taken: that one is refused
   * by name, and its neighbours go through.
   *
   * @param {Refused} error
   * @param {Claim} claim
   */
  async function narrow(error, claim) {
    const size = claim.revs.size;
    if (size > 1) {
      most = size >> 1;
      return pace.choice();
    }
    if (size === 1) {
      const [[item, rev]] = claim.revs;
      await outbox.settleItems(claim, [{ item, rev, status: 'refused', code: error.code }]);
      most = MOST_RESPONSES;
      return pace.choice();
    }
    bare = true; // nothing but position and marks was in it
    pace.failed();
  }

  return {
    /** Begins, or goes on after the lease came back. */
    start() {
      if (!stopped) return;
      stopped = false;
      pace.choice();
      plan();
    },
    stop() {
      stopped = true;
      timers.clearTimeout(timer);
    },
    /** A choice was made. */
    choice() {
      pace.choice();
      plan();
    },
    typing() {
      pace.typing();
      plan();
    },
    /** The clock reached zero, or a pushed event says that the grant is over: hear it from the service. */
    ask() {
      pace.choice();
      plan();
    },
    /** The page is being hidden or left: one try at once, whatever the backoff says. */
    leaving() {
      if (stopped || busy || !outbox.hasDue(false)) return;
      leaving = true;
      pace.now();
      void run();
    },
    /** The network is back. */
    online() {
      pace.online();
      plan();
    },
    /**
     * From now on every try is the hand-in, until it is answered.
     *
     * @param {{timeUp?: boolean}} [why] `timeUp`: the clock asks for it, not the candidate
     */
    handIn(why = {}) {
      timeUp = (why.timeUp ?? false) && (!handingIn || timeUp);
      handingIn = true;
      pace.soon();
      plan();
    },
    /** The time goes on: what was to be handed in because it was up is not. The candidate's own hand-in stays. */
    timeGoesOn() {
      if (handingIn && timeUp) handingIn = false;
    },
    isHandingIn: () => handingIn,
    isBackingOff: () => pace.isBackingOff(),
  };
}

/** @typedef {ReturnType<typeof createSync>} Sync */
