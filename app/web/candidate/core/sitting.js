/**
 * This page, from the empty sign-in to the next candidate's: holds the lease, signs in, turns to one grant at a time
 * (`work.js`), and keeps the one immutable `state` that the components render. No DOM, no wall clock.
 *
 * @typedef {import('./work.js').WorkState} WorkState
 * @typedef {{
 *   phase: import('./phase.js').Phase, work: WorkState | null, connection: import('./connection.js').Verdict,
 *   storage: 'indexeddb' | 'memory', waiting: boolean,
 *   signIn: {busy: boolean, problem: Error | null, ticket: string},
 * }} SittingState `waiting`: something was asked and nobody has answered yet
 */
import { Refused, createApi, createServerRing } from '../../shared/api.js';
import { createConnection } from './connection.js';
import { createFlusherLease } from './flusher-lease.js';
import { createHandover } from './handover.js';
import { createInsist } from './insist.js';
import { phaseOf } from './phase.js';
import { createSession } from './session.js';
import { createSync } from './sync.js';
import { createWork } from './work.js';

/**
 * @param {{
 *   store: import('./store-memory.js').Store, fetch: typeof globalThis.fetch, clock: {now: () => number},
 *   timers: import('../../shared/api.js').Timers, random: import('../../shared/random.js').Random,
 *   channel: import('./flusher-lease.js').Channel | null, origin: string, language: () => string,
 *   adapterUp: () => boolean, onChange: (state: SittingState) => void, onFault: (error: unknown) => void,
 * }} ports `origin` is the page's own; `adapterUp` is `navigator.onLine`
 */
export function createSitting(ports) {
  const { store, fetch, clock, timers, random, channel, origin, language, adapterUp, onFault } = ports;
  const api = createApi({ fetch, timers, language });
  const ring = createServerRing();
  const session = createSession({ store, api, ring, random, origin });
  const connection = createConnection({
    clock,
    timers,
    fetch,
    adapterUp,
    onChange: (verdict) => set({ connection: verdict }),
  });
  const insist = createInsist({
    clock,
    timers,
    random,
    connection,
    onWaiting: (waiting) => waiting !== state.waiting && set({ waiting }),
  });
  const lease = createFlusherLease({ store, channel, timers, random, onChange: leaseChanged });
  const handover = createHandover({
    store,
    makeSync: (outbox, listener) =>
      createSync({ outbox, api, ring, clock, timers, random, connection, holder: lease.id, listener, beats: false }),
  });

  /** @type {import('./work.js').Work | null} */
  let work = null;
  let loaded = false;
  /** Grows with every try to sign in: an answer to an earlier try is not wanted any more. */
  let signInTry = 0;

  /** @type {SittingState} */
  let state = {
    phase: 'starting',
    work: null,
    connection: connection.verdict(),
    storage: store.kind,
    waiting: false,
    signIn: { busy: false, problem: null, ticket: '' },
  };

  /** @param {Partial<SittingState>} change */
  function set(change) {
    const next = { ...state, ...change };
    next.phase = phaseOf({
      lease: lease.state(),
      loaded,
      grant: next.work?.grant ?? null,
      merged: next.work?.merged ?? false,
      clockState: next.work?.clock?.state ?? null,
      hasPaper: Boolean(next.work?.paper),
      handingIn: next.work?.handingIn ?? false,
    });
    state = next;
    ports.onChange(state);
  }

  /** @param {Promise<unknown>} promise nobody waits for it: a fault of ours is said aloud, never swallowed */
  const watch = (promise) => void promise.catch(onFault);

  /** @param {import('./flusher-lease.js').LeaseState} now */
  function leaseChanged(now) {
    if (now === 'held') watch(begin());
    else if (now === 'elsewhere') quiet();
    set({});
  }

  /** Nothing of the grant at hand goes on in this page. */
  function quiet() {
    signInTry += 1;
    work?.stop();
    handover.stop();
    work = null;
    set({ work: null });
  }

  async function begin() {
    const grant = await session.current();
    loaded = true;
    if (!grant) nobody('');
    else if (grant.state === 'signed-out') nobody(grant.ticket);
    else turnTo(grant, null);
  }

  /** @param {string} ticket what the form already knows */
  function nobody(ticket) {
    quiet();
    set({ waiting: false, signIn: { busy: false, problem: null, ticket } });
    watch(handover.run({ attempt: null, except: null }));
  }

  /**
   * @param {import('./grant.js').Grant} grant
   * @param {import('./reply.js').ClockMessage | null} first the clock that came with it
   */
  function turnTo(grant, first) {
    quiet();
    ring.use(grant.servers, origin);
    const mine = createWork({
      grant,
      store,
      fetch,
      clock,
      timers,
      random,
      language,
      api,
      ring,
      session,
      connection,
      insist,
      holder: lease.id,
      onChange: () => workChanged(mine),
      onLeaseLost: lease.recheck,
      onOpenAgain: (next, clockNow) => turnTo(next, clockNow),
      onMerged: () => watch(handover.run({ attempt: grant.attempt, except: grant.epoch })),
      onFault,
    });
    work = mine;
    if (first) mine.clockSaid(first);
    set({ work: mine.state(), waiting: false });
    if (grant.state === 'final') mine.lookWhetherItIs();
    else watch(mine.begin());
  }

  /** @param {import('./work.js').Work} from */
  function workChanged(from) {
    if (from !== work) return;
    const now = from.state();
    if (now.grant.state === 'signed-out') nobody(now.grant.ticket);
    else set({ work: now });
  }

  return {
    state: () => state,
    work: () => work,
    api,
    token: () => work?.state().grant.token ?? null,
    server: ring.current,
    start: lease.start,
    /** The candidate chose this tab. */
    takeHere: () => watch(lease.take()),

    /** @param {{ticket: string, idTail: string, seat: {room?: string, seat?: string} | null}} given */
    async signIn(given) {
      handover.stop();
      signInTry += 1;
      const mine = signInTry;
      const wanted = () => mine === signInTry;
      set({ signIn: { busy: true, problem: null, ticket: given.ticket } });
      try {
        const answer = await insist.insist(() => session.signIn(given), wanted);
        if (!answer) return;
        set({ signIn: { busy: false, problem: null, ticket: '' } });
        turnTo(answer.grant, answer.clock);
      } catch (error) {
        if (!wanted()) return;
        set({ signIn: { busy: false, problem: /** @type {Error} */ (error), ticket: given.ticket } });
        if (!(error instanceof Refused)) onFault(error);
      }
    },
    cancelSignIn() {
      signInTry += 1;
      connection.ok();
      set({ signIn: { ...state.signIn, busy: false }, waiting: false });
    },

    /** "This is not me", a shown receipt, a replaced PC: back to an empty sign-in. Nothing is removed here. */
    async leave() {
      await session.leave();
      connection.ok();
      nobody('');
    },

    /** @param {boolean} hidden */
    visibility(hidden) {
      if (hidden) work?.leaving();
      else work?.awake();
    },
    /** `online` and `offline` of the browser. @param {boolean} up */
    adapter(up) {
      connection.adapterChanged();
      if (up) work?.online();
    },
    async pageHide() {
      work?.leaving();
      await lease.release();
    },
    storageLost: () => set({ storage: 'memory' }),
  };
}

/** @typedef {ReturnType<typeof createSitting>} Sitting */
