/**
 * One grant, from the moment it is known to the receipt: reads what the service holds, keeps the outbox and its sending
 * going, follows the clock and the pushes, fetches the paper. When the page turns to another grant this one is stopped
 * and never used again.
 *
 * @typedef {import('./grant.js').Grant} Grant
 * @typedef {import('./reply.js').ClockMessage} ClockMessage
 * @typedef {{
 *   grant: Grant, merged: boolean, paper: import('./paper.js').Paper | null, position: number, marked: number[],
 *   clock: ClockMessage | null, tally: import('./state.js').Tally, word: ReturnType<typeof saveWord>, version: number,
 *   handingIn: boolean, handInProblem: Refused | null, gapMs: number, notices: import('./reply.js').Notice[],
 *   changedByMs: number, explained: {zh: string, en: string} | null, said: {n: number, minutes: number} | null,
 *   onLeave: boolean,
 * }} WorkState `version` grows with every change of an answer; `explained` is where the end comes from, once asked for;
 *   `said.minutes` is to be spoken when `said.n` changes
 */
import { NotOurs, Refused } from '../../shared/api.js';
import { createClockWords } from './clock-words.js';
import { createCountdown } from './countdown.js';
import { createEnding } from './ending.js';
import { createLeave } from './leave.js';
import { createListening } from './listening.js';
import { createOutbox } from './outbox.js';
import { createNotices } from './notices.js';
import { createOpening } from './opening.js';
import { ONLINE_SPREAD_MS } from './pace.js';
import { createReading } from './reading.js';
import { createReopening } from './reopening.js';
import { isOver, timeReply } from './reply.js';
import { saveWord, tally } from './state.js';
import { createSync } from './sync.js';
import { createExamTimer } from './timer.js';

const CALL_MS = 10000;

/**
 * @param {{
 *   grant: Grant, store: import('./store-memory.js').Store, fetch: typeof globalThis.fetch,
 *   clock: {now: () => number}, timers: import('../../shared/api.js').Timers,
 *   random: import('../../shared/random.js').Random, language: () => string,
 *   api: import('../../shared/api.js').Api, ring: import('../../shared/api.js').ServerRing,
 *   session: import('./session.js').Session, connection: import('./connection.js').Connection,
 *   insist: import('./insist.js').Insist, holder: string, onChange: () => void, onLeaseLost: () => void,
 *   onMerged: () => void, onOpenAgain: (grant: Grant, clock: ClockMessage) => void,
 *   onFault: (error: unknown) => void,
 * }} ports `onOpenAgain`: the office did, and this is the grant as it goes on
 */
