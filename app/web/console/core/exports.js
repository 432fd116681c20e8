/**
 * Lists that leave the house: asked for in one call that tells its progress and then gives the file. Signals; no DOM.
 *
 * The reply (`application/x-holdfast-export`) is lines of JSON, `{done, total}` again and again, then one with `size`
 * and `sha256`, and after that line the bytes. A file of another size than was said is no file.
 *
 * @typedef {{kind: string, form: string, done: number, total: number}} Running
 * @typedef {{name: string, type: string, rows: number, size: number, sha256: string}} Made
 */
import { ApiError, NotOurs, Refused, Unreachable } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';

export const KINDS = Object.freeze(['attendance', 'answers', 'times', 'incidents', 'corrections']);
export const FORMS = Object.freeze(['xlsx', 'csv', 'json']);

/**
 * @param {{
 *   fetch: typeof globalThis.fetch, token: () => string | null, language: () => string,
 *   loginEnded: (error: unknown) => boolean,
 * }} ports
 */
export function createExports({ fetch, token, language, loginEnded }) {
  const running = signal(/** @type {Running | null} */ (null));
  const made = signal(/** @type {Made | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  /** @type {AbortController | null} */
  let abort = null;

  /**
   * The file, or null when it did not come: then `fault` says why, unless it was stopped.
   *
   * @param {{kind: string, form: string, exam?: number | null, session?: number | null}} what
   * @returns {Promise<Blob | null>}
   */
  async function start(what) {
    if (running.value !== null) return null;
    const mine = new AbortController();
    abort = mine;
    batch(() => {
      running.value = { kind: what.kind, form: what.form, done: 0, total: 0 };
      made.value = null;
      fault.value = null;
    });
    try {
      return await fetched(what, mine.signal);
    } catch (error) {
      if (mine.signal.aborted) return null;
      const told = error instanceof ApiError ? error : new Unreachable(String(error), '');
      if (!loginEnded(told)) fault.value = told;
      return null;
    } finally {
      abort = null;
      running.value = null;
    }
  }

  /**
   * @param {{kind: string, form: string, exam?: number | null, session?: number | null}} what
   * @param {AbortSignal} stopped
   */
  async function fetched(what, stopped) {
    const of = what.session ? `session=${what.session}` : `exam=${what.exam}`;
    const words = language().startsWith('zh') ? 'zh' : 'en';
    const response = await fetch(`/api/v1/staff/exports/${what.kind}?${of}&format=${what.form}&language=${words}&progress=1`, {
      signal: stopped,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      headers: { Authorization: `Bearer ${token()}`, 'Accept-Language': language() },
    });
    if (!response.ok || response.body === null) throw await refusal(response);
    const reader = response.body.getReader();
    const parts = createParts((told) => {
      if (running.value !== null) running.value = { ...running.value, done: told.done, total: told.total };
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
    }
    const { file, body, refused } = parts.end();
    if (refused !== null) throw new Refused(503, refused, '', null);
    if (file === null || body.reduce((sum, part) => sum + part.length, 0) !== file.size) {
      throw new NotOurs(response.status, '');
    }
    made.value = file;
    return new Blob(body, { type: file.type });
  }

  return {
    running, made, fault, start,

    stop() {
      abort?.abort();
    },
  };
}

/** @param {Response} response */
async function refusal(response) {
  const body = await response.json().catch(() => null);
  if (body !== null && typeof body.code === 'string') return new Refused(response.status, body, '', response.headers.get('Retry-After'));
  return new NotOurs(response.status, '');
}

/**
 * Takes the reply apart as it comes, wherever the network cut it.
 *
 * @param {(told: {done: number, total: number}) => void} onProgress
 */
export function createParts(onProgress) {
  const decoder = new TextDecoder();
  /** @type {number[]} */
  let line = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const body = [];
  /** @type {Made | null} */
  let file = null;
  /** @type {any} */
  let refused = null;
  return {
    /** @param {Uint8Array<ArrayBuffer>} bytes */
    push(bytes) {
      let at = 0;
      while (file === null && at < bytes.length) {
        const end = bytes.indexOf(10, at);
        if (end < 0) {
          line.push(...bytes.subarray(at));
          return;
        }
        const told = JSON.parse(decoder.decode(new Uint8Array([...line, ...bytes.subarray(at, end)])));
        line = [];
        at = end + 1;
        if (told.refused) refused = told.refused;
        else if (told.sha256) file = told;
        else onProgress(told);
      }
      if (at < bytes.length) body.push(bytes.slice(at));
    },

    end: () => ({ file, body, refused }),
  };
}
