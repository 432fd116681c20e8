/** The whole core against a whole service: stories, and then chance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { GIVEN, createHall, seated } from './hall.mjs';
import { createMortal, createSeeded, held, settle } from './support.mjs';

test('from an empty page to the receipt and back to an empty page', async () => {
  const hall = createHall();
  const { time, service } = hall;
  service.clock = { ...service.clock, state: 'waiting', startsAt: 10_000 + 20_000 };
  const page = hall.open(createMemoryStore());
  await time.advance(10);
  assert.equal(page.phase(), 'sign-in');
  await page.sitting.signIn(GIVEN);
  await time.advance(100);
  assert.equal(page.phase(), 'identity');
  await page.sitting.work().confirm();
  assert.equal(page.phase(), 'notice');
  await time.advance(15_000);
  assert.equal(service.log.some((call) => call.path.endsWith('/paper')), false, 'I12: not before the start');
  service.clock = { ...service.clock, state: 'running', remainingAt: 10_000 + time.clock.now() };
  await time.advance(8000);
  assert.equal(page.phase(), 'exam');
  await page.sitting.work().painted();
  page.sitting.work().answer(1001, 'A', 'choice');
  page.sitting.work().goTo(2);
  page.sitting.work().answer(1002, 'B', 'choice');
  page.sitting.work().toggleMark(1002);
  await time.advance(2000);
  assert.deepEqual(held(hall.attempt()), { 1001: 'A', 1002: 'B' });
  assert.deepEqual([hall.attempt().position, hall.attempt().marked], [2, [1002]]);
  assert.equal(page.sitting.state().work.word, 'saved');
  await page.sitting.work().handIn();
  await time.advance(1000);
  assert.equal(page.phase(), 'receipt');
  assert.equal(page.sitting.state().work.grant.receipt.answered, 2);
  await page.sitting.leave();
  await time.advance(100);
  assert.equal(page.phase(), 'sign-in');
  assert.deepEqual(hall.faults, []);
});

test('the line about the answers follows them: sending, on this computer, buffered, saved', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const word = () => page.sitting.state().work.word;
  assert.equal(word(), 'empty');
  hall.network.faults.push('hang');
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(100);
  assert.equal(word(), 'sending');
  hall.network.mode = 'drop';
  await hall.time.advance(5000);
  assert.equal(word(), 'local');
  hall.network.mode = 'ok';
  hall.service.mode = 'buffered';
  await hall.time.advance(8000);
  assert.equal(word(), 'buffered');
  hall.service.mode = 'ok';
  await hall.time.advance(12_000);
  assert.equal(word(), 'saved');
});

test('a reload in the middle finds the same candidate, position, marks and answers, sent or not', async () => {
  const hall = createHall();
  const first = await seated(hall);
  first.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(100);
  hall.network.mode = 'drop';
  first.sitting.work().answer(1002, 'C', 'choice');
  first.sitting.work().goTo(7);
  first.sitting.work().toggleMark(1002);
  await hall.time.advance(2000);
  first.die();
  hall.network.mode = 'ok';
  const second = hall.open(first.store);
  await hall.time.advance(20_000);
  assert.equal(second.phase(), 'exam', 'without asking who it is again');
  assert.equal(second.sitting.work().view(1002).value, 'C');
  assert.deepEqual([second.sitting.state().work.position, second.sitting.state().work.marked], [7, [1002]]);
  assert.deepEqual(held(hall.attempt()), { 1001: 'A', 1002: 'C' });
});

test('another PC takes over: every acknowledged answer is there, the gap is told, and the old page hands over', async () => {
  const hall = createHall();
  const old = await seated(hall);
  old.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(100);
  hall.network.mode = 'drop';
  old.sitting.work().answer(1002, 'B', 'choice');
  await hall.time.advance(500);
  old.die();
  hall.network.mode = 'ok';
  Object.assign(hall.attempt(), { moved: true });

  const next = hall.open(createMemoryStore(), 99);
  await hall.time.advance(10);
  await next.sitting.signIn(GIVEN);
  await hall.time.advance(100);
  await next.sitting.work().confirm();
  await hall.time.advance(1000);
  await next.sitting.work().painted();
  assert.equal(next.sitting.work().view(1001).value, 'A');
  assert.equal(next.sitting.work().view(1002), null);
  assert.equal(next.sitting.state().work.gapMs, 150_000);
  next.sitting.work().answer(1002, 'D', 'choice');
  await hall.time.advance(100);

  const reborn = hall.open(old.store);
  await hall.time.advance(20_000);
  assert.equal(reborn.phase(), 'replaced');
  assert.deepEqual(hall.attempt().stranded.map((row) => [row.item, row.value]), [[1002, 'B']]);
  assert.equal(reborn.sitting.state().work.tally.stranded, 1);
  assert.deepEqual(held(hall.attempt()), { 1001: 'A', 1002: 'D' });
});

test('what an earlier candidate left is handed over under their own token, and never shown', async () => {
  const hall = createHall();
  const first = await seated(hall);
  hall.network.mode = 'drop';
  first.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(500);
  await first.sitting.leave();
  await hall.time.advance(500);
  const { sitting } = first;
  const signingIn = sitting.signIn({ ...GIVEN, ticket: 'U' });
  hall.network.mode = 'ok';
  await signingIn;
  await hall.time.advance(5000);
  await sitting.work().confirm();
  await hall.time.advance(30_000);
  assert.equal(sitting.work().view(1001), null);
  assert.deepEqual(held(hall.attempt('U')), {});
  assert.deepEqual(held(hall.attempt('T')), {}, 'not while another candidate sits here');
  await sitting.leave();
  await hall.time.advance(10_000);
  assert.deepEqual(held(hall.attempt('T')), { 1001: 'A' }, 'but as soon as nobody does');
  const tokens = new Set(hall.service.log.filter((call) => call.body?.responses?.some((row) => row.item === 1001)).map((call) => call.token));
  assert.deepEqual([...tokens], ['a-T/1']);
});

test('the time is up: the page asks, the service says so, what is left goes out, and the receipt comes', async () => {
  const hall = createHall();
  const { time, service } = hall;
  const page = await seated(hall);
  service.clock = { ...service.clock, remainingAt: 10_000 + time.clock.now(), remaining_ms: 15_000 };
  page.sitting.work().answer(1001, 'A', 'choice');
  await time.advance(10_000);
  page.sitting.work().answer(1099, '最后一句', 'typing');
  await time.advance(5100);
  await time.advance(1000);
  assert.equal(page.phase(), 'time-up');
  page.sitting.work().answer(1001, 'Z', 'choice');
  await time.advance(15_000);
  assert.equal(page.phase(), 'receipt');
  assert.deepEqual(held(hall.attempt()), { 1001: 'A', 1099: '最后一句' });
});

test('zero on this page ends nothing while no server answers', async () => {
  const hall = createHall();
  const { time, service, network } = hall;
  const page = await seated(hall);
  service.clock = { ...service.clock, remainingAt: 10_000 + time.clock.now(), remaining_ms: 15_000 };
  page.sitting.work().answer(1001, 'A', 'choice');
  await time.advance(1000);
  network.mode = 'drop';
  await time.advance(60_000);
  assert.equal(page.phase(), 'exam');
  assert.equal(page.sitting.work().timer.remaining(), 0);
  page.sitting.work().answer(1002, 'B', 'choice');
  await time.advance(100);
  assert.equal(page.sitting.work().view(1002).state, 'local');
});

test('I6: a service that stood still gives the minutes back, and says so', async () => {
  const hall = createHall();
  const { time, service, network } = hall;
  const page = await seated(hall);
  const before = page.sitting.work().timer.remaining();
  network.mode = 'drop';
  await time.advance(120_000);
  service.clock = { ...service.clock, remainingAt: 10_000 + time.clock.now(), remaining_ms: before };
  network.mode = 'ok';
  await time.advance(10_000);
  assert.ok(page.sitting.work().timer.remaining() > before - 12_000);
  assert.ok(page.sitting.state().work.changedByMs > 100_000);
});

test('paused: nothing can be answered, and the clock stands', async () => {
  const hall = createHall();
  const { time, service } = hall;
  const page = await seated(hall);
  service.clock = { ...service.clock, state: 'paused', remaining_ms: 1_000_000 };
  await time.advance(11_000);
  page.sitting.work().answer(1001, 'A', 'choice');
  await time.advance(60_000);
  assert.deepEqual(held(hall.attempt()), {});
  assert.equal(page.sitting.work().timer.remaining(), 1_000_000);
  service.clock = { ...service.clock, state: 'running', remainingAt: 10_000 + time.clock.now() };
  await time.advance(11_000);
  page.sitting.work().answer(1001, 'A', 'choice');
  await time.advance(1000);
  assert.deepEqual(held(hall.attempt()), { 1001: 'A' });
});

test('a hand-in that found no server is finished after a reload', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(100);
  hall.network.mode = 'drop';
  await page.sitting.work().handIn();
  await hall.time.advance(30_000);
  assert.equal(page.phase(), 'handing-in');
  page.die();
  hall.network.mode = 'ok';
  const next = hall.open(page.store);
  await hall.time.advance(20_000);
  assert.equal(next.phase(), 'receipt');
});

test('a hand-in whose reply was lost and that the office took back is not asked again', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(2000);
  hall.network.mode = 'drop';
  hall.network.faults.push('lose');
  await page.sitting.work().handIn();
  await hall.time.advance(3000);
  assert.equal(hall.attempt().final, true);
  assert.equal(page.phase(), 'handing-in');
  hall.service.reopen(hall.attempt());
  hall.network.mode = 'ok';
  await hall.time.advance(60_000);
  assert.equal(page.phase(), 'exam');
  assert.equal(hall.attempt().final, false);
  page.die();
  const next = hall.open(page.store);
  await hall.time.advance(20_000);
  assert.equal(hall.attempt().final, false, 'nor after a reload');
  next.sitting.work().answer(1001, 'B', 'choice');
  await hall.time.advance(2000);
  assert.deepEqual(held(hall.attempt()), { 1001: 'B' });
  await next.sitting.work().handIn();
  await hall.time.advance(5000);
  assert.equal(next.phase(), 'receipt');
});

test('a receipt survives a reload, and the answers are gone from this browser', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(100);
  await page.sitting.work().handIn();
  await hall.time.advance(2000);
  assert.deepEqual(await page.store.transaction('readonly', (tx) => tx.all('entries')), []);
  page.die();
  const next = hall.open(page.store);
  await hall.time.advance(10_000);
  assert.equal(next.phase(), 'receipt');
  assert.equal(next.sitting.state().work.grant.receipt.answers_hash, '4b1f 90ce 77d2');
});

test('answered into a buffer, handed in, drained: the receipt says nothing was late', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.service.mode = 'buffered';
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  assert.equal(page.sitting.state().work.word, 'buffered');
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  hall.service.mode = 'ok';
  await hall.time.advance(30_000);
  assert.equal(page.phase(), 'receipt');
  assert.equal(page.sitting.state().work.tally.stranded, 0);
  assert.deepEqual(await page.store.transaction('readonly', (tx) => tx.all('entries')), []);
});

test('a token that is not honoured any more asks for a new sign-in, and everything typed is still there', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.network.mode = 'drop';
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  const attempt = hall.attempt();
  hall.service.attempts.delete('a-T');
  hall.network.mode = 'ok';
  await hall.time.advance(10_000);
  assert.equal(page.phase(), 'sign-in');
  assert.equal(page.sitting.state().signIn.ticket, 'T');
  hall.service.attempts.set('a-T', attempt);
  await page.sitting.signIn(GIVEN);
  await hall.time.advance(20_000);
  assert.equal(page.phase(), 'exam');
  assert.deepEqual(held(attempt), { 1001: 'A' });
});

test('a second tab of the same browser waits; taking over there goes on with everything', async () => {
  const hall = createHall();
  const one = await seated(hall);
  one.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  const two = hall.open(one.store, 55);
  await hall.time.advance(8000);
  assert.equal(two.phase(), 'elsewhere');
  two.sitting.takeHere();
  await hall.time.advance(5000);
  assert.equal(two.phase(), 'exam');
  assert.equal(two.sitting.work().view(1001).value, 'A');
  assert.equal(one.phase(), 'elsewhere');
});

test('a sign-in waits out a service that is away, and can be given up', async () => {
  const hall = createHall();
  hall.network.only = '/api/';
  hall.network.mode = 'drop';
  const page = hall.open(createMemoryStore());
  await hall.time.advance(10);
  void page.sitting.signIn(GIVEN);
  await hall.time.advance(20_000);
  assert.deepEqual([page.sitting.state().signIn.busy, page.sitting.state().waiting], [true, true]);
  page.sitting.cancelSignIn();
  hall.network.mode = 'ok';
  await hall.time.advance(20_000);
  assert.equal(page.phase(), 'sign-in');
  void page.sitting.signIn(GIVEN);
  await hall.time.advance(1000);
  assert.equal(page.phase(), 'identity');
});

/**
 * Chance: answers, faults of the network, dead pages, restored services, in any order. Whatever happened, once it is
 * quiet the service holds, for every item, the last value that was on the disk of this browser.
 */
