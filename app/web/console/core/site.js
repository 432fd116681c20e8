/**
 * The administration of a site: exams with their sessions and rooms, and the import or draw that is under way. Signals
 * and calls; no DOM.
 *
 * The job of an exam belongs to the exam, not to the page: whoever opens the page finds it, and asks again every second
 * until nobody works on it any more.
 *
 * @typedef {{
 *   id: number, code: string, name: string, timezone: string, is_demo: boolean, sessions: number, rooms: number,
 *   candidates: number, items: number,
 * }} Exam
 * @typedef {{
 *   name: string, start: string, minutes: number, sign_in_opens: number, last_admission: number,
 *   earliest_hand_in: number,
 * }} SessionForm
 * @typedef {SessionForm & {
 *   id: number, number: number, state: 'planned' | 'held' | 'opened' | 'begun' | 'over', people: number,
 *   papers: number, signed_in: number, items: number | null, digest: string | null, drawn_at: string | null,
 * }} Session
 * @typedef {{name: string, building: string, number: string, seats: number, spares: number}} RoomForm
 * @typedef {RoomForm & {
 *   id: number, building_id: number, ordinal: number, out_of_order: number, people: number, staff: number,
 * }} Room
 * @typedef {{id: number, label: string, is_spare: boolean, out_of_order: string | null, people: number}} Seat
 * @typedef {{zh: string, en: string}} Words
 * @typedef {{
 *   id: number, exam_id: number, session_id: number | null, kind: 'roster' | 'bank' | 'draw', state: string,
 *   name: string, stage: string, done: number, total: number, percent: number | null, result: any, faults: number,
 *   by: string, made_at: string, ended_at: string | null,
 * }} Job
 * @typedef {{
 *   code: string, sheet: string, row: number | null, column: string | null, cell: string | null, value: string,
 *   what: Words, mend: Words,
 * }} Fault
 * @typedef {{exam: Exam, sessions: Session[], rooms: Room[], job: Job | null}} Picture
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { moves, roomForm, sessionForm } from './site-picture.js';

export const TABS = /** @type {const} */ (['sessions', 'rooms', 'import', 'draw']);
export const EVERY_MS = 1000;
const CHOSEN = 'site-exam';
export const FAULTS_A_PAGE = 50;
/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   file: (path: string) => Promise<Blob>, timers: import('../../shared/api.js').Timers,
 *   loginEnded: (error: unknown) => boolean, forgive: () => void,
 *   storage: {get: (name: string) => string | null, set: (name: string, value: string | null) => void},
 * }} ports `storage` keeps which exam was looked at: a reload finds its job where it was
 */
