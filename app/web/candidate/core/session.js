/**
 * Who sits at this PC: sign-in, what a reload finds again, and leaving.
 *
 * The proof (device_id, lease_secret) is made here and stored under the ticket *before* the first try. A sign-in whose
 * reply was lost is then settled by repeating it: the service recognises its own grant. It also lets a rebooted PC go
 * on under the same epoch.
 *
 * A grant is only ever reached through its own attempt and epoch; `current` names the one that is signed in. The next
 * candidate's sign-in moves `current`, and from then on no code path of the page opens the earlier rows, except
 * `handover.js`, which sends what is left of them under their own token and shows it to nobody.
 *
 * @typedef {import('./grant.js').Grant} Grant
 * @typedef {{ticket: string, device_id: string, lease_secret: string}} Proof
 */
import { ApiError, NotOurs, Refused } from '../../shared/api.js';
import { UNTOLD } from './grant.js';
import { askedFor } from './insist.js';
import { attemptReply, clockMessage, isLineage } from './reply.js';

const SIGN_IN_MS = 8000;

/**
 * @param {{
 *   store: import('./store-memory.js').Store, api: import('../../shared/api.js').Api,
 *   ring: import('../../shared/api.js').ServerRing, random: {hex: (bytes: number) => string}, origin: string,
 * }} ports `origin` is the page's own, which needs no address
 */
