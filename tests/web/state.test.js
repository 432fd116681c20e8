import assert from 'node:assert/strict';
import { test } from 'node:test';

import { absorbed, edited, isDue, nextRev, rebased, saveWord, settled, tally, unsettled } from '../../app/web/candidate/core/state.js';

const KEY = { attempt: 'a', epoch: 5, item: 11 };
const entry = (change = {}) => ({ ...KEY, rev: 3, typed_epoch: 5, value: 'A', at_ms: 100, state: 'local', code: null, server_rev: 0, ...change });
const response = (change = {}) => ({ epoch: 5, rev: 3, value: 'A', status: 'durable', ...change });

test('a revision is above all that is known of the item, here and on the server', () => {
  assert.equal(nextRev(null), 1);
  assert.equal(nextRev(entry({ rev: 3, server_rev: 9 })), 10);
  assert.equal(edited(entry({ rev: 3, server_rev: 9 }), { ...KEY, value: 'B', at_ms: 200 }).rev, 10);
});

test('typing the same value again is no change, unless the value was not taken', () => {
  const same = { ...KEY, value: 'A', at_ms: 200 };
  const durable = entry({ state: 'durable' });
  assert.equal(edited(durable, same), durable);
  assert.equal(edited(entry({ state: 'refused' }), same).state, 'local');
  assert.equal(edited(entry({ state: 'stranded' }), same).state, 'local');
  assert.equal(edited(entry({ value: ['A', 'B'], state: 'durable' }), { ...KEY, value: ['A', 'B'], at_ms: 1 }).state, 'durable');
});

test('clearing an answer is a change with its own revision', () => {
  const cleared = edited(entry({ state: 'durable' }), { ...KEY, value: null, at_ms: 200 });
  assert.deepEqual([cleared.value, cleared.rev, cleared.state], [null, 4, 'local']);
});

test('an acknowledgement moves only the revision it names', () => {
  const typedOn = entry({ rev: 4 });
  const after = settled(typedOn, { item: 11, rev: 3, status: 'durable' });
  assert.deepEqual([after.state, after.rev, after.server_rev], ['local', 4, 3]);
  assert.equal(settled(typedOn, { item: 11, rev: 9, status: 'durable' }).state, 'local');
  assert.equal(settled(typedOn, { item: 11, rev: 4, status: 'durable' }).state, 'durable');
});

test('a late "buffered" does not take back "durable"', () => {
  assert.equal(settled(entry({ state: 'durable' }), { item: 11, rev: 3, status: 'buffered' }).state, 'durable');
});

test('buffered stays on the queue and is asked about only with a reason', () => {
  assert.equal(isDue(entry({ state: 'buffered' }), false), false);
  assert.equal(isDue(entry({ state: 'buffered' }), true), true);
  for (const state of ['durable', 'stranded', 'refused']) assert.equal(isDue(entry({ state }), true), false);
});

test('a refusal that names a winner of the same epoch is answered with what the screen shows, above the winner', () => {
  const after = settled(entry(), { item: 11, rev: 3, status: 'refused', winner: { epoch: 5, rev: 8 } });
  assert.deepEqual([after.state, after.rev, after.value], ['local', 9, 'A']);
});

test('a service that may have lost something is sent everything again under the same revisions', () => {
  assert.deepEqual(unsettled(entry({ state: 'durable' })), entry({ state: 'local' }));
  assert.equal(unsettled(entry({ state: 'buffered' })).state, 'local');
  assert.equal(unsettled(entry({ state: 'stranded' })).state, 'stranded');
  assert.equal(unsettled(entry({ state: 'refused' })).state, 'refused');
});

test('absorb: nothing here, the service has it', () => {
  const after = absorbed(null, response({ rev: 7 }), { ...KEY, at_ms: 900 });
  assert.deepEqual([after.rev, after.state, after.server_rev, after.at_ms], [7, 'durable', 7, 900]);
});

test('absorb: only the reply was lost', () => {
  assert.equal(absorbed(entry(), response(), { ...KEY, at_ms: 900 }).state, 'durable');
});

test('absorb: settled here, unknown or older there, goes out again', () => {
  assert.equal(absorbed(entry({ state: 'durable' }), null, { ...KEY, at_ms: 9 }).state, 'local');
  assert.equal(absorbed(entry({ state: 'durable' }), response({ rev: 2 }), { ...KEY, at_ms: 9 }).state, 'local');
  assert.equal(absorbed(entry({ state: 'durable' }), response({ epoch: 4, rev: 99 }), { ...KEY, at_ms: 9 }).state, 'local');
});

test('absorb: an unsent change survives an older answer of the service', () => {
  const after = absorbed(entry({ value: 'C' }), response({ rev: 2, value: 'A' }), { ...KEY, at_ms: 9 });
  assert.deepEqual([after.value, after.state], ['C', 'local']);
});

test('absorb: a greater revision of the same device was typed later', () => {
  const after = absorbed(entry({ value: 'C' }), response({ rev: 4, value: 'D' }), { ...KEY, at_ms: 9 });
  assert.deepEqual([after.value, after.state], ['D', 'durable']);
});

test('absorb: an adopted value replaces a settled one, and is not overwritten on the next reload', () => {
  const first = absorbed(null, response({ epoch: 4, rev: 2, value: 'A' }), { ...KEY, at_ms: 9 });
  const adopted = absorbed(first, response({ epoch: 4, rev: 2, value: 'B' }), { ...KEY, at_ms: 9 });
  assert.deepEqual([adopted.value, adopted.state], ['B', 'durable']);
  assert.deepEqual(absorbed(adopted, response({ epoch: 4, rev: 2, value: 'B' }), { ...KEY, at_ms: 9 }), adopted);
});

test('absorb: the same revision with another value, unsent here, goes above it', () => {
  const after = absorbed(entry({ value: 'C' }), response({ value: 'A' }), { ...KEY, at_ms: 9 });
  assert.deepEqual([after.value, after.state, after.rev], ['C', 'local', 4]);
});

test('rebase carries the last word to the new grant, but never over another device', () => {
  const moved = rebased(entry({ value: 'C', state: 'durable' }), null, response({ rev: 2 }), 9);
  assert.deepEqual([moved.epoch, moved.typed_epoch, moved.rev, moved.state], [9, 9, 4, 'local']);
  assert.equal(rebased(entry(), null, response({ epoch: 6 }), 9), null);
  assert.equal(rebased(entry(), entry({ epoch: 9 }), null, 9), null);
  assert.equal(rebased(entry(), null, response(), 9), null);
});

test('nothing is called saved while one answer is not committed', () => {
  const word = (...states) => saveWord(tally(states.map((state) => ({ state }))));
  assert.equal(word(), 'empty');
  assert.equal(word('durable', 'durable'), 'saved');
  assert.equal(word('durable', 'buffered'), 'buffered');
  assert.equal(word('durable', 'sending', 'buffered'), 'sending');
  assert.equal(word('durable', 'writing'), 'sending');
  assert.equal(word('durable', 'sending', 'local'), 'local');
  assert.equal(word('local', 'writing'), 'sending');
  assert.equal(word('stranded'), 'empty');
});
