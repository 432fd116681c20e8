/**
 * All rooms of a session over one stream: how each stands, what is open, what happened, who has an announcement; and
 * anybody of the session by name. Signals and calls; no DOM.
 *
 * @typedef {'alarm' | 'look' | 'calm' | 'done'} Level
 * @typedef {{
 *   id: number, name: string, number: string, building: string, building_id: number, expected: number, present: number,
 *   absent: number, deferred: number, unaccounted: number, states: Record<string, number>, sitting: number,
 *   spares: number, spare_left: number, spare_low: boolean, broken: number, watched_by: string[], incidents: number,
 *   proposals: number, discrepancies: number, signed: {by: string, ms: number} | null,
 *   released: {by: string, ms: number} | null, level: Level, why: string[],
 *   reserve: boolean,
 * }} Room `reserve`: nobody is to sit there in this session, its seats are spare ones for other rooms
 * @typedef {{
 *   id: number, addressed: 'candidates' | 'staff' | 'both', scope: string, names: string[], zh: string, en: string,
 *   by: string, at: string, candidates: {of: number, shown: number, absent: number} | null,
 *   rooms: {of: number, known: number} | null, room_ids: number[], waiting: number[],
 * }} Announcement
 * @typedef {{
 *   session: any, clock: any, rooms: Room[], totals: any, incidents: any[], proposals: any[], decisions: any[],
 *   announcements: Announcement[],
 * }} Overview
 * @typedef {{
 *   n: number, at: string, by: string | null, about_zh: string, about_en: string, role: string | null, action: string, kind: string, zh: string, en: string,
 *   room_ids: number[], room: string | null, tickets: string[], more: number, names: string[], scope: string | null,
 * }} Entry
 * @typedef {{
 *   ticket: string, name: string, room_id: number, room: string, seat_id: number, seat: string,
 *   attempt_id: string | null, state: string, silent_s: number | null,
 * }} Person
 * @typedef {{to: 'candidates' | 'staff' | 'both', scope: 'site' | 'building' | 'room' | 'list', buildings: number[],
 *   rooms: number[], tickets: string, zh: string, en: string}} Draft
 */
import { ApiError } from '../../shared/api.js';
import { followEvents } from '../../shared/sse.js';
import { batch, signal } from '../../shared/ui.js';

/** Entries kept on the page; older ones are asked for again. */
const MOST = 200;
const LEVELS = ['alarm', 'look', 'calm', 'done'];
/** Reasons to look, the weightiest first (`domain/hall.py`). */
const WHY = ['incident', 'mostly-silent', 'proposal', 'silent', 'paused', 'no-spare', 'unaccounted', 'discrepancy', 'unsigned'];
/** The longest announcement. */
export const MOST_CHARS = 500;

/** @type {Readonly<Draft>} */
const EMPTY = Object.freeze({ to: 'candidates', scope: 'site', buildings: [], rooms: [], tickets: '', zh: '', en: '' });

/**
 * @param {{
 *   fetch: typeof globalThis.fetch, timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   clock: {now: () => number}, language: () => string, token: () => string | null, get: (path: string) => Promise<any>,
 *   send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   loginEnded: (error: unknown) => boolean, onLogin: () => void, forgive: () => void,
 *   onOpen: () => void, onClose: () => void,
 * }} ports `onOpen`, `onClose`: the room's own stream rests while this one is open; `onLogin`: it is no longer valid
 */
