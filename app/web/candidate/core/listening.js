/**
 * The event stream of one grant, and what each event makes the page do. Nothing rests on an event: it may be lost, it may
 * be older than the last reply, and a whole hall hears some of them in one instant.
 */
import { followEvents } from '../../shared/sse.js';
import { clockMessage, noticesIn, settledEvent, standingOf } from './reply.js';

/** A stream ends for a whole hall in one instant, and opening one costs the service a resume. */
const STREAM_CURVE = Object.freeze({ base: 5000, cap: 20000 });
/** A clock was moved for everybody: the pages ask for their own within this. */
const CLOCK_SPREAD_MS = 2000;
/** As far apart as two processes of the service have read the time, on an ordinary day. */
const DOUBT_MS = 1000;
/** Events that carry the page's own clock: it is applied, nothing is asked. */
const CLOCK_EVENTS = new Set(['clock', 'paused', 'resumed']);

/**
 * @typedef {{lineage: string, count: number | null, items?: import('./state.js').ItemAck[]}} Standing
 * @param {{
 *   fetch: typeof globalThis.fetch, timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   epoch: number, url: () => string, headers: () => Record<string, string>, pause: (ms: number) => Promise<void>,
 *   ask: (event?: string) => void, watch: (promise: Promise<unknown>) => void,
 *   onClock: (message: import('./reply.js').ClockMessage, news: boolean) => void,
 *   onNotices: (notices: import('./reply.js').Notice[]) => void,
 *   onStanding: (told: Standing) => Promise<void>, onSettled: (told: Standing) => void, onAdopted: () => void,
 * }} ports `ask`: hear it from the service; `onClock`'s `news`: it was pushed because something was decided;
 *   `onStanding`: which record it is, how much it holds, and what was settled
 */
export function createListening(ports) {
  const { fetch, timers, random, epoch, url, headers, pause, ask, watch } = ports;
  /** @type {ReturnType<typeof followEvents> | null} */
  let events = null;
  let askingSoon = false;

  /** @param {number} [atLeastMs] */
  async function askSoon(atLeastMs = 0) {
    if (askingSoon) return;
    askingSoon = true;
    await pause(atLeastMs + random.unit() * CLOCK_SPREAD_MS);
    askingSoon = false;
    if (events) ask();
  }

  /** @param {string} event @param {any} data */
  function heard(event, data) {
    const clock = clockMessage(data?.clock ?? data);
    const notices = noticesIn([data?.notice ?? data]);
    if (notices.length) ports.onNotices(notices); // first: what they explain is not told a second time
    if (clock) ports.onClock(clock, CLOCK_EVENTS.has(event));
    if (event === 'snapshot' || event === 'settled') {
      const told = event === 'snapshot' ? standingOf(data) : settledEvent(data, epoch);
      if (told && event === 'settled') ports.onSettled(told);
      if (told) watch(ports.onStanding(told));
      return;
    }
    if (event === 'notice') return;
    if (CLOCK_EVENTS.has(event) && clock) return;
    if (event === 'clock') return watch(askSoon());
    if (event === 'adopted') ports.onAdopted();
    ask(event); // a push only makes the page ask: what is true comes with the reply
  }

  const close = () => {
    events?.close();
    events = null;
  };

  return {
    close,
    /** Two words contradict each other: the next one comes from later than both, and not for the whole hall at once. */
    askWhichHolds: () => watch(askSoon(DOUBT_MS)),
    /** Opens the stream, in place of one that was open. */
    follow() {
      close();
      events = followEvents({
        fetch,
        timers,
        random,
        url,
        headers,
        curve: STREAM_CURVE,
        onEvent: ({ event, data }) => heard(event, data),
        onDown: ({ status }) => {
          if (status !== 401 && status !== 409) return true;
          ask();
          return false;
        },
      });
    },
    /** @param {number} [spreadMs] */
    retryNow: (spreadMs) => events?.retryNow(spreadMs),
  };
}

/** @typedef {ReturnType<typeof createListening>} Listening */
