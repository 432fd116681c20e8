import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOutbox } from '../../app/web/candidate/core/outbox.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { GRANT, createMortal, settle } from './support.mjs';

const CLAIM = { withBuffered: false, holder: null, most: 100, mostBytes: 100_000 };

async function outboxOn(store, grant = GRANT) {
  const existing = await store.transaction('readonly', (tx) => tx.get('grants', [grant.attempt, grant.epoch]));
  if (!existing) await store.transaction('readwrite', (tx) => tx.put('grants', grant));
  let now = 0;
  const outbox = createOutbox({ store, attempt: grant.attempt, epoch: grant.epoch, serviceNow: () => (now += 10) });
  await outbox.load();
  return outbox;
}

const reply = (claim, status = 'durable', change = {}) => ({
  acked_seq: claim.seq,
  durability: status,
  items: [...claim.revs].map(([item, rev]) => ({ item, rev, status })),
  count: claim.count + claim.revs.size,
  lineage: 'lineage-1',
  ...change,
});

const stored = (store) => store.transaction('readonly', (tx) => tx.all('entries'));

test('an edit is on the screen at once and on the disk when its promise resolves', async () => {
  const store = createMemoryStore();
  const outbox = await outboxOn(store);
  const written = outbox.edit(1, 'A');
  assert.deepEqual([outbox.view(1).value, outbox.view(1).state], ['A', 'writing']);
  await written;
  assert.equal(outbox.view(1).state, 'local');
  assert.equal((await stored(store))[0].value, 'A');
});

test('typing faster than the disk writes the newest value and loses no item', async () => {
  const store = createMemoryStore();
  const outbox = await outboxOn(store);
  for (const text of ['一', '一段', '一段文', '一段文字']) outbox.edit(7, text);
  outbox.edit(8, 'B');
  await outbox.written();
  const rows = await stored(store);
  assert.deepEqual(rows.map((row) => [row.item, row.value]).sort(), [[7, '一段文字'], [8, 'B']]);
  assert.equal(outbox.view(7).state, 'local');
});

test('durable leaves the queue and keeps the value', async () => {
  const store = createMemoryStore();
  const outbox = await outboxOn(store);
  await outbox.edit(1, 'A');
  const claim = await outbox.claim(CLAIM);
  assert.equal(outbox.view(1).state, 'sending');
  await outbox.settle(claim, reply(claim));
  outbox.ended();
  assert.equal(outbox.hasDue(true), false);
  assert.equal(outbox.view(1).state, 'durable');
  assert.equal((await stored(store))[0].value, 'A');
});

test('one number per request until it is answered, with what has grown', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.edit(1, 'A');
  const first = await outbox.claim(CLAIM);
  outbox.ended();
  await outbox.edit(2, 'B');
  const again = await outbox.claim(CLAIM);
  assert.equal(again.seq, first.seq);
  assert.deepEqual(again.body.responses.map((row) => row.item), [1, 2]);
  await outbox.settle(again, reply(again));
  const next = await outbox.claim(CLAIM);
  assert.equal(next.seq, first.seq + 1);
});

test('a change made while its item is under way stays due', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.edit(1, 'A');
  const claim = await outbox.claim(CLAIM);
  await outbox.edit(1, 'B');
  await outbox.settle(claim, reply(claim));
  outbox.ended();
  assert.deepEqual([outbox.view(1).value, outbox.view(1).state], ['B', 'local']);
});

test('the same reply twice, and an old one after a new one, change nothing more', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.edit(1, 'A');
  const first = await outbox.claim(CLAIM);
  await outbox.settle(first, reply(first));
  await outbox.settle(first, reply(first));
  await outbox.edit(1, 'B');
  const second = await outbox.claim(CLAIM);
  await outbox.settle(second, reply(second, 'durable', { count: 2 }));
  await outbox.settle(first, reply(first, 'buffered', { count: 2 }));
  outbox.ended();
  assert.deepEqual([outbox.view(1).value, outbox.view(1).state], ['B', 'durable']);
  assert.equal((await outbox.grant()).next_seq, second.seq + 1);
});

test('buffered stays; asked again it becomes durable', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.edit(1, 'A');
  const first = await outbox.claim(CLAIM);
  await outbox.settle(first, reply(first, 'buffered', { count: null }));
  outbox.ended();
  assert.equal(outbox.view(1).state, 'buffered');
  assert.equal((await outbox.claim(CLAIM)).revs.size, 0);
  const second = await outbox.claim({ ...CLAIM, withBuffered: true });
  assert.deepEqual([...second.revs], [[1, 1]]);
  await outbox.settle(second, reply(second));
  outbox.ended();
  assert.equal(outbox.view(1).state, 'durable');
});

