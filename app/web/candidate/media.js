/**
 * The paper's pictures: fetched with the token (an `<img src>` cannot send one), kept in memory for as long as the
 * paper is, so that a picture once seen stays when the server is away.
 *
 * @typedef {{state: 'loading' | 'failed' | 'ready', url: string | null}} Picture
 */
import { ApiError, Refused } from '../shared/api.js';
import { fullJitter } from '../shared/backoff.js';
import { signal } from '../shared/ui.js';

const RETRY = Object.freeze({ base: 1500, cap: 15000 });

/**
 * @param {{
 *   api: import('../shared/api.js').Api, token: () => string | null, server: () => string,
 *   random: {unit: () => number}, timers: import('../shared/api.js').Timers,
 * }} ports
 */
export function createMedia({ api, token, server, random, timers }) {
  /** @type {Map<string, {value: Picture}>} */
  const pictures = new Map();
  let round = 0;

  /** @param {string} address @param {{value: Picture}} picture @param {number} mine */
  async function load(address, picture, mine) {
    for (let tries = 1; mine === round; tries += 1) {
      try {
        const blob = await api.blob(address, { token: token(), server: server(), timeoutMs: 15000 });
        if (mine === round) picture.value = { state: 'ready', url: URL.createObjectURL(blob) };
        return;
      } catch (error) {
        if (mine !== round) return;
        picture.value = { state: 'failed', url: null };
        // It will not come: the paper is closed or has none. "Too many at once" is not that answer.
        if (error instanceof Refused && error.status < 500 && error.status !== 429) return;
        const wait = fullJitter(tries, RETRY, random.unit, error instanceof ApiError ? error.retryAfterMs : null);
        await new Promise((/** @type {(value?: any) => void} */ resolve) => void timers.setTimeout(resolve, wait));
      }
    }
  }

  /** @param {string} address */
  const picture = (address) => {
    const known = pictures.get(address);
    if (known) return known;
    const made = signal(/** @type {Picture} */ ({ state: 'loading', url: null }));
    pictures.set(address, made);
    void load(address, made, round);
    return made;
  };

  return {
    picture,
    /**
     * The photo of whoever has just signed in; nothing of it outlives the page that shows it. Without a photo, or while
     * the record is away, there is none: the page goes on by name and document.
     *
     * @param {(url: string | null) => void} onFace null: there is no photo
     * @returns {() => void} ends it
     */
    face(onFace) {
      let over = false;
      /** @type {string | null} */
      let url = null;
      api.blob('/api/v1/attempt/photo', { token: token(), server: server(), timeoutMs: 8000 }).then(
        (blob) => {
          if (over) return;
          url = blob.size > 0 ? URL.createObjectURL(blob) : null;
          onFace(url);
        },
        () => {
          // The record is away, or the network is: the page says nothing of a picture that nobody needs to go on.
        },
      );
      return () => {
        over = true;
        if (url) URL.revokeObjectURL(url);
      };
    },
    /** All of them, before they are needed (the browser opens few connections at a time). @param {string[]} addresses */
    prefetch(addresses) {
      for (const address of addresses) picture(address);
    },
    /** Nothing of a paper outlives it. */
    forget() {
      round += 1;
      for (const { value } of pictures.values()) if (value.url) URL.revokeObjectURL(value.url);
      pictures.clear();
    },
  };
}

/** @typedef {ReturnType<typeof createMedia>} Media */
