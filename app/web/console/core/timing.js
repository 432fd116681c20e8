/**
 * The office's timing desk: what the session's time is, what somebody is about to decide, and what became of it.
 * Signals and calls; no DOM.
 *
 * Nothing is decided here without its effect having been shown: `ask` fetches the effect of a request, `confirm` sends
 * the request with the digest of what was seen. Where others have decided something meanwhile the service refuses, and
 * the effect as it is now is shown instead (I6: two people of the office at once).
 *
 * @typedef {{
 *   rooms?: number, candidates?: number, left_out?: {code: string, count: number, zh?: string, en?: string}[],
 *   ends?: {from: string, to: string} | null, starts?: {from: string, to: string} | null,
 *   over_cap?: {ticket: string, name: string, room: string, seat: string, lost_ms: number}[],
 *   follows?: any, zh: string, en: string, refused?: {code: string, zh: string, en: string} | null,
 *   seats?: any, papers?: any, people?: any[], changed?: any[],
 * }} Effect
 * @typedef {{
 *   at: string, path: string, to: string, body: Record<string, any>, words: string, whom?: () => string,
 * }} Request
 *   `at` names the place on the page; `path` answers the preview, `to` does it; `words` is the key of what is done,
 *   `whom` for whom as it was put together, in the language of the moment
 * @typedef {Request & {effect: Effect, seen: string, changed: boolean}} Asking
 */
import { ApiError, Refused } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { emptyDraft, emptyRounds } from './timing-draft.js';

const EVERY_MS = 5000;
/** Somebody else has decided meanwhile. */
const CHANGED = new Set(['time-changed', 'round-changed']);

/**
 * @param {{
 *   get: (path: string) => Promise<any>, post: (path: string, body: unknown) => Promise<any>,
 *   send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   loginEnded: (error: unknown) => boolean, forgive: () => void,
 * }} ports `post`: asks once and changes nothing; `send`: one click, repeated until answered
 */
