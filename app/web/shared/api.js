/**
 * One request to the service, and an honest word about how it went.
 *
 * A reply counts only when it is a 2xx *and* its body is a JSON object. A login page of some proxy, a truncated body,
 * an empty 200: none of them is an answer (STYLE 22). Everything else is one of four errors, because the caller must
 * do something different for each:
 *
 * - `Refused`: the service understood and says no; `code` is stable, `text` is for people. 503 comes this way too,
 *   with `retryAfterMs`.
 * - `Unreachable`: nothing answered. Whether the service did the work is unknown.
 * - `TimedOut`: as `Unreachable`, after `timeoutMs`.
 * - `NotOurs`: something answered that is not the service (or a broken one).
 *
 * Each has `retryAfterMs`: how long whoever answered asked to wait (Retry-After), null when nobody did.
 *
 * @typedef {{
 *   setTimeout: (run: () => void, ms: number) => any,
 *   clearTimeout: (handle: any) => void,
 * }} Timers
 * @typedef {{ status: number, body: any, headers: Headers, server: string }} Reply `server` is '' for the page's own
 * @typedef {{
 *   body?: unknown, token?: string | null, timeoutMs?: number, server?: string,
 *   headers?: Record<string, string>, signal?: AbortSignal, keepalive?: boolean,
 * }} RequestOptions
 */

/** How long a file may take to be sent. */
const FILE_MS = 60000;

export class ApiError extends Error {
  /** @param {string} message @param {string} server */
  constructor(message, server) {
    super(message);
    this.name = new.target.name;
    this.server = server;
    /** @type {number | null} */
    this.retryAfterMs = null;
  }
}

export class Refused extends ApiError {
  /**
   * @param {number} status
   * @param {any} problem the RFC 9457 body
   * @param {string} server
   * @param {string | null} retryAfter the header, in seconds
   */
  constructor(status, problem, server, retryAfter) {
    super(`${status} ${problem.code}`, server);
    this.status = status;
    /** @type {string} */
    this.code = problem.code;
    /** @type {Record<string, any>} */
    this.params = { ...problem, ...(problem.params ?? {}) }; // parameters lie beside the standard members (RFC 9457, 3.2)
    this.problem = problem;
    this.retryAfterMs = askedMs(this.params.retry_after ?? retryAfter);
  }

  /** The service's own sentence. @param {string} language */
  text(language) {
    const { detail_zh: zh, detail_en: en, detail, title } = this.problem;
    return (language.startsWith('zh') ? zh : en) ?? detail ?? title ?? this.code;
  }
}

export class Unreachable extends ApiError {}

export class TimedOut extends Unreachable {}

export class NotOurs extends ApiError {
  /** @param {number} status @param {string} server @param {string | null} [retryAfter] the header, in seconds */
  constructor(status, server, retryAfter = null) {
    super(`${status} is not an answer of the service`, server);
    this.status = status;
    this.retryAfterMs = askedMs(retryAfter);
  }
}

/**
 * Retry-After in milliseconds. Its other form, a date, would need the PC's wall clock, which nothing here believes.
 *
 * @param {unknown} seconds
 * @returns {number | null}
 */
export function askedMs(seconds) {
  const asked = seconds === null || seconds === undefined || seconds === '' ? NaN : Number(seconds);
  return Number.isFinite(asked) && asked >= 0 ? asked * 1000 : null;
}

/**
 * @param {{fetch: typeof globalThis.fetch, timers: Timers, language?: () => string, timeoutMs?: number}} ports
 */