export function createSession({ store, api, ring, random, origin }) {
  /**
   * Stored before anything is sent.
   *
   * @param {string} ticket
   * @returns {Promise<Proof>}
   */
  const proofFor = (ticket) =>
    store.transaction('readwrite', async (tx) => {
      const known = await tx.get('proofs', ticket);
      if (known) return known;
      const made = { ticket, device_id: random.hex(16), lease_secret: random.hex(32) };
      await tx.put('proofs', made);
      return made;
    });

  return {
    /**
     * @param {{ticket: string, idTail: string, seat: {room?: string, seat?: string} | null}} given
     * @returns {Promise<{grant: Grant, clock: import('./reply.js').ClockMessage}>}
     * @throws {import('../../shared/api.js').ApiError}
     */
    async signIn({ ticket, idTail, seat }) {
      const { device_id, lease_secret } = await proofFor(ticket);
      const body = { ticket, id_tail: idTail, device_id, lease_secret, ...(seat ? { seat } : {}) };
      const answer = await askAround(ring, async (server) => {
        const reply = await api.post('/api/v1/candidate/sign-in', body, { server, timeoutMs: SIGN_IN_MS });
        if (!isSignIn(reply.body)) throw new NotOurs(reply.status, server);
        return reply.body;
      });
      const clock = /** @type {import('./reply.js').ClockMessage} */ (clockMessage(answer.clock));
      ring.use(answer.servers ?? [], origin);
      return { grant: await remember(answer, { ticket, device_id, lease_secret }), clock };
    },

    /**
     * The record was put back and no longer knows this grant: the token says that it was given, the lease secret that it
     * is this device's. The service enters it again.
     *
     * @param {Grant} grant
     * @returns {Promise<import('./reply.js').ClockMessage>}
     */
    async prove(grant) {
      const { device_id, lease_secret } = await proofFor(grant.ticket);
      return askAround(ring, async (server) => {
        const how = { token: grant.token, server, timeoutMs: SIGN_IN_MS };
        const { body, status } = await api.post('/api/v1/attempt/lease', { device_id, lease_secret }, how);
        const clock = clockMessage(body.clock);
        if (!clock) throw new NotOurs(status, server);
        return clock;
      });
    },

    /** The grant that is signed in on this browser, as last stored. @returns {Promise<Grant | null>} */
    current: () =>
      store.transaction('readonly', async (tx) => {
        const pointer = await tx.get('meta', 'current');
        return (pointer && (await tx.get('grants', [pointer.attempt, pointer.epoch]))) || null;
      }),

    /**
     * Nobody is signed in any more. What is left of a grant that is final goes with its page, but for the proof: should
     * the office open the attempt again, its candidate signs in here without anybody's help.
     */
    leave: () =>
      store.transaction('readwrite', async (tx) => {
        const pointer = await tx.get('meta', 'current');
        /** @type {Grant | undefined} */
        const grant = pointer && (await tx.get('grants', [pointer.attempt, pointer.epoch]));
        if (grant?.state === 'final') await tx.put('grants', { ...grant, who: null, token: '' });
        await tx.delete('meta', 'current');
      }),

    /**
     * `GET /attempt`.
     *
     * @param {Grant} grant
     * @returns {Promise<import('./reply.js').AttemptReply>}
     */
    read: (grant) =>
      askAround(ring, async (server) => {
        const { body, status } = await api.get('/api/v1/attempt', { token: grant.token, server, timeoutMs: SIGN_IN_MS });
        const reply = attemptReply(body);
        if (!reply) throw new NotOurs(status, server);
        return reply;
      }),
  };

  /**
   * @param {any} answer
   * @param {Proof} sent
   * @returns {Promise<Grant>}
   */
  function remember(answer, { ticket, device_id, lease_secret }) {
    const lineage = String(answer.lineage);
    const { attempt_id: attempt, epoch, token, servers = [] } = answer;
    const { candidate, exam, session, seat } = answer;
    return store.transaction('readwrite', async (tx) => {
      /** @type {Grant | undefined} */
      const before = await tx.get('grants', [attempt, epoch]);
      const who = { candidate, exam, session, seat, confirmed: before?.who?.confirmed ?? false };
      /** @type {Grant} */
      const grant = {
        ...(before ?? {
          attempt,
          epoch,
          told: { lineage, count: 0 },
          registers: { position: 1, marked: [], elapsed_ms: 0 },
          registers_told: UNTOLD,
          receipt: null,
          hand_in_asked: false,
          superseded_by: null,
        }),
        lineage,
        token,
        ticket,
        servers,
        who,
        state: 'live',
        // Signed in again after a receipt: the office has opened the attempt again.
        ...(before?.receipt ? { receipt: null, hand_in_asked: false } : {}),
        next_seq: Math.max(before?.next_seq ?? 1, answer.next_seq ?? 1),
      };
      await tx.put('grants', grant);
      for (const other of await tx.all('grants')) {
        // Somebody else sits here now: whoever was done cannot come back without the invigilator.
        if (other.state === 'final' && other.ticket !== ticket) await tx.delete('proofs', other.ticket);
      }
      await tx.put('proofs', {
        ticket,
        device_id: answer.device_id ?? device_id,
        lease_secret: answer.lease_secret ?? lease_secret,
      });
      await tx.put('meta', { name: 'current', attempt, epoch });
      return grant;
    });
  }
}

/** @typedef {ReturnType<typeof createSession>} Session */

/** @param {any} body */
function isSignIn(body) {
  const named = typeof body.attempt_id === 'string' && Number.isSafeInteger(body.epoch) && isLineage(body.lineage);
  return named && typeof body.token === 'string' && clockMessage(body.clock) !== null;
}

/**
 * Every server of the ring once; a refusal that is an answer ends the round, a 503 does not.
 *
 * @template T
 * @param {import('../../shared/api.js').ServerRing} ring
 * @param {(server: string) => Promise<T>} ask
 * @returns {Promise<T>}
 */
export async function askAround(ring, ask) {
  for (;;) {
    const server = ring.current();
    try {
      const reply = await ask(server);
      ring.answered(server);
      return reply;
    } catch (error) {
      if (error instanceof Refused && error.status < 500) {
        ring.answered(server);
        throw error;
      }
      const { round, askedMs } = ring.failed(server, askedFor(error));
      if (!round) continue;
      // The wait is for the round, not for whoever happened to be the last of it.
      if (error instanceof ApiError) error.retryAfterMs = askedMs;
      throw error;
    }
  }
}
