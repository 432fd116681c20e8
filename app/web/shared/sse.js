/**
 * Server-sent events read with fetch: `EventSource` cannot send the token, and no token goes into a URL.
 *
 * @typedef {{event: string, data: any, id: string}} StreamEvent `data` is parsed JSON
 * @typedef {import('./api.js').Timers} Timers
 */
import { askedMs } from './api.js';
import { fullJitter } from './backoff.js';

/**
 * The grammar of the stream (WHATWG HTML, 9.2.6), fed in any slices. Lines end in LF, CR or CRLF.
 *
 * @param {(event: {event: string, data: string, id: string}) => void} emit
 * @returns {(text: string) => void}
 */
export function createParser(emit) {
  let rest = '';
  let event = '';
  let id = '';
  /** @type {string[]} */
  let data = [];
  let afterCr = false;

  /** @param {string} line */
  const take = (line) => {
    if (line === '') {
      if (data.length > 0) emit({ event: event || 'message', data: data.join('\n'), id });
      event = '';
      data = [];
      return;
    }
    if (line.startsWith(':')) return;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') event = value;
    else if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  };

  return (text) => {
    if (afterCr && text.startsWith('\n')) text = text.slice(1);
    afterCr = text === '' ? afterCr : text.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\r|\n/);
    rest = /** @type {string} */ (lines.pop());
    lines.forEach(take);
  };
}

/**
 * Keeps one stream open: reopens it after every end with full jitter, drops it when nothing came for `idleMs` (the
 * service sends a comment every 15 s, so silence is a dead path), and starts counting failures anew after the first
 * event, not after the connect. Retry-After is never undercut.
 *
 * The event `reconnect {within_ms}` is for this module: the service is about to close the stream and says over how long
 * its pages shall come back. Such an end is no failure.
 *
 * @param {{
 *   fetch: typeof globalThis.fetch,
 *   timers: Timers,
 *   random: {unit: () => number},
 *   url: () => string,
 *   headers?: () => Record<string, string>,
 *   onEvent: (event: StreamEvent) => void,
 *   onOpen?: () => void,
 *   onDown?: (reason: {status: number | null}) => void | boolean,
 *   idleMs?: number,
 *   curve?: import('./backoff.js').Curve,
 * }} options `onDown` may return false to stay closed (the token is refused); `status` is null when nothing answered
 * @returns {{close: () => void, retryNow: (spreadMs?: number) => void}}
 */
export function followEvents(options) {
  const { fetch, timers, random, onEvent, idleMs = 40000, curve = { base: 500, cap: 10000 } } = options;
  let closed = false;
  let failures = 0;
  /** How long the pages of a process that ends may take to come back. @type {number | null} */
  let withinMs = null;
  /** @type {AbortController | null} */
  let abort = null;
  /** @type {any} */
  let idleTimer = null;
  /** @type {any} */
  let retryTimer = null;

  const awake = () => {
    timers.clearTimeout(idleTimer);
    idleTimer = timers.setTimeout(() => abort?.abort(), idleMs);
  };

  const parser = () =>
    createParser(({ event, data, id }) => {
      let value;
      try {
        value = JSON.parse(data);
      } catch {
        return; // an event we cannot read tells nothing; the next snapshot tells everything
      }
      failures = 0;
      if (event === 'reconnect') withinMs = Number.isFinite(value?.within_ms) ? Math.max(0, value.within_ms) : null;
      else onEvent({ event, data: value, id });
    });

  /** @param {number} ms */
  const again = (ms) => {
    timers.clearTimeout(retryTimer);
    retryTimer = timers.setTimeout(run, Math.round(ms));
  };

  async function run() {
    retryTimer = null;
    abort = new AbortController();
    /** @type {number | null} */
    let status = null;
    /** @type {number | null} */
    let asked = null;
    withinMs = null;
    awake();
    try {
      const response = await fetch(options.url(), {
        headers: { Accept: 'text/event-stream', ...(options.headers?.() ?? {}) },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal: abort.signal,
      });
      status = response.status;
      asked = askedMs(response.headers.get('Retry-After'));
      if (response.ok && response.body) {
        options.onOpen?.();
        const reader = response.body.getReader();
        const decoder = new TextDecoder();
        const feed = parser();
        for (;;) {
          const { done, value } = await reader.read();
          if (done) break;
          awake();
          feed(decoder.decode(value, { stream: true }));
        }
      }
    } catch {
      // The end of a stream is ordinary life: which end it was is in `status`, and the answer to each is to reopen.
    }
    timers.clearTimeout(idleTimer);
    if (closed) return;
    if (withinMs === null) failures += 1;
    if (options.onDown?.({ status }) === false) {
      closed = true;
      return;
    }
    const wait = withinMs === null ? fullJitter(failures, curve, random.unit, asked) : random.unit() * withinMs;
    again(wait);
  }

  run();
  return {
    close() {
      closed = true;
      timers.clearTimeout(idleTimer);
      timers.clearTimeout(retryTimer);
      abort?.abort();
    },
    /**
     * After `online`: do not sit out a wait that was meant for a dead network.
     *
     * @param {number} [spreadMs] over how long the pages that heard the same may come
     */
    retryNow(spreadMs = 0) {
      if (closed || retryTimer === null) return;
      failures = 0;
      again(random.unit() * spreadMs);
    },
  };
}
