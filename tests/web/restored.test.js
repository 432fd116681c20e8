/**
 * I1, the browser as third copy: a record that came back with less is brought up to date by the page alone, whichever way
 * the page hears of it, and nobody is asked anything.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { GIVEN, createHall, putBack, remembered, seated } from './hall.mjs';
import { createSeeded, held } from './support.mjs';

const ITEMS = [1001, 1002, 1003, 1004, 1005, 1006];

/** A page with six saved answers, of which the record forgets all but the first two. */
async function forgetful(more = {}) {
  const hall = createHall(more.seed);
  const page = await seated(hall);
  const answer = async (items, value) => {
    for (const item of items) page.sitting.work().answer(item, value, 'choice');
    await hall.time.advance(1000);
  };
  await answer(ITEMS.slice(0, 2), 'A');
  const then = remembered(hall.attempt());
  await answer(ITEMS.slice(2), 'B');
  assert.equal(hall.attempt().count, 6);
  return { hall, page, then, answer };
}
const ALL = Object.fromEntries(ITEMS.map((item, index) => [item, index < 2 ? 'A' : 'B']));
const resends = (hall) => hall.service.log.filter((call) => (call.body?.responses?.length ?? 0) > 0).length;

test('the reply to a heartbeat shows a lower count: everything goes out again, once', async () => {
  const { hall, page, then } = await forgetful();
  putBack(hall.attempt(), then);
  await hall.time.advance(11_000);
  assert.deepEqual(held(hall.attempt()), ALL);
  hall.service.log.length = 0;
  await hall.time.advance(120_000);
  assert.equal(resends(hall), 0, 'and then it is quiet');
  assert.equal(page.sitting.state().work.word, 'saved');
});

test('many answers given while the service was away do not hide that it lost as many', async () => {
  const { hall, page, then } = await forgetful();
  hall.network.mode = 'drop';
  for (const item of [1011, 1012, 1013, 1014, 1015, 1016, 1017]) page.sitting.work().answer(item, 'C', 'choice');
  await hall.time.advance(5000);
  putBack(hall.attempt(), then);
  hall.network.mode = 'ok';
  await hall.time.advance(15_000);
  // The record holds 2 + 7 after the first reply: more than the 6 it was known to hold, and yet four are missing.
  for (const item of ITEMS) assert.equal(held(hall.attempt())[item], ALL[item], `item ${item}`);
});

test('what is new in a request is not taken for a loss: nothing is sent twice on an ordinary day', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const chance = createSeeded(11);
  hall.service.log.length = 0;
  let typed = 0;
  for (let step = 0; step < 120; step += 1) {
    hall.network.faults.push(chance.pick(['ok', 'ok', 'lose', 'drop', 'late', 'cut']));
    page.sitting.work().answer(chance.pick(ITEMS), chance.pick(['A', 'B', 'C', 'D']), 'choice');
    typed += 1;
    await hall.time.advance(chance.unit() * 3000);
  }
  await hall.time.advance(20_000);
  const settledBefore = new Set();
  let again = 0;
  for (const call of hall.service.log) {
    for (const { item, rev } of call.body?.responses ?? []) {
      const key = `${item}/${rev}`;
      if (settledBefore.has(key)) again += 1;
      settledBefore.add(key);
    }
  }
  // Lost replies are repeated; a false alarm would repeat all six items each time.
  assert.ok(again < typed, `${again} repeats of ${typed} answers`);
  assert.equal(page.sitting.state().work.word, 'saved');
});

test('GET /attempt of a reload shows a lower count', async () => {
  const { hall, page, then } = await forgetful();
  page.die();
  putBack(hall.attempt(), then);
  const next = hall.open(page.store, 9);
  await hall.time.advance(20_000);
  assert.equal(next.phase(), 'exam');
  assert.deepEqual(held(hall.attempt()), ALL);
});

