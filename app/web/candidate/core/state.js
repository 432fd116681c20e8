/**
 * What this browser holds about one item, and every way it can change. Pure: no store, no clock, no network.
 *
 * An entry is the latest value of one item typed under one grant (attempt, epoch). It stays here until the final
 * receipt, whatever the service has said about it; `state` only tells whether it still has to be sent:
 *
 *   local     written on this PC, the service has not answered for this revision
 *   buffered  the service holds it in one store; still on the queue, never shown as saved
 *   durable   committed; off the queue, value kept
 *   stranded  kept by the service for the exam office, not applied; off the queue, value kept
 *   refused   the service will not take it (`code` says why); off the queue, value kept and shown
 *
 * "sending" is not stored: it is a fact about a request of this page, and a crash must not leave a word behind that
 * somebody has to interpret. A page that dies while sending leaves `local`, and the next one sends again.
 *
 * @typedef {'local' | 'buffered' | 'durable' | 'stranded' | 'refused'} EntryState
 * @typedef {{
 *   attempt: string, epoch: number, item: number, rev: number, typed_epoch: number, value: any, at_ms: number,
 *   state: EntryState, code: string | null, server_rev: number,
 * }} Entry `at_ms` is service time; `server_rev` the greatest revision the service is known to hold for the item;
 *   `typed_epoch` differs from `epoch` for what was answered on another PC and read back from the service
 * @typedef {{item: number, rev: number, status: 'durable' | 'buffered' | 'stranded' | 'refused', code?: string,
 *   epoch?: number, winner?: {epoch: number, rev: number, value?: any}}} ItemAck `epoch` only where it was pushed
 * @typedef {{epoch: number, rev: number, value: any, status: 'durable' | 'buffered'}} ServerResponse
 */

/** Newer than all that is known of the item, here or there (I4). @param {Entry | null} entry */
export function nextRev(entry) {
  return entry ? Math.max(entry.rev, entry.server_rev) + 1 : 1;
}

/**
 * The candidate changed the item. Typing the same value again is no change: it keeps its revision and its state.
 *
 * @param {Entry | null} entry what is stored now
 * @param {{attempt: string, epoch: number, item: number, value: any, at_ms: number}} change
 * @returns {Entry}
 */
export function edited(entry, change) {
  const stands = entry && entry.state !== 'refused' && entry.state !== 'stranded';
  if (stands && sameValue(entry.value, change.value)) return entry;
  return {
    ...change,
    typed_epoch: change.epoch,
    rev: nextRev(entry),
    state: 'local',
    code: null,
    server_rev: entry?.server_rev ?? 0,
  };
}

/**
 * Whether the entry still has to be sent. A buffered one is asked about again only when the caller has a reason
 * (the record is back, or it has waited long): each time costs the service a write.
 *
 * @param {Entry} entry
 * @param {boolean} withBuffered
 */
export function isDue(entry, withBuffered) {
  return entry.state === 'local' || (withBuffered && entry.state === 'buffered');
}

/** Nothing more is expected from the service for this entry. @param {Entry} entry */
export function isSettled(entry) {
  return entry.state !== 'local' && entry.state !== 'buffered';
}

/**
 * The service answered for one revision. An answer about an older revision (the candidate typed on while it was under
 * way) says nothing about the newer one; an answer about a revision we do not have is ignored. A late `buffered` does
 * not take back a `durable`: the commit it heard of has happened.
 *
 * @param {Entry} entry
 * @param {ItemAck} ack
 * @returns {Entry}
 */
export function settled(entry, ack) {
  const held = ack.status === 'durable' || ack.status === 'buffered' ? ack.rev : 0;
  const server_rev = Math.max(entry.server_rev, held, ack.winner?.rev ?? 0);
  if (ack.rev !== entry.rev) return { ...entry, server_rev };
  if (ack.status === 'buffered' && entry.state === 'durable') return { ...entry, server_rev };
  if (ack.status === 'refused' && ack.winner && ack.winner.epoch === entry.epoch) {
    // Another page of this candidate wrote the item under a revision this one had not seen. What stands on the screen
    // is what the candidate means: say it again, above the winner. It is said once per answer, so two pages cannot
    // chase each other: only a page whose candidate typed has a `local` entry.
    return { ...entry, server_rev, rev: server_rev + 1, state: 'local', code: null };
  }
  const typed_epoch = held ? entry.epoch : entry.typed_epoch;
  return { ...entry, server_rev, typed_epoch, state: ack.status, code: ack.code ?? null };
}

/**
 * The service may have lost what it once acknowledged (another lineage, a lower count): everything is sent again under
 * the same revisions, so that a service that did not lose it recognises every one.
 *
 * @param {Entry} entry
 * @returns {Entry}
 */
