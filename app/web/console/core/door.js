/**
 * The door and the room's record: whom a scan or a few keys mean, check-ins that wait for nobody, and everything else a
 * room accounts for. No DOM.
 *
 * Check-ins have a queue of their own: forty people come in five minutes, and the next scan is not dropped because the
 * reply of the last one is under way. Everything else is one click at a time (`clicks.js`).
 *
 * @typedef {import('./room.js').Picture} Picture
 * @typedef {import('./room.js').Seat} Seat
 * @typedef {{
 *   kind: 'waits' | 'done' | 'again' | 'refused' | 'many' | 'nobody' | 'undone', ticket: string, name: string,
 *   seat: string, by?: string, n?: number, error?: unknown,
 * }} Told what became of the last one at the door
 */
import { batch, signal } from '../../shared/ui.js';

/** A ticket is longer than a seat or the few keys of a name. */
const TICKET_LENGTH = 6;

/**
 * Whom a scan or a few keys mean: a whole ticket (also one of another room: the service knows the right door), a seat, or
 * a part of a name or of a ticket that fits only one.
 *
 * @param {Picture} picture
 * @param {string} text
 * @returns {{ticket: string, seat: Seat | null} | {n: number}} `n`: how many it fits, none or several
 */
export function meant(picture, text) {
  const words = text.trim().toLowerCase();
  if (words === '') return { n: 0 };
  const people = picture.seats.filter((seat) => seat.occupant);
  const of = (/** @type {Seat} */ seat) => ({ ticket: seat.occupant?.ticket ?? '', seat });
  const whole = people.find((seat) => seat.occupant?.ticket.toLowerCase() === words);
  if (whole) return of(whole);
  const seated = people.find((seat) => seat.label.toLowerCase() === words.replace(/^0+(?=\d)/, ''));
  if (seated) return of(seated);
  if (/^\d{1,2}$/.test(words)) return { n: 0 };
  const found = people.filter(
    ({ occupant }) => occupant?.name.toLowerCase().includes(words) || occupant?.ticket.toLowerCase().endsWith(words),
  );
  if (found.length === 1) return of(found[0]);
  if (found.length === 0 && words.length >= TICKET_LENGTH && /^[\w-]+$/.test(words)) {
    return { ticket: text.trim(), seat: null };
  }
  return { n: found.length };
}

/**
 * Who is neither present nor confirmed as absent, in seat order.
 *
 * @param {Picture} picture
 */
export function missing(picture) {
  return picture.seats.filter((seat) => seat.occupant?.state === 'not_arrived');
}

/**
 * @param {{
 *   act: (path: string, body: unknown, onWaiting?: () => void) => Promise<any>,
 *   change: (at: string, path: string, body: unknown) => Promise<boolean>, get: (path: string) => Promise<any>,
 *   loginEnded: (error: unknown) => boolean, picture: {value: Picture | null},
 * }} ports
 */