test('the same device signs in again after a 401, into another lineage and another epoch', async () => {
  const { hall, page, then } = await forgetful();
  const attempt = hall.attempt();
  putBack(attempt, then);
  hall.service.attempts.delete('a-T'); // the old token means nothing
  await hall.time.advance(11_000);
  assert.equal(page.phase(), 'sign-in');
  hall.service.lineage = 'lineage-2';
  hall.service.attempts.set('a-T', attempt);
  Object.assign(attempt, { secret: null, epoch: 2_000_000, moved: true });
  await page.sitting.signIn(GIVEN);
  await hall.time.advance(5000);
  assert.equal(attempt.epoch, 2_000_001);
  assert.deepEqual(held(attempt), ALL);
  assert.equal(page.sitting.state().work.word, 'saved');
});

test('a hand-in brings a record that was put back up to date before it gets its receipt', async () => {
  for (const lineage of ['lineage-1', 'lineage-2']) {
    const { hall, page, then } = await forgetful();
    putBack(hall.attempt(), then);
    hall.service.lineage = lineage;
    await page.sitting.work().handIn();
    await hall.time.advance(10_000);
    assert.equal(page.phase(), 'receipt', lineage);
    assert.deepEqual(held(hall.attempt()), ALL, lineage);
    assert.equal(page.sitting.state().work.grant.receipt.answered, 6);
    page.die();
  }
});

test('a hand-in right after another resend does not wait for its patience', async () => {
  const { hall, page, then } = await forgetful();
  putBack(hall.attempt(), then);
  await hall.time.advance(11_000);
  putBack(hall.attempt(), then);
  await page.sitting.work().handIn();
  await hall.time.advance(10_000);
  assert.equal(page.phase(), 'receipt');
  assert.deepEqual(held(hall.attempt()), ALL);
});

test('put back twice within half a minute: the second loss is made good when the patience is over', async () => {
  const { hall, then } = await forgetful();
  putBack(hall.attempt(), then);
  await hall.time.advance(11_000);
  putBack(hall.attempt(), then);
  await hall.time.advance(45_000);
  assert.deepEqual(held(hall.attempt()), ALL);
});

test('the clock of the service goes back by ten minutes: the page follows, and what was typed keeps its instant', async () => {
  const { hall, page, then } = await forgetful();
  const typedAt = 10_000 + hall.time.clock.now();
  putBack(hall.attempt(), then);
  let behind = 600_000;
  const real = hall.service.handle;
  const shifted = (clock) => ({ ...clock, service_ms: clock.service_ms - behind, remaining_ms: clock.remaining_ms + behind });
  hall.service.handle = (...call) => {
    const body = real(...call);
    return body.clock ? { ...body, clock: shifted(body.clock) } : body;
  };
  const before = page.sitting.work().timer.remaining();
  hall.service.log.length = 0;
  await hall.time.advance(11_000);
  const after = page.sitting.work().timer.remaining();
  assert.ok(after - before > 600_000 - 12_000 && after - before < 600_000, `${after - before} ms were given back`);
  assert.ok(page.sitting.state().work.changedByMs > 590_000, 'and it is said');
  assert.deepEqual(held(hall.attempt()), ALL);
  const sent = hall.service.log.flatMap((call) => call.body?.responses ?? []);
  assert.ok(sent.length >= 6 && sent.every(({ at_ms }) => at_ms <= typedAt && at_ms > typedAt - 10_000), JSON.stringify(sent));
  // Typed from now on under the earlier clock, and still the candidate's last word.
  page.sitting.work().answer(1003, 'D', 'choice');
  await hall.time.advance(1000);
  assert.equal(held(hall.attempt())[1003], 'D');
  // The counter may come back a second time; a few seconds are only two words that overtook each other.
  behind = 603_000;
  await hall.time.advance(11_000);
  assert.equal(page.phase(), 'exam');
});

test('the record does not know the grant: the device shows its lease, nobody is asked, and every answer comes through', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const never = { ...remembered(hall.attempt()), epoch: 0, secret: null, count: 0, responses: new Map(), history: new Set() };
  for (const item of ITEMS) page.sitting.work().answer(item, ALL[item], 'choice');
  await hall.time.advance(1000);
  putBack(hall.attempt(), never);
  const phases = new Set();
  for (let step = 0; step < 150; step += 1) {
    await hall.time.advance(100);
    phases.add(page.phase());
  }
  assert.deepEqual([...phases], ['exam'], 'the page shows nothing of it');
  assert.deepEqual(held(hall.attempt()), ALL);
  assert.equal(hall.attempt().epoch, 1);
  const [stream] = hall.network.streams;
  assert.ok(stream, 'and it listens again');
  assert.deepEqual(hall.faults, []);
});

