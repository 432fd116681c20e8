/**
 * Is this body an acknowledgement? Only a well-formed one is: status 200 alone moves nothing (STYLE 22).
 *
 * @typedef {import('./state.js').ItemAck} ItemAck
 * @typedef {{kind: string, ms: number, text_zh?: string, text_en?: string}} Because
 * @typedef {{id: number, kind: string, zh: string, en: string}} Notice what the exam office did, in words
 * @typedef {{
 *   service_ms: number, remaining_ms: number, state: 'waiting' | 'running' | 'paused' | 'ended' | 'final',
 *   starts_in_ms: number | null, ends_at: string | null, because: Because[],
 * }} ClockMessage
 * @typedef {{
 *   acked_seq: number, durability: 'durable' | 'buffered' | 'stranded', items: ItemAck[], count: number | null,
 *   lineage: string, epoch: number, copies: number, state: string, clock: ClockMessage, notices: Notice[],
 *   receipt?: any, hand_in_void?: boolean,
 * }} CheckpointReply `count` is null while the service cannot tell (its record is away)
 * @typedef {{seq: number, lineage: string, count: number | null, revs: Map<number, number>}} Sent
 */

const STATUSES = new Set(['durable', 'buffered', 'stranded', 'refused']);
/** States in which an attempt is over, until somebody opens it again. */
const OVER = new Set(['ended', 'final']);
const CLOCK_STATES = new Set(['waiting', 'running', 'paused', 'ended', 'final']);

/** @param {any} value */
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

/**
 * @param {any} body
 * @param {Sent} sent what was asked about
 * @returns {CheckpointReply | null} null: no acknowledgement, e.g. a response that was sent is not spoken of
 */
export function checkpointReply(body, sent) {
  if (body === null || typeof body !== 'object') return null;
  if (!isCount(body.acked_seq) || !isLineage(body.lineage)) return null;
  if (body.count !== null && !isCount(body.count)) return null;
  const items = itemAcks(body.items);
  const clock = clockMessage(body.clock);
  if (items === null || clock === null) return null;
  const answered = new Set(items.map((ack) => ack.item));
  if (![...sent.revs.keys()].every((item) => answered.has(item))) return null;
  return { copies: 1, ...body, lineage: String(body.lineage), items, clock, notices: noticesIn(body.notices) };
}

/**
 * The hand-in's reply: a receipt stands for every response in the body, because it is made from the record after they
 * were committed. While the record is away there is none yet, and the reply is that of a checkpoint.
 *
 * @param {any} body
 * @param {Sent} sent
 * @returns {CheckpointReply | null}
 */
export function handInReply(body, sent) {
  if (body === null || typeof body !== 'object') return null;
  if (!body.receipt) return body.state === 'final' ? null : checkpointReply(body, sent);
  const items = body.items ?? [...sent.revs].map(([item, rev]) => ({ item, rev, status: 'durable' }));
  const known = { acked_seq: sent.seq, durability: 'durable', lineage: sent.lineage, count: sent.count };
  return checkpointReply({ ...known, ...body, items }, sent);
}

/**
 * `GET /attempt`: what the service holds.
 *
 * @typedef {{
 *   lineage: string, clock: ClockMessage, position: number, marked: number[], count: number | null, acked_seq: number,
 *   next_seq: number, elapsed_ms: number, responses: Record<string, import('./state.js').ServerResponse>, receipt: any,
 *   candidate: any, exam: any, session: any, seat: any, on_leave: boolean, leave_notice: number,
 * }} AttemptReply
 * @param {any} body
 * @returns {AttemptReply | null}
 */
export function attemptReply(body) {
  if (body === null || typeof body !== 'object' || !isLineage(body.lineage)) return null;
  const clock = clockMessage(body.clock);
  const { responses, marked } = body;
  if (clock === null || responses === null || typeof responses !== 'object' || !Array.isArray(marked)) return null;
  const known = { count: null, acked_seq: 0, next_seq: 1, elapsed_ms: 0, position: 1, receipt: null };
  const away = { on_leave: false, leave_notice: 0 };
  return { ...known, ...away, ...body, lineage: String(body.lineage), clock };
}

/**
 * The event `settled`: what became of answers that were only buffered. Those of other grants are left out.
 *
 * @param {any} data
 * @param {number} epoch
 * @returns {{lineage: string, count: number | null, items: ItemAck[]} | null}
 */
export function settledEvent(data, epoch) {
  const standing = standingOf(data);
  const items = itemAcks(data?.items);
  return standing && items && { ...standing, items: items.filter((ack) => ack.epoch === epoch) };
}

/**
 * Which record it is and how many revisions it holds, as every reply and every snapshot says.
 *
 * @param {any} data
 * @returns {{lineage: string, count: number | null} | null}
 */
export function standingOf(data) {
  if (data === null || typeof data !== 'object' || !isLineage(data.lineage)) return null;
  return { lineage: String(data.lineage), count: isCount(data.count) ? data.count : null };
}

/**
 * The per-item statuses of a reply or of a refusal that carries them.
 *
 * @param {any} items
 * @returns {ItemAck[] | null} null when the list is missing or one of its entries cannot be understood
 */
export function itemAcks(items) {
  if (!Array.isArray(items)) return null;
  const acks = [];
  for (const ack of items) {
    const item = Number(ack?.item);
    if (!isCount(item) || !isCount(ack?.rev) || !STATUSES.has(ack?.status)) return null;
    acks.push({ ...ack, item });
  }
  return acks;
}

/**
 * @param {any} clock
 * @returns {ClockMessage | null}
 */
export function clockMessage(clock) {
  if (clock === null || typeof clock !== 'object' || !CLOCK_STATES.has(clock.state)) return null;
  if (!Number.isFinite(clock.service_ms)) return null;
  const remaining_ms = Number.isFinite(clock.remaining_ms) ? clock.remaining_ms : 0;
  const starts_in_ms = Number.isFinite(clock.starts_in_ms) ? clock.starts_in_ms : null;
  return { because: [], ends_at: null, ...clock, remaining_ms, starts_in_ms };
}

/** Ended or final. @param {string | null} state */
export const isOver = (state) => state !== null && OVER.has(state);

/**
 * The notices of a reply or an event; what cannot be shown in words is none.
 *
 * @param {any} list
 * @returns {Notice[]}
 */
export function noticesIn(list) {
  if (!Array.isArray(list)) return [];
  return list.filter((one) => isCount(one?.id) && typeof one.zh === 'string' && typeof one.en === 'string');
}

/**
 * `GET /attempt/time`: where the end comes from, as one line.
 *
 * @param {any} body
 * @returns {{zh: string, en: string} | null}
 */
export function timeReply(body) {
  const { explain_zh: zh, explain_en: en } = body ?? {};
  return typeof zh === 'string' && typeof en === 'string' ? { zh, en } : null;
}

/** @param {any} lineage */
export function isLineage(lineage) {
  return (typeof lineage === 'string' && lineage !== '') || Number.isFinite(lineage);
}
