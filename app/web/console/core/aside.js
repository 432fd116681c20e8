/**
 * What was kept aside for the office: how much waits, the list, and the decision. Signals and calls; no DOM.
 *
 * The service compares what was seen with what is accepted at the decision, so a list may be old: a refusal shows what
 * there is now, and nothing was decided.
 *
 * @typedef {{id: string, text: string}} Option
 * @typedef {{
 *   value: any, seat: string | null, room: string | null, device: string | null, at_ms: number, stamp_ms: number,
 *   typed_at: string | null, adopted_by: string | null,
 * }} Accepted
 * @typedef {{
 *   stranded: number, value: any, same: boolean, seat: string | null, room: string | null, device: string | null,
 *   typed_at: string | null, received_at: string, reason: string, reason_zh: string, reason_en: string,
 *   in_credit: boolean, state: 'kept' | 'adopted' | 'dismissed', decided_by: string | null, note: string,
 * }} Kept
 * @typedef {{
 *   item: number, position: number | null, type: string, stem: string, options: Option[], pictures: number,
 *   seen: string | null, accepted: Accepted | null, kept: Kept[],
 * }} Item
 * @typedef {{
 *   attempt_id: string, ticket: string, name: string, building: string, room: string, seat: string,
 *   state: 'open' | 'ended' | 'final', items: Item[],
 * }} Attempt
 * @typedef {{
 *   session: {id: number, name: string, timezone: string}, kept: number, attempts: Attempt[], next: number | null,
 * }} List
 * @typedef {{how: 'adopt' | 'dismiss', key: string, choices: {stranded: number, seen: string | null}[]}} Asking
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';

const COUNTS_EVERY_MS = 15_000;
const PAGE = 20;
const MOST = 100;

/**
 * @param {{
 *   get: (path: string) => Promise<any>, change: (at: string, path: string, body: unknown) => Promise<boolean>,
 *   timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   loginEnded: (error: unknown) => boolean, forgive: () => void,
 * }} ports `get`: the body of a reply of the staff's calls; `change`: one click, repeated until answered;
 *   `forgive`: what was said of the last click is read
 */
export function createAside({ get, change, timers, random, loginEnded, forgive }) {
  /** Session id → how many wait. */
  const counts = signal(/** @type {Map<number, number>} */ (new Map()));
  const open = signal(/** @type {{session: number, decided: boolean} | null} */ (null));
  const list = signal(/** @type {List | null} */ (null));
  const loading = signal(false);
  const fault = signal(/** @type {unknown} */ (null));
  /** The decision that waits for its confirmation. */
  const asking = signal(/** @type {Asking | null} */ (null));
  /** What was decided last, to be told. */
  const told = signal(/** @type {{how: 'adopt' | 'dismiss', n: number} | null} */ (null));

  /** @type {any} */
  let timer = null;
  let round = 0;
  /** A reply that comes after the login was left says nothing about the next one. */
  let left = false;

  /** @param {number} after @param {number} limit */
  async function fetchPage(after, limit) {
    const asked = open.value;
    if (!asked) return null;
    const decided = asked.decided ? '&decided=true' : '';
    const body = await get(`/stranded?session=${asked.session}&after=${after}&limit=${limit}${decided}`);
    return open.value === asked ? /** @type {List} */ (body) : null;
  }

  /** @param {() => Promise<void>} work */
  async function load(work) {
    const mine = (round += 1);
    loading.value = true;
    try {
      await work();
      if (mine === round) fault.value = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    } finally {
      if (mine === round) loading.value = false;
    }
  }

  /** Everything that is shown, again. */
  const reload = () =>
    load(async () => {
      const shown = list.value?.attempts.length ?? 0;
      const body = await fetchPage(0, Math.min(MOST, Math.max(PAGE, shown)));
      if (body) list.value = body;
    });

  async function count() {
    try {
      const { sessions } = await get('/stranded/counts');
      if (left) return;
      counts.value = new Map(sessions.map((/** @type {any} */ { id, kept }) => [id, kept]));
      const now = open.value ? counts.value.get(open.value.session) : undefined;
      const moved = list.value !== null && now !== list.value.kept;
      // Not under the hand of somebody who is about to confirm.
      if (moved && asking.value === null && !loading.value) await reload();
    } catch (error) {
      // Asked again in a few seconds; what the room's stream says of the service is enough.
      if (!(error instanceof ApiError)) throw error;
      if (!left) loginEnded(error);
    }
  }

  function keepCounting() {
    timer = timers.setTimeout(async () => {
      const mine = timer;
      await count();
      if (timer === mine) keepCounting();
    }, COUNTS_EVERY_MS * (0.75 + random.unit() / 2));
  }

  function forget() {
    forgive();
    batch(() => {
      open.value = null;
      list.value = null;
      fault.value = null;
      asking.value = null;
      told.value = null;
      loading.value = false;
    });
    round += 1;
  }

  return {
    counts, open, list, loading, fault, asking, told, reload,

    start() {
      timers.clearTimeout(timer);
      left = false;
      void count();
      keepCounting();
    },

    stop() {
      timers.clearTimeout(timer);
      timer = null;
      left = true;
      counts.value = new Map();
      forget();
    },

    /**
     * @param {number} session
     * @param {boolean} [decided]
     */
    async show(session, decided = false) {
      batch(() => {
        forget();
        open.value = { session, decided };
      });
      await reload();
    },

    hide: forget,

    more: () =>
      load(async () => {
        const before = list.value;
        if (before === null || before.next === null) return;
        const body = await fetchPage(before.next, PAGE);
        if (body) list.value = { ...body, attempts: [...before.attempts, ...body.attempts] };
      }),

    /** @param {Asking | null} what */
    ask(what) {
      forgive();
      batch(() => {
        asking.value = what;
        told.value = null;
      });
    },

    /** The confirmation. @param {string} note */
    async decide(note) {
      const asked = asking.value;
      if (asked === null) return false;
      const done = await change(`aside ${asked.key}`, `/stranded/${asked.how}`, { items: asked.choices, note });
      if (done) {
        batch(() => {
          asking.value = null;
          told.value = { how: asked.how, n: asked.choices.length };
        });
      } else asking.value = null;
      // Also after a refusal: what is there now is what has to be compared.
      await reload();
      if (!left) await count();
      return done;
    },
  };
}

