/** Looking again every few seconds while a page is on the screen; nothing is pushed to it. */

const EVERY_MS = 8000;

/**
 * @param {{timers: import('../../shared/api.js').Timers, random: {unit: () => number}, load: () => Promise<void>}} ports
 */
export function createLook({ timers, random, load }) {
  /** @type {any} */
  let timer = null;

  function keep() {
    timers.clearTimeout(timer);
    timer = timers.setTimeout(async () => {
      const mine = timer;
      await load();
      if (timer === mine) keep();
    }, EVERY_MS * (0.75 + random.unit() / 2));
  }

  return {
    start() {
      void load();
      keep();
    },

    stop() {
      timers.clearTimeout(timer);
      timer = null;
    },
  };
}

/**
 * Files first, each under its own key; the ids by which a record attaches them, or null when one was not taken.
 *
 * @param {(at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>} send
 * @param {string} at name of the click
 * @param {number} session
 * @param {readonly {name: string, body: Blob}[]} files
 * @returns {Promise<number[] | null>}
 */
export async function keepFiles(send, at, session, files) {
  const ids = [];
  for (const { name, body } of files) {
    const reply = await send(at, `/evidence?session=${session}&name=${encodeURIComponent(name)}`, body);
    if (!('body' in reply)) return null;
    ids.push(reply.body.evidence.id);
  }
  return ids;
}