export function createSite({ get, send, file, timers, loginEnded, forgive, storage }) {
  const exams = signal(/** @type {Exam[] | null} */ (null));
  const picture = signal(/** @type {Picture | null} */ (null));
  const tab = signal(/** @type {(typeof TABS)[number]} */ ('sessions'));
  /** What is being filled in beside the list: a session's, a room's or a building's id, or a new one. */
  const open = signal(/** @type {{what: 'exam' | 'session' | 'room' | 'seats', id: number | null} | null} */ (null));
  const seats = signal(/** @type {Seat[] | null} */ (null));
  const job = signal(/** @type {Job | null} */ (null));
  const faults = signal(/** @type {{offset: number, rows: Fault[]}} */ ({ offset: 0, rows: [] }));
  const fault = signal(/** @type {unknown} */ (null));
  /** What was done last, to be told: a key of the locale. */
  const told = signal(/** @type {string | null} */ (null));
  let left = true;
  /** @type {any} */
  let timer = null;
  let round = 0;

  /** What the page asks for; a fault is shown, and the next look mends it. @param {() => Promise<void>} ask */
  async function look(ask) {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!left && !loginEnded(error)) fault.value = error;
    }
  }

  /** @param {Job | null} next */
  function keep(next) {
    const before = job.value;
    job.value = next;
    timers.clearTimeout(timer);
    if (moves(next)) timer = timers.setTimeout(() => void ask(), EVERY_MS);
    if (next !== null && next.faults > 0 && (before?.id !== next.id || before.faults === 0)) void showFaults(0);
  }

  async function ask() {
    const id = job.value?.id;
    if (left || id === undefined) return;
    try {
      const { job: next } = await get(`/site/jobs/${id}`);
      if (left || job.value?.id !== id) return;
      fault.value = null;
      keep(next);
      if (!moves(next)) await reload();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (left || loginEnded(error)) return;
      // The work goes on without this page: ask again.
      timer = timers.setTimeout(() => void ask(), 2 * EVERY_MS);
    }
  }

  /** @param {number} offset */
  const showFaults = (offset) =>
    look(async () => {
      const of = job.value?.id;
      const body = await get(`/site/jobs/${of}/faults?offset=${offset}&limit=${FAULTS_A_PAGE}`);
      if (job.value?.id === of) faults.value = { offset, rows: body.faults };
    });

  const reload = () =>
    look(async () => {
      const mine = (round += 1);
      const { exams: all } = await get('/site/exams');
      const wanted = picture.value?.exam.id ?? Number(storage.get(CHOSEN));
      const id = all.some((/** @type {Exam} */ one) => one.id === wanted) ? wanted : all[0]?.id;
      const body = id === undefined ? null : await get(`/site/exams/${id}`);
      if (left || mine !== round) return;
      batch(() => {
        exams.value = all;
        picture.value = body;
        fault.value = null;
      });
      keep(body?.job ?? null);
    });

  /**
   * @param {string} at
   * @param {string} path
   * @param {unknown} body
   * @returns {Promise<any>} the reply; null when it was refused
   */
  async function act(at, path, body) {
    told.value = null;
    const done = await send(`site ${at}`, `/site${path}`, body);
    if (left) return null;
    if ('body' in done) told.value = at;
    // Also after a refusal: what there is now is what has to be decided on.
    await reload();
    return 'body' in done ? done.body : null;
  }

  /** @param {string} at @param {string} path @param {unknown} body */
  async function change(at, path, body) {
    const done = await act(at, path, body);
    if (done !== null) open.value = null;
    return done !== null;
  }

  return {
    exams, picture, tab, open, seats, job, faults, fault, told, reload, showFaults,

    start() {
      left = false;
      void reload();
    },

    stop() {
      left = true;
      timers.clearTimeout(timer);
      forgive();
      batch(() => {
        exams.value = null;
        picture.value = null;
        job.value = null;
        open.value = null;
        told.value = null;
        fault.value = null;
      });
    },

    /** @param {(typeof TABS)[number]} which */
    turn(which) {
      forgive();
      batch(() => {
        tab.value = which;
        open.value = null;
        told.value = null;
      });
    },

    /** @param {number} id */
    choose: (id) =>
      look(async () => {
        forgive();
        const mine = (round += 1);
        const body = await get(`/site/exams/${id}`);
        if (left || mine !== round) return;
        storage.set(CHOSEN, String(id));
        batch(() => {
          picture.value = body;
          open.value = null;
          told.value = null;
        });
        keep(body.job);
      }),

    /** @param {'exam' | 'session' | 'room' | 'seats' | null} what @param {number | null} [id] null: a new one */
    show(what, id = null) {
      forgive();
      batch(() => {
        open.value = what === null ? null : { what, id };
        told.value = null;
        seats.value = null;
      });
      if (what === 'seats' && id !== null) void this.loadSeats(id);
    },

    /** @param {number} room */
    loadSeats: (room) =>
      look(async () => {
        const body = await get(`/site/rooms/${room}/seats`);
        if (open.value?.id === room) seats.value = body.seats;
      }),

    /** @param {number} room @param {Seat} seat @param {string | null} why */
    async mark(room, seat, why) {
      await send('site mark', `/seats/${seat.id}/mark`, { out_of_order: why });
      await this.loadSeats(room);
      await reload();
    },

    /** @param {{code: string, name: string, timezone: string}} made */
    async addExam(made) {
      const done = await act('exam', '/exams', made);
      if (done === null) return;
      open.value = null;
      await this.choose(done.id);
      told.value = 'exam';
    },

    /** @param {Exam} exam @param {string} name */
    renameExam: (exam, name) => change('rename', `/exams/${exam.id}`, { name, seen: exam.name }),

    /** @param {Session | null} was @param {SessionForm} form */
    saveSession: (was, form) =>
      was === null
        ? change('session', `/exams/${picture.value?.exam.id}/sessions`, form)
        : change('session', `/sessions/${was.id}`, { ...form, seen: sessionForm(was) }),

    /** @param {Session} was */
    removeSession: (was) => change('session-remove', `/sessions/${was.id}/remove`, { seen: sessionForm(was) }),

    /** @param {Room | null} was @param {RoomForm} form */
    saveRoom: (was, form) =>
      was === null
        ? change('room', `/exams/${picture.value?.exam.id}/rooms`, form)
        : change('room', `/rooms/${was.id}`, { ...form, seen: roomForm(was) }),

    /** @param {Room} was */
    removeRoom: (was) => change('room-remove', `/rooms/${was.id}/remove`, { seen: roomForm(was) }),

    /** @param {number} building @param {string} seen @param {string} name */
    renameBuilding: (building, seen, name) => change('building', `/buildings/${building}`, { name, seen }),

    /** @param {Session} session @param {number} items */
    setItems: (session, items) =>
      change('blueprint', `/sessions/${session.id}/blueprint`, { items, seen: session.items }),

    /** @param {Session} session @param {{seed: string, redraw: boolean, columns: number | null}} how */
    draw: (session, { seed, redraw, columns }) =>
      act('draw', `/sessions/${session.id}/draw`, {
        redraw, ...(seed ? { seed } : {}), ...(columns ? { columns } : {}), seen: session.digest,
      }),

    /** @param {'roster' | 'bank'} kind @param {File} chosen @param {boolean} add */
    upload: (kind, chosen, add) =>
      act(
        'upload',
        `/imports?exam=${picture.value?.exam.id}&kind=${kind}&name=${encodeURIComponent(chosen.name)}&add=${add}`,
        chosen,
      ),

    /** @param {Job} shown */
    confirm: (shown) => act('confirm', `/jobs/${shown.id}/confirm`, { seen: shown.result.digest }),

    /** @param {Job} shown */
    discard: (shown) => act('discard', `/jobs/${shown.id}/discard`, {}),

    /** @param {Job} shown @param {'xlsx' | 'csv'} format @param {string} language @param {(got: Blob) => void} keepIt */
    report: (shown, format, language, keepIt) =>
      look(async () => keepIt(await file(`/site/jobs/${shown.id}/report?format=${format}&language=${language}`))),

    /** @param {'roster' | 'bank'} kind @param {(got: Blob) => void} keepIt */
    template: (kind, keepIt) => look(async () => keepIt(await file(`/site/templates/${kind}`))),
  };
}