/** @typedef {ReturnType<typeof createAside>} Aside */

/** Letters as the candidate saw them: by place, not by the bank's id. @param {number} index */
export const letter = (index) => String.fromCharCode(65 + index);

/**
 * A response's value as people read it.
 *
 * @param {Item} item
 * @param {any} value
 * @returns {{kind: 'none'} | {kind: 'options', chosen: {letter: string, text: string}[]} |
 *   {kind: 'blanks', parts: string[]} | {kind: 'text', text: string}}
 */
export function shownAs({ type, options }, value) {
  if (value === null || value === undefined || value === '' || (Array.isArray(value) && value.every((part) => part === ''))) {
    return { kind: 'none' };
  }
  if (type === 'blank') return { kind: 'blanks', parts: [value].flat().map(String) };
  if (type === 'text') return { kind: 'text', text: String(value) };
  const chosen = new Set([value].flat());
  const known = options
    .map(({ id, text }, index) => ({ id, text, letter: type === 'true_false' ? '' : letter(index) }))
    .filter(({ id }) => chosen.delete(id));
  // An id the paper does not have is shown as it came: nothing of an answer is hidden.
  const foreign = [...chosen].map((id) => ({ letter: String(id), text: '' }));
  return { kind: 'options', chosen: [...known, ...foreign].map((one) => ({ letter: one.letter, text: one.text })) };
}

/**
 * What "adopt all" of a candidate means: per item the value that came last, where it says something else than what
 * counts.
 *
 * @param {Attempt} attempt
 */
export function newest({ items }) {
  return items
    .map((item) => ({ item, kept: item.kept[item.kept.length - 1] }))
    .filter(({ kept }) => kept && kept.state === 'kept' && !kept.same)
    .map(({ item, kept }) => ({ stranded: kept.stranded, seen: item.seen }));
}

/**
 * How many wait in all sessions, and the session to open: the one on the screen, or the first in which some wait.
 *
 * @param {Map<number, number>} counts
 * @param {number | null} here
 */
export function waiting(counts, here) {
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const first = [...counts].find(([, n]) => n > 0)?.[0] ?? null;
  return { total, session: here !== null && (total === 0 || (counts.get(here) ?? 0) > 0) ? here : first };
}
