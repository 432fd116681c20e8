/**
 * What the record and candidates disagree about: the form at the door, the correction list, and the office's decisions
 * as they are gathered before they are sent together. Signals and calls; no DOM.
 *
 * @typedef {{
 *   field: string, zh: string, en: string, recorded: string, recorded_zh: string, recorded_en: string,
 *   claimed: string, claimed_zh: string, claimed_en: string, now: string, now_zh: string, now_en: string,
 *   state: 'open' | 'approved' | 'rejected', state_zh: string, state_en: string, by: string | null, at: string | null,
 *   note: string,
 * }} Field
 * @typedef {{
 *   id: number, session_id: number, session: string, ticket: string, name: string, room_id: number, room: string,
 *   seat: string | null, identified: string, note: string, told_by: string, by: string, own: boolean, at: string, open: boolean,
 *   fields: Field[], files: import('./incidents.js').File[],
 * }} Discrepancy
 * @typedef {{field: string, zh: string, en: string, recorded_zh: string, recorded_en: string, open_by: string | null}} Known
 * @typedef {{
 *   candidate: {ticket: string, name: string, room: string, seat: string}, fields: Known[],
 *   kinds: {id: string, zh: string, en: string}[], genders: string[],
 * }} About
 * @typedef {{
 *   room: number, ticket: string, claims: Record<string, string>, identified: string, note: string, toldBy: string,
 * }} Draft `claims`: what the document says, by field; a photo needs no value, it is the first picture sent
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { createLook, keepFiles } from './look.js';

/** The photo's value in a draft: that it is to be the first picture. */
export const PICTURE = 'picture';

/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   timers: import('../../shared/api.js').Timers, random: {unit: () => number},
 *   loginEnded: (error: unknown) => boolean, forgive: () => void, show: () => void,
 *   toldBy?: () => string,
 * }} ports `send`: one click, repeated until answered; `show`: the page comes onto the screen
 */
export function createDiscrepancies({ get, send, timers, random, loginEnded, forgive, show, toldBy = () => '' }) {
  const session = signal(/** @type {number | null} */ (null));
  const list = signal(/** @type {Discrepancy[] | null} */ (null));
  const draft = signal(/** @type {Draft | null} */ (null));
  const about = signal(/** @type {About | null} */ (null));
  /** Decisions that have not been sent: `id field` to approve or not. */
  const chosen = signal(/** @type {Record<string, boolean>} */ ({}));
  /** Who was let in a moment ago. */
  const done = signal(/** @type {{name: string, number: boolean, checkedIn: boolean} | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  let round = 0;

  async function load() {
    const mine = (round += 1);
    const of = session.value;
    if (of === null) return;
    try {
      const body = await get(`/discrepancies?session=${of}`);
      if (mine !== round) return;
      batch(() => {
        list.value = body.discrepancies;
        chosen.value = stillOpen(chosen.value, body.discrepancies);
        fault.value = null;
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    }
  }
  const look = createLook({ timers, random, load });

  async function loadAbout() {
    const { room, ticket } = draft.value ?? { room: 0, ticket: '' };
    about.value = null;
    if (!ticket.trim() || session.value === null) return;
    try {
      const body = await get(`/discrepancies/about?session=${session.value}&room=${room}&ticket=${encodeURIComponent(ticket.trim())}`);
      if (draft.value?.ticket === ticket) {
        about.value = body;
        fault.value = null;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!loginEnded(error)) fault.value = error;
    }
  }

  return {
    session, list, draft, about, chosen, done, fault, loadAbout,

    /** On the screen, for a session. @param {number} of */
    enter(of) {
      if (session.value !== of) {
        batch(() => {
          session.value = of;
          list.value = null;
          chosen.value = {};
        });
      }
      if (draft.value !== null && about.value === null) void loadAbout();
      look.start();
    },

    leave: () => look.stop(),

    reset() {
      look.stop();
      round += 1;
      batch(() => {
        session.value = null;
        list.value = null;
        draft.value = null;
        about.value = null;
        chosen.value = {};
        done.value = null;
        fault.value = null;
      });
    },

    /** The form, about whoever it is; nothing is sent. @param {number} room @param {string} [ticket] */
    begin(room, ticket = '') {
      forgive();
      batch(() => {
        draft.value = { room, ticket, claims: {}, identified: '', note: '', toldBy: toldBy() };
        about.value = null;
        done.value = null;
        fault.value = null;
      });
      show();
      void loadAbout();
    },

    /** @param {Partial<Draft>} some */
    edit(some) {
      if (draft.value) draft.value = { ...draft.value, ...some };
    },

    /** A field differs after all, or does not. @param {string} field */
    toggle(field) {
      if (!draft.value) return;
      const { [field]: was, ...claims } = draft.value.claims;
      const first = field === 'photo' ? PICTURE : '';
      draft.value = { ...draft.value, claims: was === undefined ? { ...claims, [field]: first } : claims };
    },

    close() {
      forgive();
      draft.value = null;
    },

    /** Files, then the record: the candidate is let in by it. @param {readonly {name: string, body: Blob}[]} files */
    async submit(files) {
      const told = draft.value;
      if (told === null || session.value === null) return false;
      const ids = await keepFiles(send, 'discrepancy', session.value, files);
      if (ids === null) return false;
      const picture = files.findIndex(({ body }) => body.type.startsWith('image/'));
      const reply = await send('discrepancy', '/discrepancies', toBody(told, session.value, ids, ids[picture]));
      if (!('body' in reply)) return false;
      const { discrepancy, checked_in: checkedIn } = reply.body;
      batch(() => {
        draft.value = null;
        done.value = { name: discrepancy.name, number: 'id_number' in told.claims, checkedIn };
        list.value = [discrepancy, ...(list.value ?? []).filter(({ id }) => id !== discrepancy.id)];
      });
      return true;
    },

    /** @param {Discrepancy} of @param {Field} field @param {boolean} approve */
    choose(of, field, approve) {
      const name = `${of.id} ${field.field}`;
      const { [name]: was, ...rest } = chosen.value;
      chosen.value = was === approve ? rest : { ...rest, [name]: approve };
    },

    /** Everything that is chosen, together. @param {string} note */
    async decide(note) {
      const decisions = decisionsOf(list.value ?? [], chosen.value, note);
      if (decisions.length === 0) return false;
      const reply = await send('decide', '/discrepancies/decide', { decisions });
      if ('body' in reply) chosen.value = {};
      await load();
      return 'body' in reply;
    },
  };
}

