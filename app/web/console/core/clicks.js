/**
 * One click at a time: which one is under way, and what became of the last that failed. `at` names the click, for
 * telling it beside its button.
 *
 * @typedef {{at: string, error: unknown}} Fault
 */
import { batch, signal } from '../../shared/ui.js';

/**
 * @param {{
 *   act: (path: string, body: unknown, onWaiting: () => void) => Promise<any>, loginEnded: (error: unknown) => boolean,
 * }} ports `act`: repeated under one key until it has an answer
 */
export function createClicks({ act, loginEnded }) {
  /** Name of the action under way, and whether it is being repeated for want of an answer. */
  const busy = signal(/** @type {{at: string, repeating: boolean} | null} */ (null));
  const fault = signal(/** @type {Fault | null} */ (null));

  /**
   * The reply's body, or why there is none; a click while another is under way does nothing.
   *
   * @param {string} at
   * @param {string} path
   * @param {unknown} body
   * @returns {Promise<{body: any} | {error: unknown}>}
   */
  async function send(at, path, body) {
    if (busy.value !== null) return { error: null };
    batch(() => {
      busy.value = { at, repeating: false };
      fault.value = null;
    });
    try {
      const reply = await act(path, body, () => {
        busy.value = { at, repeating: true };
      });
      return { body: reply };
    } catch (error) {
      if (!loginEnded(error)) fault.value = { at, error };
      return { error };
    } finally {
      busy.value = null;
    }
  }

  return {
    busy, fault, send,
    /** Whether it was done. @param {string} at @param {string} path @param {unknown} body */
    change: async (at, path, body) => 'body' in (await send(at, path, body)),
    forgive() {
      fault.value = null;
    },
  };
}