export function createWork(ports) {
  const { store, clock, timers, random, language, api, ring, session, connection, holder, onFault } = ports;
  const { insist, pause } = ports.insist;
  const { attempt, epoch, token } = ports.grant;

  const timer = createExamTimer({ clock });
  const words = createClockWords({ timer, clock });
  const countdown = createCountdown({
    timer,
    clock,
    timers,
    onAsk: () => sync.ask(),
    onSpoken: (minutes) => set({ said: { n: (state.said?.n ?? 0) + 1, minutes } }),
  });
  const outbox = createOutbox({ store, attempt, epoch, serviceNow: timer.serviceNow, onChange: answersChanged });
  const sync = createSync({
    outbox,
    api,
    ring,
    clock,
    timers,
    random,
    connection,
    holder,
    registers: () => ({ elapsed_ms: countdown.worked() }),
    listener: {
      onReply: (reply) => watch(replied(reply)),
      onSuperseded: () => watch(ending.over()),
      onClosed: () => watch(ending.over().then(ending.readReceipt)),
      onSignedOut: () => watch(ending.over()),
      onGrantLost: () => watch(prove()),
      onHandInRefused: (error) => set({ handingIn: false, handInProblem: error }),
      onHandInVoid: () => set({ handingIn: false }),
      onLeaseLost: ports.onLeaseLost,
      onRest: () => watch(ending.letGo()),
      onFault,
    },
  });
  let stopped = false;
  let proving = false;

  /** @type {WorkState} */
  let state = {
    grant: ports.grant,
    merged: false,
    paper: null,
    position: 1,
    marked: [],
    clock: null,
    tally: tally([]),
    word: 'empty',
    version: 0,
    handingIn: false,
    handInProblem: null,
    gapMs: 0,
    notices: [],
    changedByMs: 0,
    explained: null,
    said: null,
    onLeave: false,
  };

  /** @param {Partial<WorkState>} change */
  const set = (change) => {
    if (stopped) return;
    state = { ...state, ...change };
    ports.onChange();
  };

  /** @param {Promise<unknown>} promise nobody waits for it: a fault of ours is said aloud, never swallowed */
  const watch = (promise) => void promise.catch(onFault);
  const wanted = () => !stopped;
  const reading = createReading({ grant: ports.grant, session, outbox, insist, pause, random, wanted, watch });
  const ending = createEnding({
    outbox,
    random,
    sync: () => sync,
    read: reading.attempt,
    pause,
    wanted,
    clockState: timer.state,
    lookAgain: () => watch(reopening.heard()),
    grant: () => state.grant,
    onGrant: (grant) => set({ grant, handingIn: false, ...(grant.receipt ? { paper: null } : {}) }),
    onOver(mayReopen) {
      countdown.stop();
      countdown.working(false);
      notices.over();
      if (mayReopen) reopening.watch();
      else listening.close();
    },
  });

  const reopening = createReopening({
    read: reading.attempt,
    pause,
    random,
    watch,
    wanted,
    async onOpen(clockNow) {
      const after = await outbox.reopened();
      if (after?.grant) ports.onOpenAgain(after.grant, clockNow);
    },
  });

  const notices = createNotices({
    send: async (ids) => {
      try {
        await insist(() => ask('POST', 'event-receipts', () => true, { notices: ids }), wanted);
      } catch (error) {
        if (!(error instanceof Refused)) throw error; // not this page's to say any more
      }
    },
    pause,
    random,
    watch,
    onChange: (open) => set({ notices: open }),
  });

  const leave = createLeave({ onChange: (onLeave) => set({ onLeave }) });

  const opening = createOpening({
    ask,
    insist,
    pause,
    random,
    wanted,
    mayLoad: () => state.paper === null && state.merged,
    onPaper(paper) {
      set({ paper, position: Math.min(Math.max(1, state.position), paper.items.length) });
      countdown.working(state.clock?.state === 'running');
    },
    onReady(ready) {
      clockSaid(ready.clock);
      set({ gapMs: ready.gapMs });
    },
  });

  const listening = createListening({
    fetch: ports.fetch,
    timers,
    random,
    epoch,
    url: () => `${ring.current()}/api/v1/attempt/events`,
    headers: () => ({ Authorization: `Bearer ${token}`, 'Accept-Language': language() }),
    pause,
    ask(event) {
      if (!reopening.watching()) sync.ask();
      else if (event !== 'closed') watch(reopening.heard());
    },
    watch,
    onClock: (message, news) => clockSaid(message, { pushed: news }),
    onNotices: noticed,
    onStanding: async (told) => {
      if (await outbox.hear(told)) sync.ask();
    },
    onSettled: (told) => reading.met(told.count),
    onAdopted: reading.again,
  });

  function answersChanged() {
    const count = tally(outbox.views());
    set({ tally: count, word: saveWord(count), version: state.version + 1 });
  }

  // --- beginning

  /** The attempt is over as far as this browser knows: it listens whether the office opens it again. */
  function lookWhetherItIs() {
    listening.follow();
    reopening.watch();
  }

  /** What the service holds meets what this browser holds; from there on the page works. */
  async function begin() {
    await outbox.load();
    if (ports.grant.state !== 'live') {
      if (ports.grant.state === 'closed') lookWhetherItIs();
      return sync.start(); // only what is left is handed over
    }
    await meet();
  }

  async function meet() {
    let reply;
    try {
      reply = await insist(() => session.read(ports.grant), wanted);
    } catch (error) {
      // Replaced, closed or lost while this page was away: the first checkpoint hears it item by item.
      if (!(error instanceof Refused)) throw error;
      return sync.start();
    }
    if (!reply) return;
    await outbox.absorb(reply);
    reading.met(reply.count);
    await outbox.adoptOlder(reply.lineage, reply.responses);
    const grant = await outbox.grant();
    if (!grant || stopped) return;
    countdown.workedBefore(grant.registers.elapsed_ms);
    const who = { ...grant.who, ...whoOf(reply) };
    const { position, marked } = grant.registers;
    set({ grant: { ...grant, who }, merged: true, position, marked });
    leave.read(reply.on_leave, reply.leave_notice);
    clockSaid(reply.clock);
    listening.follow();
    if (reply.receipt) return ending.finish(reply.receipt);
    sync.start();
    if (grant.hand_in_asked) handIn();
    ports.onMerged();
  }

  /** The record was put back to before this grant. It is shown again, and everything goes out again; nobody is asked. */
  async function prove() {
    if (proving) return;
    proving = true;
    try {
      const clockNow = await insist(() => session.prove(ports.grant), wanted);
      if (!clockNow || stopped) return;
      await outbox.restored();
      leave.restored();
      clockSaid(clockNow);
      if (!state.merged) return await meet();
      sync.start();
      listening.follow();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // Another device has come after it, or the token is no longer honoured: the ticket decides, at the sign-in.
      await outbox.mark({ state: 'signed-out' });
      await ending.over();
    } finally {
      proving = false;
    }
  }

  // --- replies

  /** @param {import('./reply.js').CheckpointReply} reply */
  async function replied(reply) {
    noticed(reply.notices); // first: what they explain is not told a second time
    clockSaid(reply.clock);
    if (!reply.receipt) reading.told(reply.count, reply.items.length);
    if (reply.receipt) await ending.finish(reply.receipt);
    else if (reply.clock.state === 'final') await ending.readReceipt();
  }

  /** @param {import('./reply.js').Notice[]} told */
  function noticed(told) {
    leave.hear(told);
    if (!notices.tell(told)) return;
    words.explained();
    if (told.some(({ kind }) => kind === 'seat')) watch(seatAgain());
  }

  /** Two candidates had each other's seats, and the record was put right. */
  async function seatAgain() {
    try {
      const reply = await reading.attempt();
      if (reply && state.merged) set({ grant: { ...state.grant, who: { ...state.grant.who, ...whoOf(reply) } } });
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the checkpoints hear what it was
    }
  }

  /**
   * @param {ClockMessage} message
   * @param {{pushed?: boolean}} [how] see `timer.sync`
   */
  function clockSaid(message, how = {}) {
    if (stopped) return;
    if (reopening.watching()) {
      // A word may be older than the receipt; the attempt itself is read before the page leaves it.
      if (!isOver(message.state)) watch(reopening.heard());
      return;
    }
    const heard = words.hear(message, how);
    if (!heard) return;
    if (heard.doubtful) listening.askWhichHolds();
    const told = heard.changedByMs !== 0 && state.paper !== null;
    const explained = heard.because ? null : state.explained;
    set({ clock: message, explained, ...(told ? { changedByMs: heard.changedByMs } : {}) });
    countdown.working(message.state === 'running' && state.paper !== null);
    countdown.tick();
    if (message.state === 'running') notices.running();
    // Paused after it had begun the paper may come, so that a page that was moved meanwhile loses nothing later.
    const running = message.state === 'running';
    if (running || (message.state === 'paused' && message.starts_in_ms === null)) watch(opening.load(running));
    // Opened again before it was final, under the same grant: what came too late for the old end is in time.
    if (heard.reopened) watch(outbox.reopened().then(sync.choice));
    watch(ending.clockSaid(message.state));
  }

  /**
   * One call of the attempt whose answer must have a shape: what has another is not the service's.
   *
   * @template T
   * @param {'GET' | 'POST'} method
   * @param {string} call
   * @param {(body: any) => T | null} read
   * @param {unknown} [body]
   * @returns {Promise<T>}
   */
  async function ask(method, call, read, body) {
    const server = ring.current();
    const reply = await api.request(method, `/api/v1/attempt/${call}`, { token, server, body, timeoutMs: CALL_MS });
    const value = read(reply.body);
    if (value === null) throw new NotOurs(reply.status, server);
    return value;
  }

  function handIn() {
    set({ handingIn: true, handInProblem: null });
    sync.handIn();
  }

  const canWrite = () =>
    state.paper !== null && state.clock?.state === 'running' && !state.handingIn && !state.onLeave;

  return {
    timer,
    state: () => state,
    begin,
    clockSaid,
    /** @param {number} item */
    view: (item) => outbox.view(item),

    /** What was typed goes on to the disk; nothing is sent any more. */
    stop() {
      stopped = true;
      sync.stop();
      countdown.stop();
      listening.close();
    },

    async confirm() {
      const who = { ...state.grant.who, confirmed: true };
      set({ grant: { ...state.grant, who } });
      await outbox.mark({ who });
    },

    /**
     * @param {number} item
     * @param {any} value
     * @param {'choice' | 'typing'} how
     */
    answer(item, value, how) {
      if (!canWrite()) return;
      const send = how === 'choice' ? sync.choice : sync.typing;
      watch(outbox.edit(item, value).then(send));
    },

    /** @param {number} position */
    goTo(position) {
      if (!state.paper || position < 1 || position > state.paper.items.length) return;
      set({ position });
      watch(outbox.note({ position }).then(sync.typing));
    },

    /** @param {number} item */
    toggleMark(item) {
      const had = state.marked.includes(item);
      const marked = had ? state.marked.filter((other) => other !== item) : [...state.marked, item];
      set({ marked });
      watch(outbox.note({ marked }).then(sync.typing));
    },

    async handIn() {
      await outbox.written();
      await outbox.mark({ hand_in_asked: true });
      handIn();
    },

    painted: opening.painted,
    /** These notices are on the screen. @param {number[]} ids */
    noticesShown: (ids) => notices.shown(ids, reopening.watching()),
    /** @param {number} id */
    dismiss: (id) => notices.dismiss(id),

    /** Where the end comes from, in the service's words: asked for when the candidate wants to know. */
    async explain() {
      try {
        const explained = await insist(() => ask('GET', 'time', timeReply), wanted);
        if (explained) set({ explained });
      } catch (error) {
        if (!(error instanceof Refused)) throw error; // the clock's own summands are shown
      }
    },

    /** A receipt that was there before this page: nothing to send, but it may not be the last word. */
    lookWhetherItIs,

    leaving: () => sync.leaving(),
    /** The page is looked at again, or the network is back. */
    awake() {
      sync.ask();
      listening.retryNow();
    },
    online() {
      sync.online();
      listening.retryNow(ONLINE_SPREAD_MS);
    },
  };
}

/** @typedef {ReturnType<typeof createWork>} Work */

/** @param {any} reply */
function whoOf({ candidate, exam, session, seat }) {
  const said = { candidate, exam, session, seat };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