test('I1: another lineage makes everything go out again, but for what was just answered', async () => {
  const outbox = await outboxOn(createMemoryStore());
  for (const item of [1, 2, 3]) await outbox.edit(item, 'A');
  const first = await outbox.claim(CLAIM);
  await outbox.settle(first, reply(first));
  await outbox.edit(4, 'D');
  const second = await outbox.claim(CLAIM);
  const { resend } = await outbox.settle(second, reply(second, 'durable', { lineage: 'lineage-2', count: 1 }));
  outbox.ended();
  assert.equal(resend, true);
  const third = await outbox.claim(CLAIM);
  assert.deepEqual([...third.revs.keys()].sort(), [1, 2, 3]);
  assert.deepEqual([...third.revs.values()], [1, 1, 1], 'under the same revisions');
});

test('I1: a lower count than was told before makes everything go out again', async () => {
  const outbox = await outboxOn(createMemoryStore());
  for (const item of [1, 2, 3]) await outbox.edit(item, 'A');
  const first = await outbox.claim(CLAIM);
  await outbox.settle(first, reply(first, 'durable', { count: 3 }));
  const beat = await outbox.claim(CLAIM);
  assert.equal((await outbox.settle(beat, reply(beat, 'durable', { count: 2 }))).resend, true);
  outbox.ended();
  assert.equal((await outbox.claim(CLAIM)).revs.size, 3);
});

test('a count that cannot be told says nothing; a lower one soon after a resend waits, but is not forgotten', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.edit(1, 'A');
  const first = await outbox.claim(CLAIM);
  await outbox.settle(first, reply(first, 'durable', { count: 3 }));
  const beat = await outbox.claim(CLAIM);
  assert.equal((await outbox.settle(beat, reply(beat, 'durable', { count: null }))).resend, false);
  const soon = await outbox.claim(CLAIM);
  assert.equal((await outbox.settle(soon, reply(soon, 'durable', { count: 1 }), { patient: true })).resend, false);
  const later = await outbox.claim(CLAIM);
  assert.equal((await outbox.settle(later, reply(later, 'durable', { count: 1 }))).resend, true);
});

test('position and marks go out until they are durable', async () => {
  const outbox = await outboxOn(createMemoryStore());
  await outbox.note({ position: 4, marked: [9] });
  const first = await outbox.claim(CLAIM);
  assert.deepEqual([first.body.position, first.body.marked], [4, [9]]);
  await outbox.settle(first, reply(first, 'buffered'));
  const second = await outbox.claim(CLAIM);
  assert.equal(second.body.position, 4);
  await outbox.settle(second, reply(second));
  assert.equal('position' in (await outbox.claim(CLAIM)).body, false);
});

test('a page without the flusher lease claims nothing', async () => {
  const store = createMemoryStore();
  const outbox = await outboxOn(store);
  await outbox.edit(1, 'A');
  await store.transaction('readwrite', (tx) => tx.put('meta', { name: 'flusher', holder: 'other', beat: 1 }));
  assert.equal(await outbox.claim({ ...CLAIM, holder: 'me' }), null);
  await store.transaction('readwrite', (tx) => tx.put('meta', { name: 'flusher', holder: 'me', beat: 1 }));
  assert.equal((await outbox.claim({ ...CLAIM, holder: 'me' })).revs.size, 1);
});

test('a body holds as much as fits, and at least one', async () => {
  const outbox = await outboxOn(createMemoryStore());
  for (let item = 1; item <= 5; item += 1) await outbox.edit(item, '字'.repeat(1000));
  const some = await outbox.claim({ ...CLAIM, mostBytes: 4096 + 6500 });
  assert.deepEqual([some.revs.size, some.more], [2, true]);
  const one = await outbox.claim({ ...CLAIM, mostBytes: 10 });
  assert.deepEqual([one.revs.size, one.more], [1, true]);
  const few = await outbox.claim({ ...CLAIM, most: 4 });
  assert.deepEqual([few.revs.size, few.more], [4, true]);
});

test('two tabs never give one revision to two values', async () => {
  const store = createMemoryStore();
  const [one, two] = [await outboxOn(store), await outboxOn(store)];
  await Promise.all([one.edit(1, 'A'), two.edit(1, 'B'), one.edit(1, 'C')]);
  await two.edit(1, 'D');
  const [row] = await stored(store);
  assert.deepEqual([row.value, row.rev >= 3], ['D', true]);
  await one.load();
  assert.equal(one.view(1).value, 'D');
});