export function createApi({ fetch, timers, language = () => 'zh-CN', timeoutMs: usual = 8000 }) {
  /**
   * @param {string} method
   * @param {string} path absolute, e.g. `/api/v1/attempt`
   * @param {RequestOptions} [options]
   * @returns {Promise<Reply>}
   * @throws {ApiError}
   */
  async function request(method, path, options = {}) {
    const { response, text, server } = await exchange(method, path, options, (reply) => reply.text());
    const body = parsed(text);
    if (!response.ok) throw refusal(response, body, server);
    if (body === undefined) throw new NotOurs(response.status, server);
    return { status: response.status, body, headers: response.headers, server };
  }

  /**
   * Bytes, for pictures: fetched with the token, which an `<img src>` could not send.
   *
   * @param {string} path
   * @param {RequestOptions} [options]
   * @returns {Promise<Blob>}
   */
  async function blob(path, options = {}) {
    const { response, text, server } = await exchange('GET', path, options, async (reply) =>
      reply.ok ? reply.blob() : reply.text(),
    );
    if (typeof text === 'string') throw refusal(response, parsed(text), server);
    return text;
  }

  /**
   * @template T
   * @param {string} method
   * @param {string} path
   * @param {RequestOptions} options
   * @param {(response: Response) => Promise<T>} read
   */
  async function exchange(method, path, options, read) {
    const { body, token, timeoutMs = sized(options.body, usual), server = '', headers = {}, signal, keepalive } = options;
    const abort = new AbortController();
    let late = false;
    const stop = () => abort.abort();
    const timer = timers.setTimeout(() => {
      late = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    try {
      const response = await fetch(server + path, {
        method,
        signal: abort.signal,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        keepalive: keepalive ?? false,
        headers: {
          Accept: 'application/json',
          'Accept-Language': language(),
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body === undefined ? {} : { 'Content-Type': body instanceof Blob ? 'application/octet-stream' : 'application/json' }),
          ...headers,
        },
        body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      });
      // The body is read inside the time limit: a reply that stops half way is no reply.
      return { response, text: await read(response), server };
    } catch (error) {
      if (late) throw new TimedOut(`no answer within ${timeoutMs} ms`, server);
      throw new Unreachable(String(/** @type {any} */ (error)?.message ?? error), server);
    } finally {
      timers.clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  return {
    request,
    blob,
    /** @param {string} path @param {RequestOptions} [options] */
    get: (path, options) => request('GET', path, options),
    /** @param {string} path @param {unknown} body @param {RequestOptions} [options] */
    post: (path, body, options) => request('POST', path, { ...options, body }),
  };
}

/** @typedef {ReturnType<typeof createApi>} Api */

/** A photo over a hall's wireless takes longer than a click. @param {unknown} body @param {number} usual */
const sized = (body, usual) => (body instanceof Blob ? Math.max(usual, FILE_MS) : usual);

/**
 * @param {Response} response
 * @param {any} body
 * @param {string} server
 */
function refusal(response, body, server) {
  const retryAfter = response.headers.get('Retry-After');
  if (body && typeof body.code === 'string') return new Refused(response.status, body, server, retryAfter);
  return new NotOurs(response.status, server, retryAfter);
}

/**
 * @param {string} text
 * @returns {any} the object, or undefined when it is not one
 */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    return undefined; // not JSON is what the caller asks about: it becomes NotOurs, never an acknowledgement
  }
}

/**
 * The order in which servers are asked: stay with the one that answered last, move on after a failure, and know when
 * the round is complete, so that nobody waits before every server has been asked once.
 *
 * @param {string[]} [addresses] origins such as `http://10.0.0.2:8080`; the page's own origin is always the first
 */
export function createServerRing(addresses = []) {
  /** @type {string[]} */
  let ring = [''];
  let at = 0;
  let failedInRow = 0;
  let askedInRow = 0;
  const ringApi = {
    /** Replaces the list, keeping the current server if it is still on it. @param {string[]} next @param {string} [own] */
    use(next, own = '') {
      const now = ring[at];
      const bare = next.map((address) => address.replace(/\/+$/, ''));
      ring = ['', ...new Set(bare.filter((address) => address !== '' && address !== own))];
      at = Math.max(ring.indexOf(now), 0);
    },
    current: () => ring[at],
    size: () => ring.length,
    /** @param {string} server */
    answered(server) {
      at = Math.max(ring.indexOf(server), 0);
      failedInRow = 0;
      askedInRow = 0;
    },
    /**
     * @param {string} server the one that failed
     * @param {number | null} [askedMs] its Retry-After
     * @returns {{round: boolean, askedMs: number}} `round`: every server has now failed in a row, time to wait, and for
     *   no less than `askedMs`, the longest that one of them asked for
     */
    failed(server, askedMs = null) {
      if (ring[at] === server) at = (at + 1) % ring.length;
      failedInRow += 1;
      askedInRow = Math.max(askedInRow, askedMs ?? 0);
      const answer = { round: failedInRow >= ring.length, askedMs: askedInRow };
      if (answer.round) failedInRow = askedInRow = 0;
      return answer;
    },
  };
  ringApi.use(addresses);
  return ringApi;
}

/** @typedef {ReturnType<typeof createServerRing>} ServerRing */
