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
 *   handingIn: boolean, handInProblem: Refused | null, gapMs: number, notices: any[], changedByMs: number,
 *   said: {n: number, minutes: number} | null,
 * }} WorkState `version` grows with every change of an answer; `said.minutes` is to be spoken when `said.n` changes
 */
import { NotOurs, Refused } from '../../shared/api.js';
import { createAccount } from './account.js';
import { createCountdown } from './countdown.js';
import { createEnding } from './ending.js';
import { createListening } from './listening.js';
import { createOutbox } from './outbox.js';
import { ONLINE_SPREAD_MS } from './pace.js';
import { readPaper } from './paper.js';
import { clockMessage } from './reply.js';
import { saveWord, tally } from './state.js';
import { createSync } from './sync.js';
import { createExamTimer } from './timer.js';

/** All papers are asked for in the second in which the session starts. */
const PAPER_SPREAD_MS = 500;
const READ_SPREAD_MS = 5000;
/** A change of the remaining time worth telling. */
const CHANGE_MS = 5000;
const NOTICES = 5;
const CALL_MS = 10000;

/**
 * @param {{
 *   grant: Grant, store: import('./store-memory.js').Store, fetch: typeof globalThis.fetch,
 *   clock: {now: () => number}, timers: import('../../shared/api.js').Timers,
 *   random: import('../../shared/random.js').Random, language: () => string,
 *   api: import('../../shared/api.js').Api, ring: import('../../shared/api.js').ServerRing,
 *   session: import('./session.js').Session, connection: import('./connection.js').Connection,
 *   insist: import('./insist.js').Insist, holder: string, onChange: () => void, onLeaseLost: () => void,
 *   onMerged: () => void, onFault: (error: unknown) => void,
 * }} ports
 */
