/**
 * A grant (one attempt under one epoch on this device) and its entries, before and after what the service said. Pure:
 * the outbox reads, asks here, and writes what it is told in one transaction.
 *
 * @typedef {import('./state.js').Entry} Entry
 * @typedef {import('./reply.js').CheckpointReply} CheckpointReply
 * @typedef {import('./reply.js').AttemptReply} AttemptReply
 * @typedef {'live' | 'signed-out' | 'superseded' | 'closed' | 'final'} GrantState
 * @typedef {{position: number, marked: number[], elapsed_ms: number}} Registers
 * @typedef {{
 *   attempt: string, epoch: number, lineage: string, token: string, ticket: string, servers: string[],
 *   state: GrantState, next_seq: number,
 *   told: {lineage: string, count: number}, registers: Registers, registers_told: string,
 *   who: any, receipt: any, hand_in_asked: boolean, superseded_by: any,
 * }} Grant `told` is the most the service has ever said it holds; `registers_told` what it has of position and marks;
 *   `who` is what the pages show (candidate, seat, …)
 * @typedef {{seq: number, token: string, revs: Map<number, number>, fresh: Set<number>, body: any, registers: string,
 *   lineage: string, count: number, more: boolean}} Claim what one request carries; `lineage` and `count` as told before;
 *   `fresh` are the items of which the service has never acknowledged this revision or a later one
 * @typedef {{entries: Entry[], grant: Grant}} After only the entries that changed
 */
import { absorbed, settled, unsettled } from './state.js';

/** `registers_told` of a grant that has told nothing yet. */
export const UNTOLD = 'untold';

/** Room for the envelope, position and marks beside the responses. */
const ENVELOPE_BYTES = 4096;

/** Position and marks as one comparable word. @param {{position: number, marked: number[]}} registers */
const spelled = ({ position, marked }) => JSON.stringify({ position, marked });

/**
 * Does the service hold less than it once said? Then it was restored, or promoted from an older copy (I1).
 *
 * @param {Grant} grant
 * @param {{lineage: string, count: number | null}} reply `count: null` says nothing
 * @param {number} [least] what it must hold by now
 */
export function lost(grant, { lineage, count }, least = grant.told.count) {
  return lineage !== grant.told.lineage || (count !== null && count < Math.max(least, grant.told.count));
}

/**
 * The body of the next request.
 *
 * @param {Grant} grant its registers as they are now
 * @param {Entry[]} due
 * @param {{most: number, mostBytes: number, bare: boolean}} limits `bare` leaves position and marks out
 * @returns {Claim}
 */
export function claimed(grant, due, { most, mostBytes, bare }) {
  const { chosen, more } = fitting(due, most, mostBytes - ENVELOPE_BYTES);
  const { position, marked, elapsed_ms } = grant.registers;
  const said = spelled(grant.registers);
  const news = !bare && said !== grant.registers_told;
  const seq = grant.next_seq; // it moves only when a reply has been stored: an unanswered one is repeated
  return {
    seq,
    token: grant.token,
    lineage: grant.told.lineage,
    count: grant.told.count,
    revs: new Map(chosen.map((row) => [row.item, row.rev])),
    fresh: new Set(chosen.filter((row) => row.rev > row.server_rev).map((row) => row.item)),
    registers: news ? said : grant.registers_told,
    more,
    body: {
      seq,
      responses: chosen.map(({ item, rev, value, at_ms }) => ({ item, rev, value, at_ms })),
      ...(news ? { position, marked } : {}),
      elapsed_ms: Math.round(elapsed_ms),
    },
  };
}

/**
 * An acknowledgement arrived.
 *
 * @param {Entry[]} rows
 * @param {Grant} grant
 * @param {Claim} claim
 * @param {CheckpointReply} reply
 * @param {boolean} patient everything was sent again a moment ago, so a lower count alone is noted for later instead of
 *   acted on (two stores may disagree for a while; 1,880 browsers must not echo it)
 * @returns {After & {moved: number, resend: boolean}} how many entries moved, and whether everything is sent again
 */
