/**
 * An attempt that is over may be opened again by the office: an extension after the time was up, a paper that was handed
 * in by mistake. Its page comes back by itself, from the receipt as well: the grant it has goes on. It hears of it by the
 * stream, or finds it out by a slow look; what is true is read from the service in either case.
 *
 * @typedef {import('./reply.js').ClockMessage} ClockMessage
 */
import { Refused } from '../../shared/api.js';
import { isOver } from './reply.js';

/** How often a page that is over looks by itself. */
export const LOOK_MS = 60000;
/** A room is opened again for everybody in one instant. */
const WORD_SPREAD_MS = 600;

/**
 * @param {{
 *   read: () => Promise<import('./reply.js').AttemptReply | null>, pause: (ms: number) => Promise<void>,
 *   random: {unit: () => number}, watch: (promise: Promise<unknown>) => void, wanted: () => boolean,
 *   onOpen: (clock: ClockMessage) => Promise<void>,
 * }} ports `read` asks until it is answered (null: not wanted any more), or throws what the service refused
 */
export function createReopening({ read, pause, random, watch, wanted, onOpen }) {
  let watching = false;
  let looking = false;

  async function look() {
    if (looking || !watching) return;
    looking = true;
    try {
      const reply = await read();
      if (!reply || !wanted() || isOver(reply.clock.state)) return;
      watching = false;
      await onOpen(reply.clock);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      watching = false; // opened at another seat, or this grant means nothing any more: the page stays what it is
    } finally {
      looking = false;
    }
  }

  async function keepLooking() {
    while (watching && wanted()) {
      await pause(LOOK_MS * (0.75 + 0.5 * random.unit()));
      if (wanted()) await look();
    }
  }

  return {
    watching: () => watching,
    /** From now on the page is over, and looks whether it still is. */
    watch() {
      if (watching) return;
      watching = true;
      watch(keepLooking());
    },
    /** Something was said that an attempt that is over would not be told. */
    async heard() {
      await pause(random.unit() * WORD_SPREAD_MS);
      if (wanted()) await look();
    },
  };
}

/** @typedef {ReturnType<typeof createReopening>} Reopening */