const SEEDS = Number(process.env.SEEDS ?? 60);
test(`I1 under chance: ${SEEDS} histories end with the last word of every item`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const chance = createSeeded(seed * 7919);
    const hall = createHall(seed);
    const base = createMemoryStore();
    let mortal = createMortal(base);
    let page = await seated(hall, mortal);
    const story = [];
    const lastOnDisk = new Map();
    const reading = async () => {
      for (const row of await base.transaction('readonly', (tx) => tx.all('entries'))) lastOnDisk.set(row.item, row.value);
    };
    for (let step = 0; step < 40; step += 1) {
      const dice = chance.unit();
      if (dice < 0.55) {
        const item = 1001 + Math.floor(chance.unit() * 6);
        const value = chance.pick(['A', 'B', 'C', 'D', null]);
        story.push(`${item}=${value}`);
        page.sitting.work()?.answer(item, value, chance.pick(['choice', 'typing']));
      } else if (dice < 0.7) {
        const fault = chance.pick(['drop', 'lose', 'hang', 'late', 'late', 'html', 'json', 'cut', 'empty']);
        story.push(fault);
        hall.network.faults.push(fault);
      } else if (dice < 0.76) {
        hall.network.mode = chance.pick(['ok', 'late', 'late', 'drop', 'lose']);
        story.push(`network ${hall.network.mode}`);
      } else if (dice < 0.82) {
        hall.service.mode = chance.pick(['ok', 'ok', '503', 'buffered']);
        story.push(`service ${hall.service.mode}`);
      } else if (dice < 0.9) {
        const when = 1 + Math.floor(chance.unit() * 6);
        story.push(`the page dies before write ${when}`);
        mortal.dieBefore(when);
        await hall.time.advance(chance.unit() * 3000);
        mortal.kill();
        page.die();
        await settle();
        await reading();
        mortal = createMortal(base);
        page = hall.open(mortal, seed + step);
        await hall.time.advance(10_000);
      } else if (dice < 0.95) {
        // A restore: the service is back at some earlier moment, in a new lineage, and has forgotten some answers.
        story.push('restore');
        const attempt = hall.attempt();
        for (const item of [...attempt.responses.keys()]) if (chance.unit() < 0.5) attempt.responses.delete(item);
        attempt.count = attempt.responses.size;
        attempt.buffered = [];
        hall.service.lineage = `lineage-${step + 2}`;
        if (chance.unit() < 0.3) {
          story.push('and of the grant it knows nothing');
          Object.assign(attempt, { epoch: 0, secret: null, seq: 0 });
        }
      } else if (dice < 0.975) {
        story.push('the drain tells');
        hall.network.streams[0]?.push('settled', hall.service.drained(hall.attempt()));
      } else {
        story.push('the stream ends');
        hall.network.streams[0]?.end();
      }
      await hall.time.advance(chance.unit() * 4000);
      await reading();
    }
    hall.network.mode = 'ok';
    hall.network.faults.length = 0;
    hall.service.mode = 'ok';
    await hall.time.advance(60_000);
    await reading();
    const at = held(hall.attempt());
    for (const [item, value] of lastOnDisk) {
      assert.deepEqual(at[item] ?? null, value, `seed ${seed}, item ${item}\n${story.join(' · ')}`);
    }
    const views = page.sitting.work().view(1001);
    assert.ok(!views || views.state === 'durable', `seed ${seed}: ${JSON.stringify(views)}`);
    assert.deepEqual(hall.faults, [], `seed ${seed}\n${story.join(' · ')}`);
    page.die();
  }
});