export function afterReply(rows, grant, claim, reply, patient) {
  // What it said before, and one for each revision that it has committed for the first time now: a service that was put
  // back and is told many new answers at once would else look as if it had lost nothing.
  const news = reply.items.filter((ack) => ack.status === 'durable' && claim.fresh.has(ack.item)).length;
  const lower = lost(grant, reply, claim.count + news);
  const resend = reply.lineage !== grant.told.lineage || (lower && !patient);
  const count = reply.count === null || (lower && !resend) ? grant.told.count : reply.count;
  const acks = new Map(reply.items.map((ack) => [ack.item, ack]));
  let moved = 0;
  const entries = [];
  for (const row of rows) {
    const ack = claim.revs.has(row.item) ? acks.get(row.item) : undefined;
    // What was not answered just now is known from before only: not believed any more.
    const after = ack ? settled(row, ack) : resend ? unsettled(row) : row;
    if (ack && (after.state !== row.state || after.rev !== row.rev)) moved += 1;
    if (after !== row) entries.push(after);
  }
  return {
    moved,
    resend,
    entries,
    grant: {
      ...grant,
      next_seq: Math.max(claim.seq, grant.next_seq - 1, reply.acked_seq) + 1,
      told: { lineage: reply.lineage, count },
      registers_told: resend ? '' : reply.durability === 'durable' ? claim.registers : grant.registers_told,
    },
  };
}

/**
 * It was pushed, without a question of ours, what became of buffered answers. As a reply for exactly these revisions;
 * but an event may be older than the last reply, so it moves neither count nor sequence.
 *
 * @param {Entry[]} rows
 * @param {Grant} grant
 * @param {{lineage: string, items: import('./state.js').ItemAck[]}} told
 * @returns {After}
 */
export function afterPush(rows, grant, told) {
  const same = told.lineage === grant.told.lineage;
  const entries = [];
  for (const row of same ? rows : []) {
    const acks = told.items.filter((ack) => ack.item === row.item);
    if (acks.length) entries.push(acks.reduce(settled, row));
  }
  return { entries, grant };
}

/**
 * What the service holds was read (sign-in, reload): both sides meet, item by item.
 *
 * @param {Entry[]} rows
 * @param {Grant} grant
 * @param {AttemptReply} reply
 * @param {number} at_ms service time, for answers that were given elsewhere
 * @returns {After}
 */
export function afterReading(rows, grant, reply, at_ms) {
  const { attempt, epoch } = grant;
  const again = lost(grant, reply);
  const mine = new Map(rows.map((row) => [row.item, again ? unsettled(row) : row]));
  const items = new Set([...mine.keys(), ...Object.keys(reply.responses).map(Number)]);
  const entries = [];
  for (const item of items) {
    const at = { attempt, epoch, item, at_ms };
    const row = absorbed(mine.get(item) ?? null, reply.responses[String(item)] ?? null, at);
    if (row) entries.push(row);
  }
  // Position and marks that this very device has not told yet are newer than the service's.
  const ours = grant.registers_told !== UNTOLD && grant.registers_told !== spelled(grant.registers);
  const { position, marked } = ours ? grant.registers : reply;
  return {
    entries,
    grant: {
      ...grant,
      told: { lineage: reply.lineage, count: reply.count ?? grant.told.count },
      next_seq: Math.max(grant.next_seq, reply.next_seq, reply.acked_seq + 1),
      registers: { position, marked, elapsed_ms: Math.max(grant.registers.elapsed_ms, reply.elapsed_ms) },
      registers_told: ours ? grant.registers_told : spelled(reply),
    },
  };
}

/**
 * As many as the service takes at once; always at least one, so that a single large answer is never stuck.
 *
 * @param {Entry[]} due
 * @param {number} most
 * @param {number} mostBytes
 */
function fitting(due, most, mostBytes) {
  const chosen = [];
  let bytes = 0;
  for (const row of [...due].sort((a, b) => a.at_ms - b.at_ms)) {
    // A UTF-16 unit is at most three bytes in UTF-8: an estimate that never falls short.
    const size = 3 * JSON.stringify(row.value).length + 96;
    if (chosen.length > 0 && (chosen.length >= most || bytes + size > mostBytes)) break;
    chosen.push(row);
    bytes += size;
  }
  return { chosen, more: chosen.length < due.length };
}
