/**
 * Records of misconduct: one's own, or all of them for the office; a new one, and what is added to one. Signals and
 * calls; no DOM.
 *
 * @typedef {{id: number, kind: string, data: any, by: string, at: string, evidence: import('./incidents.js').File | null}} Entry
 * @typedef {'noted' | 'marked' | 'removed'} Measure
 * @typedef {{
 *   id: number, session_id: number, session: string, ticket: string, name: string, room_id: number, room: string,
 *   seat: string, incident: number | null, facts: string, second_staff: string, seen_at: string, told: boolean,
 *   signature: '' | 'signed' | 'refused', signature_zh: string, signature_en: string, measure: Measure,
 *   measure_zh: string, measure_en: string, told_by: string, by: string, at: string, newest: number,
 * }} Head
 * @typedef {Head & {entries: Entry[], may: {write: boolean, remove: boolean}}} Misconduct
 * @typedef {{
 *   session_id: number, session: string, room_id: number, room: string, candidates: number, noted: number,
 *   marked: number, removed: number,
 * }} Count
 * @typedef {{
 *   room: number, ticket: string, name: string, facts: string, second: string, minutes: string, told: boolean,
 *   signature: '' | 'signed' | 'refused', measure: Measure, witness: string, toldBy: string,
 * }} Draft
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { createLook, keepFiles } from './look.js';

export const MEASURES = /** @type {const} */ (['noted', 'marked', 'removed']);

/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   loginEnded: (error: unknown) => boolean, forgive: () => void, show: () => void,
 *   toldBy?: () => string,
 * }} ports
 */
export function createMisconduct({ get, send, timers, random, loginEnded, forgive, show, toldBy = () => '' }) {
  const session = signal(/** @type {number | null} */ (null));
  const list = signal(/** @type {Head[] | null} */ (null));
  const rooms = signal(/** @type {Count[]} */ ([]));
  const one = signal(/** @type {Misconduct | null} */ (null));
  const openId = signal(/** @type {number | null} */ (null));
  const draft = signal(/** @type {Draft | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  let round = 0;

  async function load() {
    const mine = (round += 1);
    const of = session.value;
    const id = openId.value;
    if (of === null) return;
    try {
      const [heads, told] = await Promise.all([get(`/misconduct?session=${of}`), id === null ? null : get(`/misconduct/${id}`)]);
      if (mine !== round) return;
      batch(() => {
        list.value = heads.misconduct;
        rooms.value = heads.rooms;
        one.value = told?.misconduct ?? null;
        fault.value = null;
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    }
  }
  const look = createLook({ timers, random, load });

  /** @param {number | null} id */
  function open(id) {
    forgive();
    batch(() => {
      openId.value = id;
      one.value = null;
      draft.value = null;
    });
    if (id !== null) void load();
  }

  return {
    session, list, rooms, one, openId, draft, fault, open,

    /** @param {number} of */
    enter(of) {
      if (session.value !== of) {
        batch(() => {
          session.value = of;
          list.value = null;
          rooms.value = [];
          openId.value = null;
          one.value = null;
        });
      }
      look.start();
    },

    leave: () => look.stop(),

    reset() {
      look.stop();
      round += 1;
      batch(() => {
        session.value = null;
        list.value = null;
        rooms.value = [];
        openId.value = null;
        one.value = null;
        draft.value = null;
        fault.value = null;
      });
    },

    /** @param {number} room @param {string} [ticket] @param {string} [name] */
    begin(room, ticket = '', name = '') {
      open(null);
      draft.value = {
        room, ticket, name, facts: '', second: '', minutes: '0', told: false, signature: '', measure: 'noted',
        witness: '', toldBy: toldBy(),
      };
      show();
    },

    /** @param {Partial<Draft>} some */
    edit(some) {
      if (draft.value) draft.value = { ...draft.value, ...some };
    },

    close() {
      forgive();
      draft.value = null;
    },

    /** @param {readonly {name: string, body: Blob}[]} files */
    async submit(files) {
      if (draft.value === null || session.value === null) return false;
      const ids = await keepFiles(send, 'misconduct', session.value, files);
      if (ids === null) return false;
      const reply = await send('misconduct', '/misconduct', toBody(draft.value, session.value, ids));
      if (!('body' in reply)) return false;
      open(reply.body.misconduct.id);
      return true;
    },

    /** @param {Misconduct} of @param {Record<string, unknown>} body @param {readonly {name: string, body: Blob}[]} [files] */
    async write(of, body, files = []) {
      const ids = await keepFiles(send, 'misconduct write', of.session_id, files);
      if (ids === null) return false;
      const reply = await send('misconduct write', `/misconduct/${of.id}/entries`, {
        ...body, seen: of.newest, ...(ids.length > 0 ? { files: ids } : {}),
      });
      if ('body' in reply) one.value = reply.body.misconduct;
      void load();
      return 'body' in reply;
    },
  };
}

/** @param {Draft} draft */
export function lacking(draft) {
  if (!draft.ticket.trim()) return 'ticket';
  if (!draft.facts.trim()) return 'facts';
  if (!draft.second.trim()) return 'second';
  return /^\d{1,3}$/.test(draft.minutes.trim()) && Number(draft.minutes) <= 600 ? null : 'minutes';
}

/** @param {Draft} draft @param {number} session @param {number[]} files */
export function toBody(draft, session, files) {
  return {
    session_id: session,
    room_id: draft.room,
    ticket: draft.ticket.trim(),
    facts: draft.facts.trim(),
    second_staff: draft.second.trim(),
    told: draft.told,
    signature: draft.told ? draft.signature : '',
    measure: draft.measure,
    minutes_ago: Number(draft.minutes),
    witnesses: draft.witness.trim() ? [{ name: draft.witness.trim() }] : [],
    files,
    told_by: draft.toldBy.trim(),
  };
}