test('the next candidate on the PC sees and sends nothing of the one before', async () => {
  const store = createMemoryStore();
  const first = await outboxOn(store);
  await first.edit(1, '前一位考生的答案');
  const second = await outboxOn(store, { ...GRANT, attempt: 'a-U', token: 'a-U/1', ticket: 'U' });
  assert.equal(second.view(1), null);
  assert.deepEqual(second.views(), []);
  const claim = await second.claim(CLAIM);
  assert.deepEqual([claim.token, claim.body.responses], ['a-U/1', []]);
  await second.edit(1, '后一位');
  assert.equal((await first.claim(CLAIM)).body.responses[0].value, '前一位考生的答案');
});

test('answers leave this browser only after the final receipt, and never an unsettled one', async () => {
  const store = createMemoryStore();
  const outbox = await outboxOn(store);
  await outbox.edit(1, 'A');
  const claim = await outbox.claim(CLAIM);
  await outbox.settle(claim, reply(claim));
  await assert.rejects(outbox.purge(), /before the final receipt/);
  assert.equal((await stored(store)).length, 1);
  await outbox.edit(2, 'B');
  const buffered = await outbox.claim(CLAIM);
  await outbox.settle(buffered, reply(buffered, 'buffered'));
  outbox.ended();
  assert.equal(outbox.view(2).state, 'buffered');
  await outbox.edit(3, 'C');
  await outbox.mark({ state: 'final', receipt: { count: 1 } });
  await outbox.purge();
  assert.deepEqual((await stored(store)).map((row) => row.item), [2, 3]);
});

test('after another lineage, what an older grant of this attempt holds moves to the new one', async () => {
  const store = createMemoryStore();
  const old = await outboxOn(store);
  for (const [item, value] of [[1, 'A'], [2, 'B'], [3, 'C']]) await old.edit(item, value);
  const fresh = await outboxOn(store, { ...GRANT, epoch: 9, token: 'a-T/9', told: { lineage: 'lineage-2', count: 0 } });
  const responses = { 2: { epoch: 5, rev: 1, value: 'Z', status: 'durable' }, 3: { epoch: 1, rev: 1, value: 'C', status: 'durable' } };
  assert.equal(await fresh.adoptOlder('lineage-2', responses), 1);
  assert.deepEqual([fresh.view(1).value, fresh.view(1).state], ['A', 'local']);
  assert.equal(fresh.view(2), null, 'another device wrote it later');
  assert.equal(await fresh.adoptOlder('lineage-2', responses), 0, 'once');
});

test('within one lineage nothing moves between grants: an old epoch is for the office to decide', async () => {
  const store = createMemoryStore();
  const old = await outboxOn(store);
  await old.edit(1, 'A');
  const fresh = await outboxOn(store, { ...GRANT, epoch: 2, token: 'a-T/2' });
  assert.equal(await fresh.adoptOlder('lineage-1', {}), 0);
  assert.equal(fresh.view(1), null);
});

test('a crash before any commit of the whole path loses nothing that was said to be on the disk', async () => {
  for (let step = 1; step < 12; step += 1) {
    const base = createMemoryStore();
    await base.transaction('readwrite', (tx) => tx.put('grants', GRANT));
    const mortal = createMortal(base);
    const outbox = await outboxOn(mortal);
    mortal.dieBefore(step);
    const onDisk = new Map();
    const server = new Map();
    const life = (async () => {
      for (const [item, value] of [[1, 'A'], [2, 'B'], [1, 'C']]) {
        await outbox.edit(item, value);
        onDisk.set(item, value);
        const claim = await outbox.claim(CLAIM);
        for (const row of claim.body.responses) if ((server.get(row.item)?.rev ?? 0) < row.rev) server.set(row.item, row);
        await outbox.settle(claim, reply(claim, 'durable', { count: server.size }));
        outbox.ended();
      }
    })();
    await Promise.race([life, settle(40)]);
    mortal.kill();

    const reborn = await outboxOn(base);
    const claim = await reborn.claim(CLAIM);
    for (const row of claim.body.responses) if ((server.get(row.item)?.rev ?? 0) < row.rev) server.set(row.item, row);
    await reborn.settle(claim, reply(claim));
    for (const [item, value] of onDisk) {
      assert.equal(reborn.view(item)?.value, value, `step ${step}: item ${item} on the screen`);
      assert.equal(server.get(item)?.value, value, `step ${step}: item ${item} at the service`);
    }
  }
});