export function createTiming({ get, post, send, timers, random, loginEnded, forgive }) {
  /** The session that is open. */
  const open = signal(/** @type {number | null} */ (null));
  const view = signal(/** @type {import('./timing-view.js').View | null} */ (null));
  const loading = signal(false);
  const fault = signal(/** @type {unknown} */ (null));
  const draft = signal(emptyDraft());
  /** What is to become of rounds, beside for whom. */
  const rounds = signal(emptyRounds());
  /** What waits for its confirmation. */
  const asking = signal(/** @type {Asking | null} */ (null));
  /** Where an effect is being asked for, and where none could be had. */
  const checking = signal(/** @type {string | null} */ (null));
  const doubt = signal(/** @type {{at: string, error: unknown} | null} */ (null));
  /** What was done last, to be told. */
  const told = signal(/** @type {{at: string, words: string, effect: Effect | null, notice: any} | null} */ (null));
  /** Whose pages have a notice, and whose not yet. */
  const reach = signal(/** @type {any} */ (null));

  /** @type {any} */
  let timer = null;
  let round = 0;
  let look = 0;

  async function reload() {
    const session = open.value;
    if (session === null) return;
    const mine = (round += 1);
    loading.value = true;
    try {
      const body = await get(`/time/sessions/${session}`);
      if (mine !== round) return;
      batch(() => {
        view.value = body;
        fault.value = null;
      });
      await reread();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    } finally {
      if (mine === round) loading.value = false;
    }
  }

  /** The list of those who lack a notice, again. */
  async function reread() {
    const shown = reach.value;
    if (shown === null) return;
    const body = await get(`/time/notices/${shown.id}`);
    if (reach.value?.id === shown.id) reach.value = { id: shown.id, ...body };
  }

  function keepLooking() {
    timers.clearTimeout(timer);
    timer = timers.setTimeout(async () => {
      const mine = timer;
      await reload();
      if (timer === mine && open.value !== null) keepLooking();
    }, EVERY_MS * (0.75 + random.unit() / 2));
  }

  function forget() {
    timers.clearTimeout(timer);
    timer = null;
    round += 1;
    look += 1;
    forgive();
    batch(() => {
      open.value = null;
      view.value = null;
      loading.value = false;
      fault.value = null;
      draft.value = emptyDraft();
      rounds.value = emptyRounds();
      asking.value = null;
      checking.value = null;
      doubt.value = null;
      told.value = null;
      reach.value = null;
    });
  }

  /**
   * Shows what a request would do.
   *
   * @param {Request} request
   * @param {boolean} [changed] asked again because somebody else has decided meanwhile
   */
  async function ask(request, changed = false) {
    const mine = (look += 1);
    forgive();
    batch(() => {
      checking.value = request.at;
      doubt.value = null;
      told.value = null;
    });
    try {
      const { effect, seen } = await post(request.path, request.body);
      if (mine !== look) return;
      asking.value = { ...request, effect, seen, changed };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine !== look || loginEnded(error)) return;
      batch(() => {
        asking.value = null;
        doubt.value = { at: request.at, error };
      });
    } finally {
      if (mine === look) checking.value = null;
    }
  }

  /** Does what was shown. @returns {Promise<boolean>} */
  async function confirm() {
    const asked = asking.value;
    if (asked === null) return false;
    const mine = look;
    const answer = await send(asked.at, asked.to, { ...asked.body, seen: asked.seen });
    if (mine !== look) return 'body' in answer;
    if ('error' in answer) {
      if (answer.error instanceof Refused && CHANGED.has(answer.error.code)) await ask(asked, true);
      await reload();
      return false;
    }
    batch(() => {
      asking.value = null;
      if (asked.at === 'timing') {
        draft.value = emptyDraft();
        rounds.value = emptyRounds();
      }
      const { effect = asked.effect, notice = null } = answer.body;
      told.value = { at: asked.at, words: asked.words, effect, notice };
    });
    await reload();
    return true;
  }

  /**
   * One click without an effect of its own on any clock.
   *
   * @param {string} at
   * @param {string} path
   * @param {unknown} body
   * @param {string} words
   */
  async function decide(at, path, body, words) {
    told.value = null;
    const answer = await send(at, path, body);
    const done = 'body' in answer;
    if (done) told.value = { at, words, effect: answer.body.effect ?? null, notice: answer.body.notice ?? null };
    await reload();
    return done;
  }

  return {
    open, view, loading, fault, draft, rounds, asking, checking, doubt, told, reach, reload, ask, confirm, decide,
    stop: forget,
    hide: forget,

    /** @param {number} session */
    async show(session) {
      forget();
      open.value = session;
      keepLooking();
      await reload();
    },

    /** @param {Partial<import('./timing-draft.js').Draft>} change */
    edit(change) {
      batch(() => {
        draft.value = { ...draft.value, ...change };
        doubt.value = null;
        told.value = null;
      });
    },

    /** @param {Partial<import('./timing-draft.js').RoundsDraft>} change */
    editRounds(change) {
      batch(() => {
        rounds.value = { ...rounds.value, ...change };
        doubt.value = null;
        told.value = null;
      });
    },

    /** Not this, then. */
    unask() {
      look += 1;
      forgive();
      batch(() => {
        asking.value = null;
        checking.value = null;
        doubt.value = null;
      });
    },

    /** @param {any} notice */
    async showReach(notice) {
      reach.value = notice === null ? null : { ...notice, missing: null };
      if (notice === null) return;
      try {
        await reread();
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!loginEnded(error)) fault.value = error;
      }
    },

    /**
     * Candidates of the session by any part of name or ticket.
     *
     * @param {number} session
     * @param {string} query
     * @returns {Promise<any[]>}
     */
    async find(session, query) {
      const { candidates } = await get(`/time/candidates?session=${session}&query=${encodeURIComponent(query)}`);
      return candidates;
    },

    /** One candidate's time in words. @param {string} attempt @returns {Promise<any>} */
    explain: (attempt) => get(`/attempts/${attempt}/time`),
  };
}

/** @typedef {ReturnType<typeof createTiming>} Timing */