export function createHall(ports) {
  const { fetch, timers, random, clock, language, token, get, send, loginEnded, forgive } = ports;
  const session = signal(/** @type {number | null} */ (null));
  const overview = signal(/** @type {Overview | null} */ (null));
  const at = signal(0);
  const away = signal(false);
  const entries = signal(/** @type {Entry[]} */ ([]));
  const next = signal(/** @type {number | null} */ (null));
  const known = signal(/** @type {{people: Record<string, string>, rooms: Record<string, string>, kinds: any[]}} */ ({ people: {}, rooms: {}, kinds: [] }));
  const filter = signal({ room: '', kind: '' });
  const tab = signal(/** @type {'feed' | 'open' | 'said' | 'people'} */ ('feed'));
  const table = signal(false);
  const byNeed = signal(true);
  const sought = signal({ query: '', state: '' });
  const people = signal(/** @type {{candidates: Person[], total: number, next: number | null} | null} */ (null));
  const draft = signal(/** @type {Draft} */ (EMPTY));
  const reach = signal(/** @type {{announcement: Announcement, missing: any[], rooms: any[]} | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  /** @type {{close: () => void, retryNow: () => void} | null} */
  let stream = null;
  /** How often each has been asked for: a search must not throw away a feed that is on its way. */
  const rounds = { feed: 0, people: 0, reach: 0 };

  /**
   * What comes too late for what was asked since of the same thing is left.
   *
   * @param {keyof typeof rounds} thing
   * @param {() => Promise<() => void>} work
   */
  async function load(thing, work) {
    const mine = (rounds[thing] += 1);
    try {
      const show = await work();
      if (mine === rounds[thing] && session.value !== null) batch(() => { fault.value = null; show(); });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === rounds[thing] && !loginEnded(error)) fault.value = error;
    }
  }

  /** @param {Record<string, string | number>} more */
  const asked = (more) => {
    const query = new URLSearchParams({ session: String(session.value) });
    for (const [key, value] of Object.entries(more)) if (value !== '') query.set(key, String(value));
    return query;
  };

  const loadFeed = (before = '') =>
    load('feed', async () => {
      const found = await get(`/hall/feed?${asked({ ...filter.value, before })}`);
      return () => {
        // What came over the stream while this was on its way is newer than it, and comes only once.
        const since = entries.value.filter((entry) => entry.n > (found.entries[0]?.n ?? 0) && fits(entry));
        entries.value = [...(before === '' ? since : entries.value), ...found.entries];
        next.value = found.next;
        known.value = { people: { ...known.value.people, ...found.people }, rooms: found.rooms, kinds: found.kinds };
      };
    });

  const fits = (/** @type {Entry} */ entry) =>
    (filter.value.kind === '' || entry.kind === filter.value.kind) &&
    (filter.value.room === '' || entry.room_ids.includes(Number(filter.value.room)));

  /** @param {Entry[]} news @param {boolean} gap there are others between these and what is here */
  function hear(news, gap) {
    if (gap) return void loadFeed();
    const newest = entries.value[0]?.n ?? 0;
    const mine = news.filter((entry) => entry.n > newest && fits(entry));
    if (mine.length > 0) entries.value = [...mine, ...entries.value].slice(0, Math.max(MOST, entries.value.length));
  }

  function follow() {
    stream?.close();
    let newest = 0;
    const mine = followEvents({
      fetch, timers, random,
      // The service sends something every 5 s; three times that without a word is a dead path.
      idleMs: 15_000,
      url: () => `/api/v1/staff/hall/events?${asked({ after: (newest = Math.max(newest, entries.value[0]?.n ?? 0)) })}`,
      headers: () => ({ Authorization: `Bearer ${token()}`, 'Accept-Language': language() }),
      onEvent({ event, data }) {
        if (stream !== mine) return;
        if (event === 'hall') {
          const back = away.value;
          batch(() => { overview.value = data; at.value = clock.now(); away.value = false; });
          // What was entered while the service could not read the log was heard by nobody.
          if (back) void loadFeed();
        }
        else if (event === 'feed') {
          newest = Math.max(newest, data.entries[0]?.n ?? 0);
          known.value = { ...known.value, people: { ...known.value.people, ...data.people } };
          hear(data.entries, data.more);
        }
        else if (event === 'away') away.value = true;
        else if (event === 'closed') ports.onLogin();
      },
      onDown({ status }) {
        if (status === 401 && stream === mine) ports.onLogin();
        return status !== 401 && status !== 403 && status !== 404;
      },
    });
    stream = mine;
  }

  function stop() {
    stream?.close();
    stream = null;
    for (const thing of /** @type {(keyof typeof rounds)[]} */ (Object.keys(rounds))) rounds[thing] += 1;
  }

  const search = (skip = 0) =>
    load('people', async () => {
      const found = await get(`/hall/candidates?${asked({ ...sought.value, skip })}`);
      return () => {
        people.value = skip === 0 ? found : { ...found, candidates: [...(people.value?.candidates ?? []), ...found.candidates] };
      };
    });

  return {
    session, overview, at, away, entries, next, known, filter, tab, table, byNeed, sought, people, draft, reach, fault,
    search,
    more: () => next.value !== null && loadFeed(String(next.value)),

    /** @param {number} of */
    async open(of) {
      stop();
      batch(() => {
        if (session.value !== of) { overview.value = null; entries.value = []; people.value = null; reach.value = null; }
        session.value = of;
        fault.value = null;
      });
      ports.onOpen();
      await loadFeed();
      if (session.value === of && stream === null) follow();
    },

    close() {
      if (session.value === null) return;
      stop();
      session.value = null;
      forgive();
      ports.onClose();
    },

    reset() {
      stop();
      batch(() => {
        session.value = null; overview.value = null; entries.value = []; people.value = null; draft.value = EMPTY;
        reach.value = null; fault.value = null;
      });
    },

    retryNow: () => stream?.retryNow(),

    /** @param {{room?: string, kind?: string}} change */
    narrow(change) {
      filter.value = { ...filter.value, ...change };
      return loadFeed();
    },

    /** Whoever is in a state, in all rooms. @param {string} state */
    showState(state) {
      batch(() => { tab.value = 'people'; sought.value = { query: '', state }; });
      return search();
    },

    /** @param {Partial<Draft>} change */
    edit(change) {
      draft.value = { ...draft.value, ...change };
    },

    async announce() {
      const { to, zh, en } = draft.value;
      const done = await send('announce', '/announcements', { scope: scopeOf(draft.value, Number(session.value)), to, zh, en });
      if ('body' in done) draft.value = EMPTY;
      return 'body' in done;
    },

    /** Who has not got it. @param {number | null} id */
    async follow(id) {
      reach.value = null;
      rounds.reach += 1;
      if (id === null) return;
      await load('reach', async () => {
        const found = await get(`/announcements/${id}`);
        return () => { reach.value = found; };
      });
    },
  };
}

