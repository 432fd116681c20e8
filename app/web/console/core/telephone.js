/**
 * 电话代办: a room's tablet is broken and somebody of it telephones; whatever the office does until the call ends, it does
 * on that person's word. One name, said once; it ends with the call, or with the room. No DOM.
 *
 * @typedef {{at: string, at_ms: number, action: string, zh: string, en: string, by: string, told_by: string, ticket: string | null}} Done
 */
import { signal } from '../../shared/ui.js';

/**
 * @param {{
 *   get: (path: string) => Promise<any>, loginEnded: (error: unknown) => boolean, toldBy: {value: string},
 *   room: {value: number | null}, session: {value: number | null},
 * }} ports `toldBy`: part of every change while it is not empty
 */
export function createTelephone({ get, loginEnded, toldBy, room, session }) {
  /** The form in which the caller's name is typed. */
  const asking = signal(false);
  const done = signal(/** @type {Done[] | {error: unknown} | null} */ (null));

  return {
    asking, done, toldBy,

    ask() {
      asking.value = true;
    },

    /** @param {string} name */
    begin(name) {
      if (name.trim() === '') return;
      toldBy.value = name.trim();
      asking.value = false;
    },

    end() {
      toldBy.value = '';
      asking.value = false;
    },

    /** What was done for this room by telephone. */
    async load() {
      const [of, at] = [room.value, session.value];
      if (of === null || at === null) return;
      try {
        const { entries } = await get(`/rooms/${of}/told-by?session=${at}`);
        if (room.value === of && session.value === at) done.value = entries;
      } catch (error) {
        if (!loginEnded(error)) done.value = { error };
      }
    },

    reset() {
      asking.value = false;
      done.value = null;
    },
  };
}

/** @typedef {ReturnType<typeof createTelephone>} Telephone */
