/**
 * The room as it is now: one stream of pictures, reopened for ever, and an honest word about how fresh it is.
 *
 * @typedef {import('../../shared/api.js').Timers} Timers
 * @typedef {import('./room.js').Picture} Picture
 */
import { followEvents } from '../../shared/sse.js';

/**
 * @param {{
 *   fetch: typeof globalThis.fetch, timers: Timers, random: {unit: () => number}, clock: {now: () => number},
 *   token: () => string | null, language: () => string,
 *   onPicture: (picture: Picture, at: number) => void,
 *   onAway: () => void, onRefused: (status: number | null, code: string | null) => void,
 * }} ports `onAway`: the service answers but cannot read the room; `onRefused`: the stream will not come back
 */
export function createLive({ fetch, timers, random, clock, token, language, onPicture, onAway, onRefused }) {
  /** @type {{close: () => void, retryNow: () => void} | null} */
  let stream = null;

  const stop = () => {
    stream?.close();
    stream = null;
  };

  /**
   * @param {number} roomId
   * @param {number} sessionId
   */
  const watch = (roomId, sessionId) => {
    stop();
    const mine = followEvents({
      fetch,
      timers,
      random,
      // The service sends something every 5 s; three times that without a word is a dead path.
      idleMs: 15_000,
      url: () => `/api/v1/staff/rooms/${roomId}/events?session=${sessionId}`,
      headers: () => ({ Authorization: `Bearer ${token()}`, 'Accept-Language': language() }),
      onEvent({ event, data }) {
        if (stream !== mine) return;
        if (event === 'room') onPicture(data, clock.now());
        else if (event === 'away') onAway();
        else if (event === 'closed') {
          stop();
          onRefused(null, data.code);
        }
      },
      onDown({ status }) {
        if (status !== 401 && status !== 403 && status !== 404) return true;
        if (stream === mine) onRefused(status, null);
        return false;
      },
    });
    stream = mine;
  };

  return { watch, stop, retryNow: () => stream?.retryNow() };
}
