/**
 * How a grant ends on this page: the time is up, it was closed elsewhere, or the hand-in brought its receipt. Answers
 * leave this browser only here, with the receipt in hand and nothing left to hand over.
 *
 * @typedef {import('./grant.js').Grant} Grant
 */
import { Refused } from '../../shared/api.js';
import { fullJitter } from '../../shared/backoff.js';
import { isOver } from './reply.js';

/** The time is up for everybody in one instant; receipts are asked for spread over this. */
const TIME_UP_SPREAD_MS = 8000;
const RECEIPT_CURVE = Object.freeze({ base: 1000, cap: 10000 });

/**
 * @param {{
 *   outbox: import('./outbox.js').Outbox, random: {unit: () => number},
 *   sync: () => import('./sync.js').Sync, read: () => Promise<import('./reply.js').AttemptReply | null>,
 *   pause: (ms: number) => Promise<void>, wanted: () => boolean, clockState: () => string | null,
 *   grant: () => Grant, onGrant: (grant: Grant) => void, onOver: (mayReopen: boolean) => void,
 *   lookAgain: () => void,
 * }} ports `read` asks until it is answered; `onOver`: nothing of the running exam is needed any more, unless the office
 *   opens it again, which it cannot for this device when another one has taken over; `lookAgain`: it seems to have been
 */
export function createEnding(ports) {
  const { outbox, random, sync, read, pause, wanted, clockState, grant, onGrant, onOver, lookAgain } = ports;
  let timeUpSeen = false;
  let reading = false;

  /** With the receipt in hand and nothing left to hand over, this browser lets go of the answers. */
  async function letGo() {
    const stored = await outbox.grant();
    if (!stored?.receipt || stored.state === 'final' || outbox.hasUnsettled()) return;
    sync().stop();
    onOver(true);
    await outbox.mark({ state: 'final' });
    await outbox.purge();
  }

  /** @param {any} receipt */
  async function finish(receipt) {
    if (grant().receipt) return;
    const kept = { reason: timeUpSeen ? 'time_out' : 'hand_in', ...receipt };
    onGrant({ ...grant(), receipt: kept });
    await outbox.mark({ receipt: kept });
    onOver(true);
    await letGo();
  }

  return {
    letGo,
    finish,

    /** The service said what the clock does. @param {string} state */
    async clockSaid(state) {
      if (timeUpSeen && !isOver(state)) {
        timeUpSeen = false; // extended, or opened again
        sync().timeGoesOn();
      }
      if (state !== 'ended' || timeUpSeen) return;
      timeUpSeen = true;
      sync().ask(); // what is left goes out now; the receipt is asked for a little later
      await pause(random.unit() * TIME_UP_SPREAD_MS);
      await outbox.written();
      if (wanted() && clockState() === 'ended' && !grant().receipt) sync().handIn({ timeUp: true });
    },

    /** Superseded, closed or signed out: what the outbox has written about it decides the screen. */
    async over() {
      const stored = await outbox.grant();
      onOver(stored?.state === 'closed');
      if (stored) onGrant({ ...stored, who: grant().who, receipt: grant().receipt ?? stored.receipt });
    },

    /** Closed without a word about the receipt: it is asked for until it is there. */
    async readReceipt() {
      if (reading) return;
      reading = true;
      try {
        for (let tries = 1; wanted() && !grant().receipt; tries += 1) {
          const reply = await read();
          if (reply?.receipt) return await finish(reply.receipt);
          if (reply && !isOver(reply.clock.state)) return lookAgain();
          await pause(fullJitter(tries, RECEIPT_CURVE, random.unit, 1000));
        }
      } catch (error) {
        if (!(error instanceof Refused)) throw error; // no receipt for this grant: the screen says closed
      } finally {
        reading = false;
      }
    },
  };
}