test('the same after a reload', async () => {
  const { hall, page, then } = await forgetful();
  page.die();
  putBack(hall.attempt(), { ...then, epoch: 0, secret: null });
  const next = hall.open(page.store, 5);
  await hall.time.advance(20_000);
  assert.equal(next.phase(), 'exam');
  assert.deepEqual(held(hall.attempt()), ALL);
});

test('what a drain had set aside as an old device\'s meanwhile goes out once more', async () => {
  const { hall, page, then } = await forgetful();
  hall.service.mode = 'buffered';
  page.sitting.work().answer(1003, 'C', 'choice');
  await hall.time.advance(1000);
  putBack(hall.attempt(), { ...then, epoch: 0, secret: null });
  hall.service.mode = 'ok';
  hall.network.streams[0].push('settled', {
    items: [{ item: 1003, rev: 2, epoch: 1, status: 'stranded', code: 'old_epoch' }], count: 6, lineage: hall.service.lineage,
  }); // prettier-ignore
  await hall.time.advance(15_000);
  assert.deepEqual(held(hall.attempt()), { ...ALL, 1003: 'C' });
  assert.equal(page.sitting.state().work.tally.stranded, 0);
});

test('another device has come since: the page says so, as ever', async () => {
  const { hall, page, then } = await forgetful();
  putBack(hall.attempt(), { ...then, epoch: 0, secret: null });
  const real = hall.service.handle;
  hall.service.handle = (method, path, ...rest) => {
    if (path.endsWith('/lease')) Object.assign(hall.attempt(), { epoch: 7, secret: 'another' });
    return real(method, path, ...rest);
  };
  await hall.time.advance(15_000);
  assert.equal(page.phase(), 'sign-in');
  assert.equal(page.sitting.state().signIn.ticket, 'T');
  const rows = await page.store.transaction('readonly', (tx) => tx.all('entries'));
  assert.equal(rows.length, 6, 'nothing is removed');
});

test('a service that forgets again and again is not asked in a circle', async () => {
  const { hall, then } = await forgetful();
  const real = hall.service.handle;
  hall.service.handle = (method, path, ...rest) => {
    putBack(hall.attempt(), { ...then, epoch: 0, secret: null });
    return real(method, path, ...rest);
  };
  hall.service.log.length = 0;
  await hall.time.advance(60_000);
  assert.ok(hall.service.log.length < 150, `${hall.service.log.length} requests in a minute`);
});

test('signed in again below the lost epoch: what lies under the lost grant moves over, once', async () => {
  const { hall, page, then } = await forgetful();
  const attempt = hall.attempt();
  const grants = await page.store.transaction('readonly', (tx) => tx.all('grants'));
  const entries = await page.store.transaction('readonly', (tx) => tx.all('entries'));
  page.die();
  // The same browser, whose grant was epoch 5; the record that came back grants 1.
  const store = createMemoryStore();
  await store.transaction('readwrite', async (tx) => {
    for (const grant of grants) await tx.put('grants', { ...grant, epoch: 5, token: 'a-T/5', state: 'signed-out' });
    for (const entry of entries) await tx.put('entries', { ...entry, epoch: 5, typed_epoch: 5 });
  });
  putBack(attempt, { ...then, epoch: 0, secret: null, seq: 0, count: 0, responses: new Map(), history: new Set() });
  const next = await seated(hall, store);
  await hall.time.advance(5000);
  assert.equal(attempt.epoch, 1);
  assert.deepEqual(held(attempt), ALL);
  next.sitting.work().answer(1001, 'D', 'choice');
  await hall.time.advance(1000);
  next.die();
  hall.open(store, 8);
  await hall.time.advance(15_000);
  assert.equal(held(attempt)[1001], 'D', 'the later word is not overwritten by the old copy');
});