/** @typedef {ReturnType<typeof createHall>} Hall */

/** @param {Draft} draft @param {number} session */
export function scopeOf({ scope: kind, buildings, rooms, tickets }, session) {
  if (kind === 'building') return { session, kind, buildings };
  if (kind === 'room') return { session, kind, rooms };
  if (kind === 'list') return { session, kind, tickets: ticketsIn(tickets) };
  return { session, kind };
}

/** @param {string} text */
export const ticketsIn = (text) => [...new Set(text.split(/[\s,，;；、]+/).filter(Boolean))];

/** What is still missing of an announcement; null when it can be sent. @param {Draft} draft */
export function lacks(draft) {
  if (draft.zh.trim() === '') return 'text';
  const named = { site: 1, building: draft.buildings.length, room: draft.rooms.length, list: ticketsIn(draft.tickets).length };
  return named[draft.scope] === 0 ? 'scope' : null;
}

/** What needs somebody comes first; otherwise as the rooms stand. @param {Room[]} rooms @param {boolean} byNeed */
export function ordered(rooms, byNeed) {
  if (!byNeed) return rooms;
  const rank = (/** @type {Room} */ { level, why }) => LEVELS.indexOf(level) * 100 + (why.length > 0 ? WHY.indexOf(why[0]) : WHY.length);
  // Among equals the order of the rooms: a tile that jumps about cannot be hit.
  return [...rooms].sort((a, b) => rank(a) - rank(b));
}

/** How many of a room are in these states. @param {{states: Record<string, number>}} room @param {...string} states */
export const count = (room, ...states) => states.reduce((sum, state) => sum + (room.states[state] ?? 0), 0);
