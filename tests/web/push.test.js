/** What the service tells a page without being asked, and what the page makes of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOutbox } from '../../app/web/candidate/core/outbox.js';
import { settledEvent, standingOf } from '../../app/web/candidate/core/reply.js';
import { createHall, seated } from './hall.mjs';
import { createWorld, settle } from './support.mjs';

const posts = (hall) => hall.service.log.filter((call) => call.method === 'POST').length;
const word = (page) => page.sitting.state().work.word;

async function bufferedPage() {
  const hall = createHall();
  const page = await seated(hall);
  hall.service.mode = 'buffered';
  page.sitting.work().answer(1001, 'A', 'choice');
  page.sitting.work().answer(1002, 'B', 'choice');
  await hall.time.advance(1000);
  assert.equal(word(page), 'buffered');
  const [stream] = hall.network.streams;
  return { hall, page, stream };
}

test('buffered becomes saved by itself: nothing is asked in between', async () => {
  const { hall, page, stream } = await bufferedPage();
  const before = posts(hall);
  stream.push('settled', hall.service.drained(hall.attempt()));
  await settle();
  assert.equal(word(page), 'saved');
  assert.equal(posts(hall), before);
  assert.equal(page.sitting.work().view(1001).state, 'durable');
  // Told is told: the heartbeats that follow carry no answer any more.
  await hall.time.advance(30_000);
  assert.ok(hall.service.log.slice(-3).every((call) => call.body.responses.length === 0));
});

test('what the drain could not apply is shown as kept for the office, and not sent again', async () => {
  const { hall, page, stream } = await bufferedPage();
  const told = hall.service.drained(hall.attempt());
  told.items[1] = { ...told.items[1], status: 'stranded', code: 'late' };
  stream.push('settled', told);
  await settle();
  const { tally } = page.sitting.state().work;
  assert.deepEqual([tally.durable, tally.stranded, tally.buffered], [1, 1, 0]);
  hall.service.log.length = 0;
  await hall.time.advance(40_000);
  assert.ok(hall.service.log.every((call) => (call.body?.responses ?? []).length === 0));
});

test('a lost event costs nothing: the first reply after the record is back settles it', async () => {
  const { hall, page } = await bufferedPage();
  hall.service.mode = 'ok';
  await hall.time.advance(11_000);
  assert.equal(word(page), 'saved');
});

test('exactly the revisions named, of this grant, are settled', async () => {
  const { store, service } = await createWorld();
  const outbox = createOutbox({ store, attempt: 'a-T', epoch: 1, serviceNow: () => 5 });
  await outbox.load();
  for (const [item, value] of [[1, 'A'], [2, 'A'], [2, 'B'], [3, 'A']]) await outbox.edit(item, value); // prettier-ignore
  const event = (items, more = {}) =>
    settledEvent({ items, count: 4, lineage: service.lineage, ...more }, 1) ?? assert.fail('not understood');
  const states = () => [1, 2, 3].map((item) => outbox.view(item).state);

  await outbox.hear(event([{ item: 3, rev: 1, epoch: 2, status: 'durable' }]));
  assert.deepEqual(states(), ['local', 'local', 'local'], 'another grant');
  await outbox.hear(event([{ item: 2, rev: 1, epoch: 1, status: 'durable' }]));
  assert.deepEqual(states(), ['local', 'local', 'local'], 'an older revision than the one typed since');
  await outbox.hear(event([{ item: 1, rev: 1, epoch: 1, status: 'durable' }, { item: 9, rev: 1, epoch: 1, status: 'durable' }]));
  assert.deepEqual(states(), ['durable', 'local', 'local']);
  assert.equal(outbox.view(9), null, 'an item this browser never had is not made up');
  await outbox.hear(event([{ item: 1, rev: 1, epoch: 1, status: 'buffered' }]));
  assert.equal(states()[0], 'durable', 'a late "buffered" takes nothing back');
  assert.equal((await outbox.grant()).told.count, 0, 'an event is no reply: it may be older than the last one');
  assert.equal((await outbox.grant()).next_seq, 1);
});

test('an event of another record settles nothing, and makes the page ask', async () => {
  const { store } = await createWorld();
  const outbox = createOutbox({ store, attempt: 'a-T', epoch: 1, serviceNow: () => 5 });
  await outbox.load();
  await outbox.edit(1, 'A');
  const told = settledEvent({ items: [{ item: 1, rev: 1, epoch: 1, status: 'durable' }], count: 9, lineage: 'other' }, 1);
  assert.equal(await outbox.hear(told), true);
  assert.equal(outbox.view(1).state, 'local');
});

test('an event that cannot be understood is no event', async () => {
  for (const data of [null, 1, {}, { items: 'x', lineage: 'l', count: 1 }, { items: [{ item: 1 }], lineage: 'l' }, { items: [], count: 2 }]) {
    assert.equal(settledEvent(data, 1), null, JSON.stringify(data));
  }
  assert.deepEqual(standingOf({ lineage: 'l', count: null }), { lineage: 'l', count: null });
  assert.equal(standingOf({ clock: {} }), null, 'a service that does not say is not suspected');
});

test('a snapshot that shows less than was told makes the page ask at once, and everything goes out again', async () => {
  for (const change of [
    (hall) => (hall.service.lineage = 'lineage-2'),
    (hall) => (hall.attempt().count = 1),
  ]) {
    const hall = createHall();
    const page = await seated(hall);
    for (const item of [1001, 1002, 1003]) page.sitting.work().answer(item, 'A', 'choice');
    await hall.time.advance(1000);
    hall.attempt().responses.clear();
    hall.attempt().history.clear();
    change(hall);
    hall.service.log.length = 0;
    hall.network.streams[0].push('snapshot', hall.service.snapshotOf('a-T/1'));
    await hall.time.advance(50);
    assert.deepEqual([...hall.attempt().responses.keys()].sort(), [1001, 1002, 1003], 'long before the next heartbeat');
    assert.ok(hall.service.log.length <= 3, `${hall.service.log.length} requests`);
    page.die();
  }
});

test('a snapshot that shows what was told, or more, asks nothing', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  hall.service.log.length = 0;
  hall.network.streams[0].push('snapshot', hall.service.snapshotOf('a-T/1'));
  hall.network.streams[0].push('snapshot', { ...hall.service.snapshotOf('a-T/1'), count: 7 });
  await hall.time.advance(50);
  assert.equal(hall.service.log.length, 0);
});

test('a start that was given or moved is heard within two seconds, and a hall does not ask in one', async () => {
  const asked = [];
  for (let seed = 1; seed <= 40; seed += 1) {
    const hall = createHall(seed);
    hall.service.clock = { ...hall.service.clock, state: 'waiting', startsAt: 10_000_000 };
    const page = await seated(hall);
    assert.equal(page.phase(), 'notice');
    const began = hall.time.clock.now();
    hall.service.clock = { ...hall.service.clock, startsAt: 10_000 + began + 90_000 };
    hall.service.log.length = 0;
    hall.network.streams[0].push('clock', {});
    hall.network.streams[0].push('clock', {});
    await hall.time.advance(2000);
    const mine = hall.service.log.filter((call) => call.path.endsWith('/checkpoints'));
    assert.ok(mine.length >= 1 && mine.length <= 2, `${mine.length} requests after two words of one change`);
    asked.push(mine[0].at - 10_000 - began);
    const startsIn = page.sitting.work().timer.startsIn();
    assert.ok(startsIn <= 90_000 && startsIn > 85_000, `${startsIn}`);
    page.die();
  }
  const spread = Math.max(...asked) - Math.min(...asked);
  assert.ok(spread > 1000, `forty pages within ${spread} ms`);
});