/** What is still missing before it can be sent. @param {Draft} draft @param {About | null} about @param {boolean} pictures */
export function lacking(draft, about, pictures) {
  if (about === null) return 'ticket';
  const claims = Object.entries(draft.claims);
  if (claims.length === 0) return 'fields';
  if (claims.some(([, value]) => !value.trim())) return 'claimed';
  if ('photo' in draft.claims && !pictures) return 'photo';
  return draft.identified.trim() ? null : 'identified';
}

/** @param {Draft} draft @param {number} session @param {number[]} files @param {number} [picture] */
export function toBody(draft, session, files, picture) {
  return {
    session_id: session,
    room_id: draft.room,
    ticket: draft.ticket.trim(),
    fields: Object.entries(draft.claims).map(([field, value]) => ({
      field,
      claimed: field === 'photo' ? String(picture) : value.trim(),
    })),
    identified: draft.identified.trim(),
    note: draft.note.trim(),
    told_by: draft.toldBy.trim(),
    files,
  };
}

/** Each with the value that was on the screen. @param {Discrepancy[]} list @param {Record<string, boolean>} chosen @param {string} note */
export function decisionsOf(list, chosen, note) {
  return list.flatMap((of) =>
    of.fields
      .filter(({ field }) => `${of.id} ${field}` in chosen)
      .map(({ field, now }) => ({
        discrepancy: of.id,
        field,
        approve: /** @type {boolean} */ (chosen[`${of.id} ${field}`]),
        seen: now,
        note: note.trim(),
      })),
  );
}

/** Somebody else may have decided meanwhile. @param {Record<string, boolean>} chosen @param {Discrepancy[]} list */
function stillOpen(chosen, list) {
  const open = new Set(list.flatMap((of) => of.fields.filter(({ state }) => state === 'open').map(({ field }) => `${of.id} ${field}`)));
  return Object.fromEntries(Object.entries(chosen).filter(([name]) => open.has(name)));
}
