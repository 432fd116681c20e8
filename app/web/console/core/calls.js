/**
 * What a room does in an emergency: it is stopped and let go on, its roll is called, another room is asked for a seat,
 * somebody leaves for good. No DOM.
 *
 * Stopping is one press: the effect is looked at and confirmed in the same breath, for nobody reads a preview while it
 * burns. Where somebody else decided in between, it is looked at once more.
 *
 * @typedef {import('./room.js').Picture} Picture
 * @typedef {'room' | 'building' | 'site'} Reach
 * @typedef {{reach: Reach, how: 'pause' | 'resume', zh: string, en: string, stay: number}} Told
 */
import { ApiError, Refused } from '../../shared/api.js';
import { signal } from '../../shared/ui.js';

/** Reasons for stopping everybody, the likeliest first. */
export const WHY = Object.freeze(['fire', 'disturbance', 'power', 'lightning', 'network', 'other']);
/** Who stays behind when a room goes on. */
const STAYS = 'medical';

/**
 * The room to ask for a seat for this candidate: the nearest that has not said no.
 *
 * @param {Picture} picture
 * @param {string} ticket
 */
export function nextRoom(picture, ticket) {
  const said = picture.spare_requests.filter((one) => one.ticket === ticket && one.state === 'declined');
  return picture.spare_rooms.find((room) => said.every((one) => one.to_room_id !== room.room_id)) ?? null;
}

/**
 * What this room asked for a candidate: what waits, else the newest no.
 *
 * @param {Picture} picture
 * @param {string} ticket
 */
export function askedFor(picture, ticket) {
  const mine = picture.spare_requests.filter((one) => one.ticket === ticket && one.from_room_id === picture.room.id);
  return mine.find((one) => one.state === 'asked') ?? mine[mine.length - 1] ?? null;
}

/** What other rooms ask of this one. @param {Picture} picture */
export function askedHere(picture) {
  return picture.spare_requests.filter((one) => one.state === 'asked' && one.to_room_id === picture.room.id);
}

/** Who stands still. @param {Picture} picture */
export function stopped(picture) {
  return picture.seats.filter((seat) => seat.occupant?.state === 'paused');
}

/** Who is here, for a list on paper. @param {Picture} picture */
export function present(picture) {
  const gone = new Set(['not_arrived', 'absent', 'deferred']);
  return picture.seats.filter((seat) => seat.occupant && !gone.has(seat.occupant.state));
}

/**
 * @param {{
 *   send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   change: (at: string, path: string, body: unknown) => Promise<boolean>,
 *   look: (path: string, body: unknown) => Promise<any>, loginEnded: (error: unknown) => boolean,
 *   fault: {value: {at: string, error: unknown} | null}, picture: {value: Picture | null}, by: () => object,
 *   buildingOf: (room: number) => number | null,
 * }} ports `look`: asks once and changes nothing
 */
export function createCalls({ send, change, look, loginEnded, fault, picture, by, buildingOf }) {
  /** The emergency panel lies beside the map. */
  const open = signal(false);
  const told = signal(/** @type {Told | null} */ (null));

  const here = () => {
    const shown = picture.value;
    if (!shown) throw new Error('no room is open');
    return { room: shown.room.id, session: shown.session.id };
  };

  /**
   * A change of time at one press; what it did, or null.
   *
   * @param {string} at
   * @param {object} body
   */
  async function timed(at, body) {
    for (let tries = 0; tries < 2; tries += 1) {
      let seen;
      try {
        ({ seen } = await look('/time/preview', body));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!loginEnded(error)) fault.value = { at, error };
        return null;
      }
      const answer = await send(at, '/time/actions', { ...body, seen });
      if ('body' in answer) return answer.body;
      if (!(answer.error instanceof Refused) || answer.error.code !== 'time-changed') return null;
    }
    return null;
  }

  /** @param {Reach} reach */
  const scopeOf = (reach) => {
    const { room, session } = here();
    if (reach === 'site') return { session, kind: 'site' };
    return reach === 'room'
      ? { session, kind: 'room', rooms: [room] }
      : { session, kind: 'building', buildings: [buildingOf(room)] };
  };

  /** @param {Reach} reach @param {'pause' | 'resume'} how @param {any} done @param {number} stay */
  const tell = (reach, how, done, stay = 0) => {
    told.value = { reach, how, zh: done.effect.zh, en: done.effect.en, stay };
  };

  /** @param {string} path @param {object} body */
  const inRoll = (path, body) => {
    const { room, session } = here();
    return change('roll', `/rooms/${room}/roll-call${path}`, { session_id: session, ...by(), ...body });
  };

  return {
    open, told,

    /** Another room, or nobody any more. */
    reset() {
      open.value = false;
      told.value = null;
    },

    /** @param {Reach} reach @param {string} reason @param {string} note */
    async pause(reach, reason, note) {
      told.value = null;
      const done = await timed('halt', { action: 'pause', scope: scopeOf(reach), reason, note });
      if (done) tell(reach, 'pause', done);
      return done !== null;
    },

    /**
     * Let them go on, except those who cannot: they are stopped by themselves first, so that nobody's clock runs for a
     * moment.
     *
     * @param {Reach} reach
     * @param {string[]} stay attempts
     * @param {string} note why they stay
     */
    async resume(reach, stay, note) {
      told.value = null;
      const { session } = here();
      for (const attempt of stay) {
        const scope = { session, kind: 'candidate', attempt };
        const kept = await timed('halt', { action: 'pause', scope, reason: STAYS, note });
        const already = fault.value?.error;
        // Stopped by themselves before: that is what is wanted.
        if (!kept && !(already instanceof Refused && already.code === 'already-paused')) return false;
      }
      const done = await timed('halt', { action: 'resume', scope: scopeOf(reach) });
      if (done) tell(reach, 'resume', done, stay.length);
      return done !== null;
    },

    callRoll: () => inRoll('', {}),
    /** @param {number} id @param {string[]} tickets @param {boolean | null} found */
    mark: (id, tickets, found) => inRoll(`/${id}/marks`, { tickets, found }),
    /** @param {number} id */
    endRoll: (id) => inRoll(`/${id}/close`, {}),

    /** @param {string} attempt @param {number} room @param {string} reason */
    ask: (attempt, room, reason) =>
      change('spare', `/attempts/${attempt}/spare-request`, { to_room_id: room, reason, ...by() }),
    /** @param {number} id @param {'yes' | 'no'} answer */
    answer: (id, answer) => change(`spare ${id}`, `/spare-requests/${id}/answer`, { answer, ...by() }),
    /** @param {number} id */
    unask: (id) => change('spare', `/spare-requests/${id}/withdraw`, by()),

    /** @param {string} attempt @param {string} reason */
    leaveForGood: (attempt, reason) => change('withdraw-exam', `/attempts/${attempt}/withdraw`, { reason, ...by() }),
  };
}

/** @typedef {ReturnType<typeof createCalls>} Calls */
