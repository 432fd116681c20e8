/**
 * The attempt as the service holds it, read again when something else than this page may have written: the office adopted
 * an answer, ended the attempt, or opened it again.
 */
import { Refused } from '../../shared/api.js';
import { createAccount } from './account.js';

/** A whole hall may find out in one second that it should read. */
const READ_SPREAD_MS = 5000;

/**
 * @param {{
 *   grant: import('./grant.js').Grant, session: import('./session.js').Session,
 *   outbox: import('./outbox.js').Outbox, insist: import('./insist.js').Insist['insist'],
 *   pause: (ms: number) => Promise<void>, random: {unit: () => number}, wanted: () => boolean,
 *   watch: (promise: Promise<unknown>) => void,
 * }} ports
 */
export function createReading({ grant, session, outbox, insist, pause, random, wanted, watch }) {
  const account = createAccount();
  /** @type {Promise<import('./reply.js').AttemptReply | null> | null} */
  let underWay = null;

  /** Asks until it is answered; who asks while it is being asked waits for the same answer. Null: not wanted any more. */
  function attempt() {
    if (!underWay) {
      underWay = insist(() => session.read(grant), wanted).finally(() => {
        underWay = null;
      });
    }
    return underWay;
  }

  /** The page must not go on showing a value that the record does not hold. */
  async function again() {
    try {
      const reply = await insist(() => session.read(grant), wanted);
      if (!reply) return;
      account.met(reply.count);
      await outbox.absorb(reply);
    } catch (error) {
      if (!(error instanceof Refused)) throw error; // the checkpoints hear what it was
    }
  }

  async function soon() {
    await pause(random.unit() * READ_SPREAD_MS);
    const stored = wanted() ? await outbox.grant() : null;
    if (stored && !stored.receipt) await again();
  }

  return {
    attempt,
    again: () => watch(again()),
    /** What was just read whole, or told together with what it came from. @param {number | null} count */
    met: account.met,
    /**
     * A reply tells how much the record holds; more than this page can account for is read, by chance some time later.
     *
     * @param {number | null} count
     * @param {number} own how many revisions the reply speaks of
     */
    told(count, own) {
      if (account.more(count, own)) watch(soon());
    },
  };
}

/** @typedef {ReturnType<typeof createReading>} Reading */
