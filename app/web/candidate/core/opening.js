/**
 * The paper comes to the page: it is fetched when the session has started, and its first paint is told, which is where the
 * gap of a move ends.
 *
 * @typedef {import('./paper.js').Paper} Paper
 * @typedef {import('./reply.js').ClockMessage} ClockMessage
 * @typedef {<T>(method: 'GET' | 'POST', call: string, read: (body: any) => T | null, body?: unknown) => Promise<T>} Ask
 */
import { Refused } from '../../shared/api.js';
import { readPaper } from './paper.js';
import { clockMessage } from './reply.js';

/** All papers are asked for in the second in which the session starts. */
const PAPER_SPREAD_MS = 500;

/**
 * @param {{
 *   ask: Ask, insist: import('./insist.js').Insist['insist'], pause: (ms: number) => Promise<void>,
 *   random: {unit: () => number}, wanted: () => boolean, mayLoad: () => boolean, onPaper: (paper: Paper) => void,
 *   onReady: (ready: {clock: ClockMessage, gapMs: number}) => void,
 * }} ports
 */
export function createOpening({ ask, insist, pause, random, wanted, mayLoad, onPaper, onReady }) {
  let underWay = false;
  let readySaid = false;
  let refused = false;
  /** The clock was heard to run while the paper was being asked for: what was answered then may be about before. */
  let ranMeanwhile = false;

  async function once() {
    try {
      await pause(random.unit() * PAPER_SPREAD_MS);
      const paper = await insist(() => ask('GET', 'paper', readPaper), wanted);
      refused = false;
      if (paper) onPaper(paper);
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // not started yet, or over: the next clock message decides
      refused = true;
    }
  }

  return {
    /**
     * Asked for once while the attempt is paused: who has been paused since before the start gets it when it runs.
     *
     * @param {boolean} running
     */
    async load(running) {
      if (underWay) {
        ranMeanwhile = ranMeanwhile || running;
        return;
      }
      if (!mayLoad() || (refused && !running)) return;
      underWay = true;
      try {
        do {
          ranMeanwhile = false;
          await once();
        } while (refused && ranMeanwhile && wanted() && mayLoad());
      } finally {
        underWay = false;
      }
    },

    /** The paper is on the screen for the first time: a gap that was open ends here. */
    async painted() {
      if (readySaid) return;
      readySaid = true;
      try {
        const ready = await insist(() => ask('POST', 'ready', readReady, {}), wanted);
        if (ready) onReady(ready);
      } catch (error) {
        if (!(error instanceof Refused)) throw error; // the checkpoints hear what it was
      }
    },
  };
}

/** The reply of `POST /attempt/ready`. @param {any} body */
function readReady(body) {
  const clock = clockMessage(body.clock);
  return clock && { clock, gapMs: Number(body.gap_ms ?? 0) };
}