export function unsettled(entry) {
  return entry.state === 'durable' || entry.state === 'buffered' ? { ...entry, state: 'local' } : entry;
}

/**
 * The record had lost this grant, and now knows it again: what it kept aside meanwhile as another device's is this
 * device's after all, and goes out once more.
 *
 * @param {Entry} entry
 * @returns {Entry}
 */
export function disowned(entry) {
  const aside = entry.state === 'stranded' && entry.code === 'old_epoch';
  return aside ? { ...entry, state: 'local', code: null } : unsettled(entry);
}

/**
 * The end that made this answer too late was taken back: it goes out again, and counts now.
 *
 * @param {Entry} entry
 * @returns {Entry}
 */
export function inTime(entry) {
  const late = entry.state === 'stranded' && ['late', 'ended', 'final'].includes(entry.code ?? '');
  return late ? { ...entry, state: 'local', code: null } : entry;
}

/**
 * What the service holds for the item, read on sign-in or reload, meets what this browser holds.
 *
 * @param {Entry | null} entry
 * @param {ServerResponse | null} response
 * @param {{attempt: string, epoch: number, item: number, at_ms: number}} at
 * @returns {Entry | null}
 */
export function absorbed(entry, response, at) {
  if (!response) return entry && unsettled(entry); // settled here, unknown there: it was lost, send it again
  const server_rev = Math.max(entry?.server_rev ?? 0, response.rev);
  const theirs = /** @type {Entry} */ ({
    ...at,
    at_ms: entry?.at_ms ?? at.at_ms,
    typed_epoch: response.epoch,
    rev: response.rev,
    value: response.value,
    state: response.status,
    code: null,
    server_rev,
  });
  if (!entry) return theirs;
  const newer = response.epoch - entry.typed_epoch || response.rev - entry.rev;
  if (newer > 0) return theirs; // one device counts upwards, and a later grant sits above: it was typed later
  if (newer < 0) return { ...unsettled(entry), server_rev };
  if (sameValue(entry.value, response.value)) return theirs; // only the reply was lost
  if (isSettled(entry)) return theirs; // the office adopted another value after ours was settled
  return { ...entry, server_rev, rev: server_rev + 1, state: 'local' };
}

/**
 * An entry typed under an older grant of the same attempt, after the service began another lineage: the old token
 * means nothing there, and nobody wrote the item after it, so it is the candidate's latest word and moves on.
 *
 * @param {Entry} old
 * @param {Entry | null} current what is known under the new grant
 * @param {ServerResponse | null} response
 * @param {number} epoch the new grant's
 * @returns {Entry | null} null: leave it where it is (another device wrote the item later: the office decides)
 */
export function rebased(old, current, response, epoch) {
  if (response && response.epoch > old.typed_epoch) return null;
  if (current && current.state === 'local') return null;
  if (response && sameValue(response.value, old.value)) return null;
  const server_rev = Math.max(old.server_rev, current?.server_rev ?? 0, response?.rev ?? 0);
  const rev = Math.max(old.rev, server_rev) + 1;
  return { ...old, epoch, typed_epoch: epoch, server_rev, rev, state: 'local', code: null };
}

/**
 * How much of everything is where, for the line that says 已存本机 / 正在保存 / 已缓存 / 已保存.
 *
 * @typedef {{writing: number, local: number, sending: number, buffered: number, durable: number, stranded: number,
 *   refused: number}} Tally
 * @param {Iterable<{state: string}>} views
 * @returns {Tally}
 */
export function tally(views) {
  /** @type {Tally} */
  const count = { writing: 0, local: 0, sending: 0, buffered: 0, durable: 0, stranded: 0, refused: 0 };
  for (const view of views) count[/** @type {keyof Tally} */ (view.state)] += 1;
  return count;
}

/**
 * The one word for all of it: the weakest. Nothing is called saved while one answer is not committed.
 *
 * @param {Tally} count
 * @returns {'sending' | 'local' | 'buffered' | 'saved' | 'empty'}
 */
export function saveWord(count) {
  // On no disk yet: weaker than what waits there.
  if (count.writing > 0) return 'sending';
  if (count.local > 0) return 'local';
  if (count.sending > 0) return 'sending';
  if (count.buffered > 0) return 'buffered';
  return count.durable > 0 ? 'saved' : 'empty';
}

/** @param {any} a @param {any} b JSON values @returns {boolean} */
export function sameValue(a, b) {
  if (a === b) return true;
  if (!Array.isArray(a) || !Array.isArray(b)) return false;
  return a.length === b.length && a.every((part, index) => sameValue(part, b[index]));
}
