/** What the office adopts reaches the page that is open, and what the candidate does next still counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAccount } from '../../app/web/candidate/core/account.js';
import { createHall, seated } from './hall.mjs';

test('more than this page wrote, and nothing else, is more', () => {
  const account = createAccount();
  assert.equal(account.more(9, 0), false, 'nothing was known before');
  assert.equal(account.more(9, 0), false, 'a heartbeat');
  assert.equal(account.more(11, 2), false, 'its own two');
  assert.equal(account.more(11, 2), false, 'a repeat whose first reply was lost');
  assert.equal(account.more(null, 0), false, 'the service cannot tell');
  assert.equal(account.more(12, 0), true);
  assert.equal(account.more(12, 0), false, 'said once');
  assert.equal(account.more(7, 0), false, 'less is another matter');
  account.met(20);
  account.met(null);
  assert.equal(account.more(20, 0), false);
});

/** What the service does when the office adopts `value` over what is there. */
function adopt(attempt, item, value) {
  const before = attempt.responses.get(item);
  attempt.responses.set(item, { ...(before ?? { epoch: 0, rev: 1, at_ms: 0, status: 'durable' }), value });
  attempt.count += 1;
}

const reads = (hall) => hall.service.log.filter(({ method, path }) => method === 'GET' && path === '/api/v1/attempt').length;
const value = (page, item) => page.sitting.work().view(item)?.value;

async function answered() {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(3000);
  assert.equal(page.sitting.state().work.word, 'saved');
  return { hall, page };
}

test('a push: the page shows what counts, and choosing the old value again is a change', async () => {
  const { hall, page } = await answered();
  adopt(hall.attempt(), 1001, 'C');
  adopt(hall.attempt(), 1002, 'D');
  hall.network.streams[0].push('adopted', {});
  // At once: a page that had to find out by itself would take its time (READ_SPREAD_MS).
  await hall.time.advance(20);
  assert.deepEqual([value(page, 1001), value(page, 1002)], ['C', 'D']);
  assert.equal(page.sitting.state().work.word, 'saved');
  page.sitting.work().answer(1001, 'A', 'choice');
  page.sitting.work().answer(1002, 'B', 'choice');
  await hall.time.advance(3000);
  assert.deepEqual([hall.attempt().responses.get(1001).value, hall.attempt().responses.get(1002).value], ['A', 'B']);
  assert.deepEqual(hall.faults, []);
});

test('without the push the next heartbeats tell, once', async () => {
  const { hall, page } = await answered();
  const before = reads(hall);
  await hall.time.advance(60_000);
  assert.equal(reads(hall), before, 'a page at rest reads nothing again');
  adopt(hall.attempt(), 1001, 'C');
  await hall.time.advance(30_000);
  assert.equal(value(page, 1001), 'C');
  assert.equal(reads(hall), before + 1);
  await hall.time.advance(60_000);
  assert.equal(reads(hall), before + 1);
});

test('a reading that is under way when the receipt comes brings nothing back', async () => {
  const { hall, page } = await answered();
  adopt(hall.attempt(), 1001, 'C');
  // The heartbeat has told of it, the page is about to read; the candidate hands in.
  await hall.time.advance(10_500);
  await page.sitting.work().handIn();
  await hall.time.advance(60_000);
  assert.equal(page.phase(), 'receipt');
  assert.deepEqual(await page.store.transaction('readonly', (tx) => tx.all('entries')), []);
  assert.deepEqual(hall.faults, []);
});

test('what is being written while the office adopts is the last word', async () => {
  const { hall, page } = await answered();
  hall.network.mode = 'drop';
  page.sitting.work().answer(1001, 'B', 'choice');
  await hall.time.advance(2000);
  adopt(hall.attempt(), 1001, 'C');
  hall.network.mode = 'ok';
  await hall.time.advance(60_000);
  assert.equal(value(page, 1001), 'B');
  assert.equal(hall.attempt().responses.get(1001).value, 'B');
  assert.equal(page.sitting.state().work.word, 'saved');
});