export function createWork(ports) {
  const { store, clock, timers, random, language, api, ring, session, connection, holder, onFault } = ports;
  const { insist, pause } = ports.insist;
  const { attempt, epoch, token } = ports.grant;

  const timer = createExamTimer({ clock });
  const countdown = createCountdown({
    timer,
    clock,
    timers,
    onAsk: () => sync.ask(),
    onSpoken: (minutes) => set({ said: { n: (state.said?.n ?? 0) + 1, minutes } }),
  });
  const account = createAccount();
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
      onLeaseLost: ports.onLeaseLost,
      onRest: () => watch(ending.letGo()),
      onFault,
    },
  });
  let stopped = false;
  let paperUnderWay = false;
  let readySaid = false;
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
    said: null,
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
  const ending = createEnding({
    outbox,
    random,
    sync: () => sync,
    read: () => insist(() => session.read(ports.grant), wanted),
    pause,
    wanted,
    clockState: timer.state,
    grant: () => state.grant,
    onGrant: (grant) => set({ grant, handingIn: false, ...(grant.receipt ? { paper: null } : {}) }),
    onOver() {
      listening.close();
      countdown.stop();
      countdown.working(false);
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
    ask: () => sync.ask(),
    watch,
    onClock: clockSaid,
    onNotice: (notice) => noticed([notice]),
    onStanding: async (told) => {
      if (await outbox.hear(told)) sync.ask();
    },
    onSettled: (told) => account.met(told.count),
    onAdopted: () => watch(readAgain()),
  });

  function answersChanged() {
    const count = tally(outbox.views());
    set({ tally: count, word: saveWord(count), version: state.version + 1 });
  }

  // --- beginning

  /** What the service holds meets what this browser holds; from there on the page works. */
  async function begin() {
    await outbox.load();
    if (ports.grant.state !== 'live') return sync.start(); // only what is left is handed over
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
    account.met(reply.count);
    await outbox.adoptOlder(reply.lineage, reply.responses);
    const grant = await outbox.grant();
    if (!grant || stopped) return;
    countdown.workedBefore(grant.registers.elapsed_ms);
    const who = { ...grant.who, ...whoOf(reply) };
    const { position, marked } = grant.registers;
    set({ grant: { ...grant, who }, merged: true, position, marked });
    clockSaid(reply.clock);
    if (reply.receipt) return ending.finish(reply.receipt);
    sync.start();
    listening.follow();
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

  /** The office changed what counts: the page must not go on showing a value that the record does not hold. */
  async function readAgain() {
    try {
      const reply = await insist(() => session.read(ports.grant), wanted);
      if (!reply) return;
      account.met(reply.count);
      await outbox.absorb(reply);
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the checkpoints hear what it was
    }
  }

  /** As `readAgain`, found out by oneself: not by a whole hall in one second. */
  async function readSoon() {
    await pause(random.unit() * READ_SPREAD_MS);
    if (!stopped && !state.grant.receipt) await readAgain();
  }

  // --- replies

  /** @param {import('./reply.js').CheckpointReply} reply */
  async function replied(reply) {
    clockSaid(reply.clock);
    if (account.more(reply.count, reply.items.length) && !reply.receipt) watch(readSoon());
    noticed(reply.notices);
    if (reply.receipt) await ending.finish(reply.receipt);
    else if (reply.clock.state === 'final') await ending.readReceipt();
  }

  /** @param {any[]} notices */
  function noticed(notices) {
    const known = new Set(state.notices.map((notice) => notice.id));
    const news = notices.filter((notice) => notice && !known.has(notice.id));
    if (news.length) set({ notices: [...state.notices, ...news].slice(-NOTICES) });
  }

  /** @param {ClockMessage} message */
  function clockSaid(message) {
    if (stopped) return;
    const jump = timer.sync(message);
    if (timer.reading()?.message !== message) return; // an older word that was overtaken
    const told = jump !== null && Math.abs(jump) >= CHANGE_MS && state.paper !== null && message.state === 'running';
    set({ clock: message, ...(told ? { changedByMs: jump } : {}) });
    countdown.working(message.state === 'running' && state.paper !== null);
    countdown.tick();
    if (message.state === 'running' || message.state === 'paused') watch(loadPaper());
    watch(ending.clockSaid(message.state));
  }

  /**
   * One call of the attempt whose answer must have a shape: what has another is not the service's.
   *
   * @template T
   * @param {'GET' | 'POST'} method
   * @param {string} call
   * @param {(body: any) => T | null} read
   * @returns {Promise<T>}
   */
  async function ask(method, call, read) {
    const server = ring.current();
    const body = method === 'POST' ? {} : undefined;
    const reply = await api.request(method, `/api/v1/attempt/${call}`, { token, server, body, timeoutMs: CALL_MS });
    const value = read(reply.body);
    if (value === null) throw new NotOurs(reply.status, server);
    return value;
  }

  async function loadPaper() {
    if (paperUnderWay || state.paper || !state.merged) return;
    paperUnderWay = true;
    try {
      await pause(random.unit() * PAPER_SPREAD_MS);
      const paper = await insist(() => ask('GET', 'paper', readPaper), wanted);
      if (!paper) return;
      set({ paper, position: Math.min(Math.max(1, state.position), paper.items.length) });
      countdown.working(state.clock?.state === 'running');
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // not started yet, or over: the next clock message decides
    } finally {
      paperUnderWay = false;
    }
  }

  function handIn() {
    set({ handingIn: true, handInProblem: null });
    sync.handIn();
  }

  const canWrite = () => state.paper !== null && state.clock?.state === 'running' && !state.handingIn;

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

    /** The paper is on the screen for the first time: a gap that was open ends here. */
    async painted() {
      if (readySaid) return;
      readySaid = true;
      try {
        const reply = await insist(() => ask('POST', 'ready', readReady), wanted);
        if (!reply) return;
        clockSaid(reply.clock);
        set({ gapMs: reply.gapMs });
      } catch (error) {
        if (!(error instanceof Refused)) throw error; // the checkpoints hear what it was
      }
    },

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

/** The reply of `POST /attempt/ready`. @param {any} body */
function readReady(body) {
  const clock = clockMessage(body.clock);
  return clock && { clock, gapMs: Number(body.gap_ms ?? 0) };
}

/** @param {any} reply */
function whoOf({ candidate, exam, session, seat }) {
  const said = { candidate, exam, session, seat };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}