export function createDoor({ act, change, get, loginEnded, picture }) {
  /** Check-in mode: a tap on a seat, or a scan, checks in. */
  const open = signal(false);
  const told = signal(/** @type {Told | null} */ (null));
  const waiting = signal(0);
  /** The room's record lies in the panel. */
  const record = signal(false);
  /** Who asked for it by telephone, when the office does it for a room: part of every change until it is emptied. */
  const toldBy = signal('');
  const duty = signal(/** @type {any} */ (null));
  /** @type {Promise<void>} */
  let queue = Promise.resolve();

  const here = () => {
    const shown = picture.value;
    if (!shown) throw new Error('no room is open');
    return { room: shown.room.id, session_id: shown.session.id };
  };
  const by = () => (toldBy.value.trim() === '' ? {} : { told_by: toldBy.value.trim() });

  /** @param {string} what @param {string} path below the room @param {object} body */
  const inRoom = (what, path, body) => {
    const { room, session_id } = here();
    return change(what, `/rooms/${room}/${path}`, { session_id, ...by(), ...body });
  };

  /** @param {string} ticket @param {Seat | null} seat */
  function checkIn(ticket, seat) {
    const { room, session_id } = here();
    const who = { ticket, name: seat?.occupant?.name ?? ticket, seat: seat?.label ?? '' };
    const body = { session_id, ticket, ...by() };
    waiting.value += 1;
    told.value = { kind: 'waits', ...who };
    queue = queue.then(async () => {
      /** @type {Told} */
      let said;
      try {
        const { candidate, checked_in: seen, already } = await act(`/rooms/${room}/check-in`, body);
        said = { kind: already ? 'again' : 'done', ticket, name: candidate.name, seat: candidate.seat, by: seen.by };
      } catch (error) {
        if (loginEnded(error)) return;
        said = { kind: 'refused', ...who, error };
      } finally {
        waiting.value -= 1;
      }
      told.value = said;
    });
    return queue;
  }

  return {
    open, told, waiting, record, toldBy, duty, by, checkIn,

    toggle() {
      batch(() => {
        open.value = !open.value;
        told.value = null;
      });
    },

    /** Another room, or nobody any more. */
    reset() {
      batch(() => {
        told.value = null;
        duty.value = null;
        record.value = false;
        toldBy.value = '';
      });
    },

    /**
     * A scan, or a few keys and Enter. Whether the field may be emptied for the next one.
     *
     * @param {string} text
     */
    enter(text) {
      const shown = picture.value;
      if (!shown || text.trim() === '') return false;
      const who = meant(shown, text);
      if ('n' in who) {
        told.value = { kind: who.n === 0 ? 'nobody' : 'many', ticket: '', name: text.trim(), seat: '', n: who.n };
        return false;
      }
      void checkIn(who.ticket, who.seat);
      return true;
    },

    /** @param {string} ticket @param {string} reason */
    async undo(ticket, reason) {
      const last = told.value;
      const done = await inRoom('check-in-undo', 'check-in/undo', { ticket, reason });
      if (done && last?.ticket === ticket) told.value = { ...last, kind: 'undone' };
      return done;
    },

    /** @param {string} ticket @param {string} reason */
    admit: (ticket, reason) => inRoom('admit', 'admissions', { ticket, reason }),
    /** @param {string[]} tickets those that were shown */
    confirmAbsent: (tickets) => inRoom('absent', 'absent', { tickets }),
    /** @param {{expected: number, present: number, absent: number}} numbers as shown @param {string} remarks */
    signOff: ({ expected, present, absent }, remarks) =>
      inRoom('sign-off', 'sign-off', { expected, present, absent, remarks }),
    /** @param {string} reason */
    reopen: (reason) => inRoom('sign-off', 'sign-off/undo', { reason }),
    release: () => inRoom('release', 'release', {}),

    /** @param {Seat[]} seats two, each with a candidate @param {string} reason */
    swap: (seats, reason) =>
      change('swap', '/seats/swap', {
        session_id: here().session_id,
        candidates: seats.map((seat) => ({ ticket: seat.occupant?.ticket, seat_id: seat.seat_id })),
        reason,
        ...by(),
      }),

    /** @param {string} attempt @param {'toilet' | 'medical' | 'other'} kind @param {string} note */
    leave: (attempt, kind, note) => change('leave', `/attempts/${attempt}/leave`, { kind, note, ...by() }),
    /** @param {string} attempt */
    comeBack: (attempt) => change('leave', `/attempts/${attempt}/return`, by()),

    async loadDuty() {
      const { room } = here();
      try {
        const found = await get(`/rooms/${room}/duty`);
        if (picture.value?.room.id === room) duty.value = found;
      } catch (error) {
        if (!loginEnded(error)) duty.value = { error };
      }
    },

    /** @param {{joined?: string, left?: string, reason: string}} body */
    async changeDuty(body) {
      const { room } = here();
      return change('duty', `/rooms/${room}/duty`, { ...body, ...by() });
    },
  };
}

/** @typedef {ReturnType<typeof createDoor>} Door */
