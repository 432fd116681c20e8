/**
 * What candidates say is wrong with questions, as staff write it down. No DOM.
 *
 * @typedef {{
 *   id: number, position: number, text: string, ticket: string, name: string, room: string, seat: string, by: string,
 *   told_by: string, at: string, item: string | null, drawn: number | null, reported: number | null,
 * }} ItemReport `item`, `drawn`, `reported`: for the office only
 */
import { signal } from '../../shared/ui.js';

/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<any>,
 *   loginEnded: (error: unknown) => boolean, by: () => object,
 * }} ports
 */
export function createItemReports({ get, send, loginEnded, by }) {
  const list = signal(/** @type {ItemReport[] | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));

  return {
    list, fault,

    /** @param {number} session */
    async load(session) {
      try {
        list.value = (await get(`/item-reports?session=${session}`)).reports;
        fault.value = null;
      } catch (error) {
        if (!loginEnded(error)) fault.value = error;
      }
    },

    /**
     * @param {string} attempt
     * @param {number} position on the candidate's own paper
     * @param {string} text
     * @returns {Promise<ItemReport | null>}
     */
    async report(attempt, position, text) {
      const reply = await send('item-report', `/attempts/${attempt}/item-reports`, { position, text, ...by() });
      return 'body' in reply ? reply.body.report : null;
    },

    reset() {
      list.value = null;
      fault.value = null;
    },
  };
}

/** @typedef {ReturnType<typeof createItemReports>} ItemReports */
