/**
 * The photos of a room's candidates, each fetched once while the room is open. No DOM; a picture is an address of bytes
 * in this page's memory.
 *
 * @typedef {{state: 'waits' | 'ready' | 'none', url: string | null}} Face `none`: there is no photo, or none can be had
 */
import { signal } from '../../shared/ui.js';

/**
 * @param {{
 *   file: (path: string) => Promise<Blob>, url: {make: (body: Blob) => string, forget: (url: string) => void},
 * }} ports
 */
export function createFaces({ file, url }) {
  /** @type {Map<string, {value: Face}>} */
  const known = new Map();
  let round = 0;

  /** @param {string} path @param {{value: Face}} face */
  async function load(path, face) {
    const mine = round;
    try {
      const body = await file(path);
      if (mine === round) face.value = body.size > 0 ? { state: 'ready', url: url.make(body) } : { state: 'none', url: null };
    } catch {
      // No right to it, or no service: the door goes on by name and document, and the next look asks again.
      if (mine === round) face.value = { state: 'none', url: null };
    }
  }

  return {
    /** @param {number} session @param {string} ticket */
    of(session, ticket) {
      const path = `/candidates/${encodeURIComponent(ticket)}/photo?session=${session}`;
      const face = known.get(path) ?? signal(/** @type {Face} */ ({ state: 'none', url: null }));
      known.set(path, face);
      return {
        face,
        look() {
          if (face.value.state !== 'none') return;
          face.value = { ...face.value, state: 'waits' };
          void load(path, face);
        },
      };
    },

    /** Another room, or nobody any more: nothing of them stays in the page. */
    reset() {
      round += 1;
      for (const { value } of known.values()) if (value.url) url.forget(value.url);
      known.clear();
    },
  };
}

/** @typedef {ReturnType<typeof createFaces>} Faces */
