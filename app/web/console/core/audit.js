/**
 * The audit log, looked through: what is asked, what was found so far, the next page. Signals and calls; no DOM.
 *
 * @typedef {{
 *   n: number, at: string, service_ms: number | null, actor: string, name: string | null, role: string | null,
 *   action: string, zh: string, en: string, subject: Record<string, any>, hash: string,
 * }} Entry
 * @typedef {{area: string, zh: string, en: string, actions: {action: string, zh: string, en: string}[]}} Area
 * @typedef {{ticket: string, staff: string, room: string, action: string, from: string, to: string}} Sought
 *   as typed; '' asks for nothing, `from` and `to` are local (`2026-11-24T09:12`)
 * @typedef {{
 *   entries: Entry[], next: number | null, people: Record<string, string>, rooms: Record<string, string>,
 *   timezone: string,
 * }} Found
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { instantOf } from './wall.js';

const PAGE = 100;

/** @type {Readonly<Sought>} */
export const NOTHING = Object.freeze({ ticket: '', staff: '', room: '', action: '', from: '', to: '' });

/**
 * @param {{get: (path: string) => Promise<any>, loginEnded: (error: unknown) => boolean}} ports
 */
export function createAudit({ get, loginEnded }) {
  const areas = signal(/** @type {Area[]} */ ([]));
  const sought = signal(/** @type {Sought} */ (NOTHING));
  const found = signal(/** @type {Found | null} */ (null));
  const loading = signal(false);
  const fault = signal(/** @type {unknown} */ (null));
  let round = 0;

  /** Of two searches the later one is shown, whichever answers first. @param {() => Promise<() => void>} work */
  async function load(work) {
    const mine = (round += 1);
    loading.value = true;
    try {
      const show = await work();
      if (mine === round) {
        batch(() => {
          fault.value = null;
          show();
        });
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    } finally {
      if (mine === round) loading.value = false;
    }
  }

  /** @param {Sought} what */
  const search = (what) => {
    sought.value = what;
    return load(async () => {
      if (areas.value.length === 0) areas.value = (await get('/audit/actions')).areas;
      const body = /** @type {Found} */ (await get(`/audit?${asked(what, found.value?.timezone)}`));
      return () => {
        found.value = body;
      };
    });
  };

  return {
    areas, sought, found, loading, fault, search,

    more: () =>
      load(async () => {
        const before = found.value;
        if (before === null || before.next === null) return () => {};
        const body = /** @type {Found} */ (await get(`/audit?${asked(sought.value, before.timezone)}&before=${before.next}`));
        return () => {
          found.value = joined(before, body);
        };
      }),

    stop() {
      round += 1;
      batch(() => {
        sought.value = NOTHING;
        found.value = null;
        fault.value = null;
        loading.value = false;
      });
    },
  };
}

/**
 * The question as the service takes it; what was left empty is not asked.
 *
 * @param {Sought} what
 * @param {string | undefined} zone
 */
export function asked(what, zone) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [key, typed] of Object.entries(what)) {
    const text = typed.trim();
    const value = text !== '' && (key === 'from' || key === 'to') ? instantOf(text, zone) : text;
    if (value) query.set(key, value);
  }
  return query.toString();
}

/** @param {Found} before @param {Found} after @returns {Found} */
function joined(before, after) {
  return {
    ...after,
    entries: [...before.entries, ...after.entries],
    people: { ...before.people, ...after.people },
    rooms: { ...before.rooms, ...after.rooms },
  };
}

/** What a line says of its entry, in this order; everything is in its details. */
const TOLD = ['ticket', 'username', 'names', 'room', 'seat', 'from', 'to', 'joined', 'left', 'number', 'title', 'reason', 'note', 'told_by'];

/**
 * `[key, text]` of what an entry is about. A candidate is named beside the ticket, rooms beside their ids.
 *
 * @param {Entry} entry
 * @param {Found} found
 * @returns {[string, string][]}
 */
export function about({ subject }, found) {
  const room = subject.room ?? found.rooms[String(subject.room_id)];
  const names = room === undefined ? (subject.room_ids ?? []).map((/** @type {number} */ id) => found.rooms[String(id)] ?? id) : [];
  /** @type {Record<string, any>} */
  const known = { ...subject, room: room ?? (names.length > 0 && !subject.names?.length ? names.join('、') : undefined) };
  return TOLD.filter((key) => said(known[key])).map((key) => {
    const text = plain(known[key]);
    const person = key === 'ticket' ? found.people[text] : undefined;
    return [key, person ? `${text} ${person}` : text];
  });
}

/** @param {unknown} value */
const said = (value) => value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0);

/** @param {unknown} value */
function plain(value) {
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.join('、');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Everything an entry holds, as it is stored. @param {Entry} entry @returns {[string, string][]} */
export function details({ subject }) {
  return Object.entries(subject)
    .filter(([, value]) => said(value))
    .map(([key, value]) => [key, plain(value)]);
}
