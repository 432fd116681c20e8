/**
 * The console's state and everything staff can do: signals to render from, functions to call. No DOM.
 *
 * Ports: `storage` keeps the login for this tab (a reload must not sign anyone out), `address` keeps room and session
 * in the page's fragment. The token is in neither.
 *
 * @typedef {import('./room.js').Picture} Picture
 * @typedef {import('./room.js').Seat} Seat
 * @typedef {import('./room.js').Session} Session
 * @typedef {{
 *   id: number, name: string, number: string, building: string, building_id: number, exam_id: number,
 * }} Room
 * @typedef {{username: string, name: string, role: string, may: string[], rooms: Room[], must_change: boolean}} Staff
 * @typedef {{
 *   fetch: typeof globalThis.fetch, timers: import('../../shared/api.js').Timers, clock: {now: () => number},
 *   random: import('../../shared/random.js').Random, language: () => string,
 *   storage: {get: (name: string) => string | null, set: (name: string, value: string | null) => void},
 *   upload: ReturnType<typeof import('../../shared/upload.js').createUpload>,
 *   url: {make: (body: Blob) => string, forget: (url: string) => void},
 *   address: {get: () => {room: number | null, session: number | null}, set: (room: number, session: number) => void},
 * }} Ports
 */
import { ApiError, Refused, createApi } from '../../shared/api.js';
import { fullJitter } from '../../shared/backoff.js';
import { batch, signal } from '../../shared/ui.js';
import { createAccounts } from './accounts.js';
import { createActs } from './act.js';
import { createAside } from './aside.js';
import { createAudit } from './audit.js';
import { createCalls } from './calls.js';
import { createClicks } from './clicks.js';
import { createDiscrepancies } from './discrepancies.js';
import { createDoor } from './door.js';
import { createExports } from './exports.js';
import { createFaces } from './faces.js';
import { createHall } from './hall.js';
import { createIncidents } from './incidents.js';
import { createItemReports } from './item-reports.js';
import { createLive } from './live.js';
import { createMisconduct } from './misconduct.js';
import { createNotices } from './notices.js';
import { currentSession, follow, happenings } from './room.js';
import { createSite } from './site.js';
import { createPhotos } from './photos.js';
import { createStores } from './stores.js';
import { createTelephone } from './telephone.js';
import { createTiming } from './timing.js';
import { createViews } from './views.js';

/** While the service is away at the start of the page. */
const STAFF_RETRY = Object.freeze({ base: 500, cap: 3000 });
const SESSIONS_EVERY_MS = 20_000;
/** Told aloud and shown; who comes back by themselves is only seen on the map. */
const TOLD = new Set(['moved', 'returned', 'silent']);

/** @param {Ports} ports */
export function createDesk(ports) {
  const { fetch, timers, clock, random, language, storage, address } = ports;
  const api = createApi({ fetch, timers, language });

  const phase = signal(/** @type {'starting' | 'signed-out' | 'new-password' | 'signed-in'} */ ('starting'));
  const staff = signal(/** @type {Staff | null} */ (null));
  const sessions = signal(/** @type {Session[]} */ ([]));
  const roomId = signal(/** @type {number | null} */ (null));
  const sessionId = signal(/** @type {number | null} */ (null));
  const picture = signal(/** @type {Picture | null} */ (null));
  const pictureAt = signal(0);
  const away = signal(false);
  /** Why the room cannot be shown at all. */
  const closed = signal(/** @type {string | null} */ (null));
  const selection = signal(/** @type {{seatId: number, ticket: string | null} | null} */ (null));
  const query = signal('');
  const only = signal(/** @type {string | null} */ (null));
  const farewell = signal(/** @type {unknown} */ (null));

  let token = storage.get('token');
  /** @type {any} */
  let sessionsTimer = null;
  const asked = () => ({ token });

  const act = createActs({ api, timers, random, clock, token: () => token, toldBy: () => toldBy() });
  const { busy, fault, send, change, forgive } = createClicks({ act, loginEnded });
  const { notices, notify, dismiss } = createNotices({ timers });
  const stores = createStores({ fetch, timers, random });
  const get = async (/** @type {string} */ path) => (await api.get(`/api/v1/staff${path}`, asked())).body;
  const aside = createAside({ get, change, timers, random, loginEnded, forgive });
  const toldBy = () => door.toldBy.value.trim();
  const faces = createFaces({ file: (path) => api.blob(`/api/v1/staff${path}`, asked()), url: ports.url });
  const door = createDoor({ act, change, get, loginEnded, picture });
  const look = async (/** @type {string} */ path, /** @type {unknown} */ body) =>
    (await api.post(`/api/v1/staff${path}`, body, asked())).body;
  const calls = createCalls({
    send, change, look, loginEnded, fault, picture,
    by: () => door.by(),
    buildingOf: (room) => staff.value?.rooms.find(({ id }) => id === room)?.building_id ?? null,
  });
  const timing = createTiming({
    get,
    post: look,
    send,
    timers,
    random,
    loginEnded,
    forgive,
  });
  const telephone = createTelephone({ get, loginEnded, toldBy: door.toldBy, room: roomId, session: sessionId });
  const itemReports = createItemReports({ get, send, loginEnded, by: () => door.by() });
  const photos = createPhotos({
    get, random, loginEnded,
    upload: ports.upload,
    headers: () => ({ Authorization: `Bearer ${token}`, 'Accept-Language': language() }),
  });
  const audit = createAudit({ get, loginEnded });
  const accounts = createAccounts({ get, send, random, loginEnded, forgive });
  const site = createSite({
    get, send, timers, loginEnded, forgive, storage, file: (path) => api.blob(`/api/v1/staff${path}`, asked()),
  });
  const views = createViews({
    onLeave() {
      aside.hide();
      timing.hide();
      forgive();
    },
  });
  const incidents = createIncidents({
    get, send, timers, clock, random, loginEnded, forgive, toldBy,
    show: () => views.show('incidents'),
  });
  const cases = { get, send, timers, random, loginEnded, forgive, toldBy };
  const discrepancies = createDiscrepancies({ ...cases, show: () => views.show('discrepancies') });
  const misconduct = createMisconduct({ ...cases, show: () => views.show('misconduct') });
  const exports = createExports({ fetch, token: () => token, language, loginEnded });
  const hall = createHall({
    fetch, timers, random, clock, language, get, send, loginEnded, forgive,
    token: () => token,
    onLogin: () => leave('ended'),
    onOpen: () => live.stop(),
    onClose() {
      if (token !== null && roomId.value !== null && sessionId.value !== null) live.watch(roomId.value, sessionId.value);
    },
  });
  const live = createLive({
    fetch,
    timers,
    random,
    clock,
    language,
    token: () => token,
    onPicture(next, at) {
      const told = happenings(picture.value, next);
      batch(() => {
        picture.value = next;
        pictureAt.value = at;
        away.value = false;
        closed.value = null;
        selection.value = follow(selection.value, next);
      });
      told.filter(({ kind }) => TOLD.has(kind)).forEach(notify);
    },
    onAway() {
      if (!away.value) stores.hurry();
      away.value = true;
    },
    onRefused(status, code) {
      if (status === 401 || code === 'login-ended') return leave('ended');
      closed.value = code ?? (status === 404 ? 'not-found' : 'not-permitted');
    },
  });

  /** @param {unknown} why shown above the sign-in form */
  function leave(why) {
    live.stop();
    stores.stop();
    aside.stop();
    timing.stop();
    views.hide();
    hall.reset();
    incidents.reset();
    discrepancies.reset();
    misconduct.reset();
    door.reset();
    calls.reset();
    faces.reset();
    telephone.reset();
    itemReports.reset();
    photos.stop();
    timers.clearTimeout(sessionsTimer);
    token = null;
    storage.set('token', null);
    batch(() => {
      phase.value = 'signed-out';
      farewell.value = why;
      staff.value = null;
      sessions.value = [];
      picture.value = null;
      selection.value = null;
      notices.value = [];
      fault.value = null;
      busy.value = null;
      away.value = false;
      closed.value = null;
      query.value = '';
      only.value = null;
    });
  }

  /** @param {unknown} error @returns {boolean} true when it was about the login itself */
  function loginEnded(error) {
    if (!(error instanceof Refused) || error.code !== 'login-ended') return false;
    leave('ended');
    return true;
  }

  async function loadSessions() {
    const { body } = await api.get('/api/v1/staff/sessions', asked());
    sessions.value = body.sessions;
  }

  /** @param {Staff} who */
  async function enter(who) {
    if (who.must_change) {
      // Good for nothing else: the service answers no other call.
      batch(() => {
        staff.value = who;
        phase.value = 'new-password';
        farewell.value = null;
      });
      return;
    }
    await loadSessions();
    const wanted = address.get();
    const room =
      who.rooms.find(({ id }) => id === wanted.room) ??
      who.rooms.find(({ id }) => currentSession(sessions.value, id)?.state === 'running') ??
      who.rooms.find(({ id }) => currentSession(sessions.value, id)) ??
      who.rooms[0];
    batch(() => {
      staff.value = who;
      phase.value = 'signed-in';
      farewell.value = null;
    });
    if (room) openRoom(room.id, room.id === wanted.room ? wanted.session : null);
    keepSessions();
    stores.start();
    if (who.may.includes('view-stranded')) aside.start();
  }

  function keepSessions() {
    timers.clearTimeout(sessionsTimer);
    sessionsTimer = timers.setTimeout(async () => {
      try {
        await loadSessions();
        await lookAtDuty();
        // A room that had no session may have one by now.
        if (sessionId.value === null && roomId.value !== null) openRoom(roomId.value);
      } catch (error) {
        // The list is a convenience: what is open is told by the stream, and the next look is 20 s away.
        if (loginEnded(error)) return;
      }
      if (phase.value === 'signed-in') keepSessions();
    }, SESSIONS_EVERY_MS);
  }

  /** Whoever relieves somebody has the room before them without signing in again; who left is told by the stream. */
  async function lookAtDuty() {
    const { body } = await api.get('/api/v1/staff/me', asked());
    const ids = (/** @type {Staff | null} */ who) => (who?.rooms ?? []).map(({ id }) => id).join();
    if (staff.value === null || ids(staff.value) === ids(body.staff)) return;
    staff.value = body.staff;
    const [first] = body.staff.rooms;
    if (roomId.value === null && first) openRoom(first.id);
  }

  /**
   * @param {number} room
   * @param {number | null} [session] null: the one that matters now
   */
  function openRoom(room, session = null) {
    const chosen =
      sessions.value.find(({ id, room_ids: rooms }) => id === session && rooms?.includes(room)) ??
      currentSession(sessions.value, room);
    const same = roomId.value === room && sessionId.value === (chosen?.id ?? null);
    if (same && picture.value !== null) return;
    batch(() => {
      roomId.value = room;
      sessionId.value = chosen?.id ?? null;
      picture.value = null;
      selection.value = null;
      fault.value = null;
      away.value = false;
      closed.value = null;
      query.value = '';
      only.value = null;
    });
    door.reset();
    calls.reset();
    faces.reset();
    telephone.reset();
    if (!chosen) return live.stop();
    address.set(room, chosen.id);
    live.watch(room, chosen.id);
  }

  return {
    api, phase, staff, sessions, roomId, sessionId, picture, pictureAt, away, closed, selection, query, only, busy,
    fault, notices, farewell, clock, aside, calls, door, faces, telephone, itemReports, photos, incidents, timing, views, audit, accounts, site, hall,
    discrepancies, misconduct, exports,
    stores: stores.stores,
    dismiss,
    openRoom,

    /** Back to the room, whatever lay over it. */
    leaveViews() {
      aside.hide();
      timing.hide();
      views.hide();
    },

    /** Bytes below the staff's calls: evidence, reports. @param {string} path @param {number} [timeoutMs] */
    file: (path, timeoutMs) => api.blob(`/api/v1/staff${path}`, { ...asked(), timeoutMs }),

    retryNow() {
      live.retryNow();
      hall.retryNow();
    },

    /** For the room that is open. @param {number} id */
    acknowledge: (id) => change(`acknowledge ${id}`, `/announcements/${id}/acknowledge`, { room_id: roomId.value }),

    /** Goes on with the login of this tab, if there is one. */
    async start() {
      if (token === null) {
        phase.value = 'signed-out';
        return;
      }
      for (let tries = 1; ; tries += 1) {
        try {
          const { body } = await api.get('/api/v1/staff/me', asked());
          return await enter(body.staff);
        } catch (error) {
          if (loginEnded(error)) return;
          if (!(error instanceof ApiError)) throw error;
          // The service is away, the login is not: wait for it rather than ask for the password again.
          away.value = true;
          await new Promise((resolve) => timers.setTimeout(() => resolve(null), fullJitter(tries, STAFF_RETRY, random.unit, error.retryAfterMs)));
        }
      }
    },

    /**
     * @param {string} username
     * @param {string} password
     */
    async signIn(username, password) {
      if (busy.value !== null) return;
      busy.value = { at: 'sign-in', repeating: false };
      fault.value = null;
      try {
        const { body } = await api.post('/api/v1/staff/sign-in', { username, password });
        token = body.token;
        storage.set('token', token);
        away.value = false;
        await enter(body.staff);
      } catch (error) {
        fault.value = { at: 'sign-in', error };
      } finally {
        busy.value = null;
      }
    },

    async signOut() {
      const leaving = asked();
      leave(null);
      try {
        await api.post('/api/v1/staff/sign-out', {}, leaving);
      } catch (error) {
        // This tab has forgotten the token; the service could not be told, which somebody should know.
        if (!(error instanceof Refused)) farewell.value = 'not-told';
      }
    },

    /**
     * One's own password; at the first sign-in the page goes on from there.
     *
     * @param {string} old
     * @param {string} next
     */
    async changePassword(old, next) {
      if (!('body' in (await send('password', '/password', { old, new: next })))) return false;
      if (phase.value === 'new-password') {
        phase.value = 'starting';
        await this.start();
      }
      return true;
    },

    /** @param {Seat | null} seat */
    select(seat) {
      batch(() => {
        if (seat) door.record.value = false;
        if (seat) calls.open.value = false;
        selection.value = seat ? { seatId: seat.seat_id, ticket: seat.occupant?.ticket ?? null } : null;
        fault.value = null;
      });
    },

    /**
     * @param {string} attemptId
     * @param {{to_seat_id?: number, same_seat?: boolean, reason: string, note?: string}} body
     */
    relog: (attemptId, body) => change('relog', `/attempts/${attemptId}/relog`, { ...body, ...door.by() }),

    /** @param {number} relogId */
    withdraw: (relogId) => change('withdraw', `/relogs/${relogId}/withdraw`, {}),

    /**
     * @param {number} seatId
     * @param {string | null} why
     */
    mark: (seatId, why) =>
      change('mark', `/seats/${seatId}/mark`, { out_of_order: why, ...door.by() }),

    /**
     * The seats that are free in another room, for a move there.
     *
     * @param {number} room
     * @returns {Promise<Picture>}
     */
    async lookInto(room) {
      return (await api.get(`/api/v1/staff/rooms/${room}?session=${sessionId.value}`, asked())).body;
    },
  };
}

/** @typedef {ReturnType<typeof createDesk>} Desk */
