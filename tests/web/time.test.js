/** The office changes the time: what an open page makes of it, without being asked and without asking. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LOOK_MS } from '../../app/web/candidate/core/reopening.js';
import { inTime } from '../../app/web/candidate/core/state.js';
import { createExamTimer } from '../../app/web/candidate/core/timer.js';
import { GIVEN, createHall, seated } from './hall.mjs';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createSeeded, createTime, held, settle } from './support.mjs';

const NOTICE = { id: 7, kind: 'extend', zh: '全体延长 5 分钟：试题错误。', en: 'Everybody has 5 minutes more.' };
const now = (hall) => 10_000 + hall.time.clock.now();
const asked = (hall, path) => hall.service.log.filter((call) => call.path.endsWith(path)).length;
const state = (page) => page.sitting.state();

/** As the office decides it: the clock is another one from here on, and everybody who listens hears it. */
function decide(hall, event, clock, notice) {
  hall.service.clock = { ...hall.service.clock, remainingAt: now(hall), ...clock };
  if (notice) hall.service.notices.push(notice);
  const told = { clock: hall.service.clockOf(null), ...(notice ? { notice } : {}) };
  for (const stream of hall.network.streams) stream.push(event, told);
}

/** The time of a page is up in ten seconds, and it is. */
async function timeUp(hall, page) {
  decide(hall, 'clock', { remaining_ms: 10_000 });
  await hall.time.advance(10_600);
  assert.equal(page.phase(), 'time-up');
}

/** `time-up`, and the receipt has come. */
async function receiptAfterTimeUp(hall, page) {
  await timeUp(hall, page);
  await hall.time.advance(15_000);
  assert.equal(page.phase(), 'receipt');
}

// --- pause and resume

test('a pause stops the page in the turn in which it is heard, a resume lets it go on, and nothing is asked', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  hall.service.log.length = 0;

  decide(hall, 'paused', { state: 'paused', remaining_ms: 1_000_000 });
  await settle();
  assert.equal(state(page).work.clock.state, 'paused');
  page.sitting.work().answer(1001, 'B', 'choice');
  await hall.time.advance(5000);
  assert.equal(page.sitting.work().timer.remaining(), 1_000_000, 'the clock stands');
  assert.equal(page.sitting.work().view(1001).value, 'A');

  decide(hall, 'resumed', { state: 'running' });
  await settle();
  assert.equal(state(page).work.clock.state, 'running');
  page.sitting.work().answer(1001, 'C', 'choice');
  await settle();
  assert.equal(page.sitting.work().view(1001).value, 'C');
  assert.equal(hall.service.log.filter((call) => (call.body?.responses ?? []).length === 0).length, 0, 'nobody asked');
  assert.deepEqual(hall.faults, []);
});

test('what was typed before the pause is kept, sent and shown again', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1099, '写到一半', 'typing');
  decide(hall, 'paused', { state: 'paused', remaining_ms: 1_000_000 });
  await hall.time.advance(3000);
  assert.deepEqual(held(hall.attempt()), { 1099: '写到一半' });
  decide(hall, 'resumed', { state: 'running' });
  await settle();
  assert.equal(page.sitting.work().view(1099).value, '写到一半');
});

test('a page that does not hear the pause learns it with its next reply', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.network.streams[0].end();
  hall.service.clock = { ...hall.service.clock, state: 'paused', remaining_ms: 1_000_000 };
  await hall.time.advance(11_000);
  assert.equal(state(page).work.clock.state, 'paused');
});

test('a pause pushed by a process that has read the time a moment earlier is not taken for an old word', () => {
  const timer = createExamTimer({ clock: createTime().clock });
  const word = (service_ms, clockState) => ({
    service_ms, state: clockState, remaining_ms: 600_000, starts_in_ms: null, ends_at: null, because: [],
  }); // prettier-ignore
  timer.sync(word(50_000, 'running'));
  timer.sync(word(48_500, 'paused'), { pushed: true });
  assert.equal(timer.state(), 'paused');
  timer.sync(word(48_400, 'running'));
  assert.equal(timer.state(), 'paused', 'a reply that was overtaken is one');
  timer.sync(word(45_000, 'running'), { pushed: true });
  assert.equal(timer.state(), 'paused', 'and so is a push that is older than any two processes are apart');
});

test('of two words that contradict each other the service says which holds, within three seconds', async () => {
  const hall = createHall();
  const page = await seated(hall);
  await hall.time.advance(2000);
  const running = hall.service.clockOf(null);
  decide(hall, 'paused', { state: 'paused', remaining_ms: 1_000_000 });
  await settle();
  // Composed before the pause, by a process whose reading of the time is a second ahead.
  hall.network.streams[0].push('clock', { clock: { ...running, service_ms: running.service_ms + 1000 } });
  await settle();
  assert.equal(state(page).work.clock.state, 'running');
  await hall.time.advance(3100);
  assert.equal(state(page).work.clock.state, 'paused');
});

// --- the new time, and why

test('an extension is applied and explained without a request, in the words of the office alone', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.service.log.length = 0;
  decide(hall, 'clock', { remaining_ms: 90 * 60_000 + 300_000 }, NOTICE);
  await settle();
  const { work } = state(page);
  assert.ok(page.sitting.work().timer.remaining() > 94 * 60_000);
  assert.deepEqual(work.notices.map((one) => one.zh), [NOTICE.zh]);
  assert.equal(work.changedByMs, 0, 'it is not told a second time in general words');
  assert.equal(hall.service.log.length, 0);
});

test('a change that nobody explains is told as one', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 100 * 60_000 });
  await settle();
  assert.ok(state(page).work.changedByMs > 9 * 60_000);
});

test('a page that was offline is told what changed and why with the first reply', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.network.streams[0].end();
  hall.network.mode = 'drop';
  await hall.time.advance(30_000);
  hall.service.clock = { ...hall.service.clock, remainingAt: now(hall), remaining_ms: 95 * 60_000 };
  hall.service.notices.push(NOTICE);
  await hall.time.advance(10_000);
  assert.deepEqual(state(page).work.notices, []);
  hall.network.mode = 'ok';
  await hall.time.advance(12_000);
  assert.deepEqual(state(page).work.notices.map((one) => one.id), [7]);
  assert.equal(state(page).work.changedByMs, 0);
  assert.ok(page.sitting.work().timer.remaining() > 94 * 60_000);
});

test('waiting pages see the new countdown at once', async () => {
  const hall = createHall();
  hall.service.clock = { ...hall.service.clock, state: 'waiting', startsAt: 10_000 + 600_000 };
  const page = await seated(hall);
  assert.equal(page.phase(), 'notice');
  hall.service.log.length = 0;
  decide(hall, 'clock', { startsAt: 10_000 + 1_200_000 }, { ...NOTICE, kind: 'postpone' });
  await settle();
  assert.ok(page.sitting.work().timer.startsIn() > 1_190_000);
  assert.equal(state(page).work.notices.length, 1);
  assert.equal(hall.service.log.length, 0);
});

test('where the end comes from is asked for when the candidate wants to know, and again when it has moved', async () => {
  const hall = createHall();
  const page = await seated(hall);
  assert.equal(asked(hall, '/time'), 0);
  await page.sitting.work().explain();
  assert.deepEqual(state(page).work.explained, { zh: '结束时间 10:00:00', en: 'Ends at 10:00:00' });
  await hall.time.advance(25_000);
  assert.ok(state(page).work.explained, 'a heartbeat says nothing new');
  decide(hall, 'clock', { remaining_ms: 95 * 60_000, because: [{ kind: 'extend', ms: 300_000 }] });
  await settle();
  assert.equal(state(page).work.explained, null);
});

test('paused before the start: the page waits, and the paper stays closed until it has begun', async () => {
  const hall = createHall();
  hall.service.clock = { ...hall.service.clock, state: 'waiting', startsAt: 10_000 + 600_000 };
  const page = await seated(hall);
  decide(hall, 'paused', { state: 'paused' });
  await hall.time.advance(11_000);
  assert.equal(page.phase(), 'notice');
  assert.equal(asked(hall, '/paper'), 0, 'it is not even asked for');
  decide(hall, 'resumed', { state: 'running', startsAt: 0 });
  await hall.time.advance(1000);
  assert.equal(page.phase(), 'exam');
});

test('paused since before the start: the paper is asked for once, and again as soon as it runs', async () => {
  const hall = createHall();
  hall.service.clock = { ...hall.service.clock, state: 'paused', neverRan: Infinity };
  const page = await seated(hall);
  await hall.time.advance(35_000);
  assert.equal(page.phase(), 'notice');
  assert.equal(asked(hall, '/paper'), 1, 'heartbeats do not ask for it again');
  decide(hall, 'resumed', { state: 'running', neverRan: 0 });
  await hall.time.advance(1000);
  assert.equal(page.phase(), 'exam');
});

test('resumed while the paper was being refused: it is asked for again at once', async () => {
  const hall = createHall();
  hall.service.clock = { ...hall.service.clock, state: 'waiting', startsAt: 10_000 + 600_000 };
  const page = await seated(hall);
  decide(hall, 'paused', { state: 'paused', startsAt: 0, neverRan: 1 });
  await settle();
  decide(hall, 'resumed', { state: 'running' });
  // Twice the spread of the asking, and before the next heartbeat says again that it runs.
  await hall.time.advance(1050);
  assert.equal(asked(hall, '/paper'), 2);
  assert.equal(page.phase(), 'exam');
});

// --- notices and their receipts

test('one notice by three ways is shown once, and confirmed once', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 95 * 60_000 }, NOTICE);
  hall.network.streams[0].push('notice', NOTICE);
  await hall.time.advance(11_000);
  assert.equal(state(page).work.notices.length, 1);
  assert.equal(asked(hall, '/event-receipts'), 0, 'not before it is on the screen');
  page.sitting.work().noticesShown([7]);
  page.sitting.work().noticesShown([7]);
  await hall.time.advance(1000);
  page.sitting.work().noticesShown([7]);
  await hall.time.advance(30_000);
  assert.deepEqual(hall.attempt().receipts, [7]);
});

test('a receipt whose request is lost is repeated until it is heard', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 95 * 60_000 }, NOTICE);
  await settle();
  hall.network.mode = 'drop';
  page.sitting.work().noticesShown([7]);
  await hall.time.advance(20_000);
  assert.deepEqual(hall.attempt().receipts, []);
  hall.network.mode = 'ok';
  await hall.time.advance(10_000);
  assert.deepEqual(hall.attempt().receipts, [7]);
});

test('a hall does not confirm in one instant', async () => {
  const came = [];
  for (let seed = 1; seed <= 30; seed += 1) {
    const hall = createHall(seed);
    const page = await seated(hall);
    decide(hall, 'clock', { remaining_ms: 95 * 60_000 }, NOTICE);
    await settle();
    const began = now(hall);
    page.sitting.work().noticesShown([7]);
    await hall.time.advance(1000);
    came.push(hall.service.log.find((call) => call.path.endsWith('/event-receipts')).at - began);
    page.die();
  }
  assert.ok(Math.max(...came) - Math.min(...came) > 400, came.join());
});

test('a dismissed notice does not come back; that the exam is paused goes by itself when it is not', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const pause = { id: 8, kind: 'pause', zh: '考试暂停。', en: 'Paused.' };
  decide(hall, 'clock', {}, NOTICE);
  decide(hall, 'paused', { state: 'paused' }, pause);
  await settle();
  page.sitting.work().noticesShown([7, 8]);
  page.sitting.work().dismiss(7);
  await hall.time.advance(11_000);
  assert.deepEqual(state(page).work.notices.map((one) => one.id), [8]);
  decide(hall, 'resumed', { state: 'running' });
  await settle();
  assert.deepEqual(state(page).work.notices, []);
});

test('what was read of the time does not stand on the receipt', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', {}, NOTICE);
  await settle();
  page.sitting.work().noticesShown([7]);
  await page.sitting.work().handIn();
  await hall.time.advance(2000);
  assert.equal(page.phase(), 'receipt');
  assert.deepEqual(state(page).work.notices, []);
  assert.deepEqual(hall.attempt().receipts, [7]);
});

test('that the attempt was deferred stands on the receipt: it is why it is over', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', {}, { ...NOTICE, kind: 'notice' });
  await settle();
  page.sitting.work().noticesShown([7]);
  await page.sitting.work().handIn();
  await hall.time.advance(2000);
  assert.equal(page.phase(), 'receipt');
  assert.deepEqual(state(page).work.notices.map((one) => one.id), [7]);
});

test('that the office ended the exam goes by itself once it goes on', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', {}, { id: 9, kind: 'end', zh: '已结束您的考试。', en: 'Ended.' });
  await settle();
  page.sitting.work().noticesShown([9]);
  decide(hall, 'clock', { state: 'running' });
  await settle();
  assert.deepEqual(state(page).work.notices, []);
});

test('what is no notice is not shown as one', async () => {
  const hall = createHall();
  const page = await seated(hall);
  for (const notice of [null, 5, {}, { id: 'x', zh: '一', en: 'a' }, { id: 9, zh: 1, en: 'a' }, { id: 9, zh: '一' }]) {
    hall.network.streams[0].push('notice', { notice });
    hall.network.streams[0].push('clock', { clock: hall.service.clockOf(null), notice });
  }
  await settle();
  assert.deepEqual(state(page).work.notices, []);
  assert.deepEqual(hall.faults, []);
});

// --- the end, and what comes after it

test('at zero the page asks, and goes on when the time has been extended meanwhile', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 10_000 });
  await hall.time.advance(3000);
  hall.network.streams[0].end();
  hall.service.clock = { ...hall.service.clock, remainingAt: now(hall), remaining_ms: 300_000 };
  await hall.time.advance(8000);
  assert.equal(page.phase(), 'exam');
  assert.ok(page.sitting.work().timer.remaining() > 290_000);
});

test('extended after the time was up: the page comes back, nothing is handed in', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().goTo(5);
  await timeUp(hall, page);
  decide(hall, 'clock', { remaining_ms: 300_000 }, NOTICE);
  await settle();
  assert.equal(page.phase(), 'exam');
  assert.equal(state(page).work.position, 5);
  await hall.time.advance(30_000);
  assert.equal(asked(hall, '/hand-in'), 0);
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(1000);
  assert.deepEqual(held(hall.attempt()), { 1001: 'A' });
});

test('extended while the hand-in for the time being up is under way: it is void', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 10_000 });
  await hall.time.advance(10_600);
  hall.network.streams[0].end(); // nobody tells this page
  hall.service.clock = { ...hall.service.clock, remainingAt: now(hall), remaining_ms: 300_000 };
  await hall.time.advance(9000);
  assert.equal(page.phase(), 'exam');
  assert.equal(hall.attempt().final, false);
  const handIns = hall.service.log.filter((call) => call.path.endsWith('/hand-in'));
  assert.ok(handIns.every((call) => call.body.time_up === true));
  await hall.time.advance(30_000);
  assert.equal(asked(hall, '/hand-in'), handIns.length, 'and not repeated');
});

test('paused while the hand-in for the time being up is under way: the page is blank, and nothing is complained of', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 10_000 });
  await hall.time.advance(10_600);
  assert.equal(page.phase(), 'time-up');
  hall.network.streams[0].end();
  hall.service.clock = { ...hall.service.clock, state: 'paused', remaining_ms: 300_000 };
  await hall.time.advance(12_000);
  assert.deepEqual([page.phase(), state(page).work.clock.state], ['exam', 'paused']);
  assert.equal(state(page).work.handInProblem, null);
  decide(hall, 'resumed', { state: 'running' });
  await hall.time.advance(12_000);
  assert.equal(page.phase(), 'exam');
});

test('what was typed past an end that was then moved goes out again, and counts', async () => {
  const hall = createHall();
  const page = await seated(hall);
  decide(hall, 'clock', { remaining_ms: 10_000 });
  await hall.time.advance(6000);
  hall.network.mode = 'drop';
  await hall.time.advance(6000);
  page.sitting.work().answer(1001, 'A', 'choice'); // no server has said that the time is up
  await hall.time.advance(1000);
  hall.network.mode = 'ok';
  await hall.time.advance(4000);
  assert.equal(page.phase(), 'time-up');
  assert.equal(page.sitting.work().view(1001).state, 'stranded');
  decide(hall, 'clock', { remaining_ms: 300_000 });
  await hall.time.advance(1000);
  assert.equal(page.sitting.work().view(1001).state, 'durable');
  assert.deepEqual(held(hall.attempt()), { 1001: 'A' });
});

test('what the candidate hands in is handed in, whatever the clock does meanwhile', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.network.mode = 'drop';
  await page.sitting.work().handIn();
  await hall.time.advance(3000);
  hall.network.mode = 'ok';
  decide(hall, 'clock', { remaining_ms: 300_000 });
  await hall.time.advance(20_000);
  assert.equal(page.phase(), 'receipt');
  const last = hall.service.log.filter((call) => call.path.endsWith('/hand-in')).pop();
  assert.equal(last.body.time_up, undefined);
});

for (const [how, open] of [
  ['told by the stream', (hall) => decide(hall, 'clock', { remaining_ms: 600_000 })],
  ['nobody tells', (hall) => (hall.service.clock = { ...hall.service.clock, remainingAt: now(hall), remaining_ms: 600_000 })],
]) {
  test(`a receipt is not the last word when the office opens the attempt again: ${how}`, async () => {
    const hall = createHall();
    const page = await seated(hall);
    page.sitting.work().answer(1001, 'A', 'choice');
    page.sitting.work().goTo(3);
    await receiptAfterTimeUp(hall, page);
    assert.deepEqual(await page.store.transaction('readonly', (tx) => tx.all('entries')), [], 'let go of');
    // Where nobody tells, no stream is there to tell.
    if (how === 'nobody tells') hall.network.refuse = (path) => (path.endsWith('/events') ? { status: 503, retry_after: 1 } : null);
    for (const stream of how === 'nobody tells' ? [...hall.network.streams] : []) stream.end();
    hall.service.reopen(hall.attempt());
    open(hall);
    await hall.time.advance(how === 'nobody tells' ? LOOK_MS * 1.3 : 2000);
    assert.equal(page.phase(), 'exam', 'on the same device, by itself, and nobody is asked who they are');
    assert.equal(page.sitting.work().view(1001).value, 'A');
    assert.equal(state(page).work.position, 3);
    page.sitting.work().answer(1002, 'B', 'choice');
    await hall.time.advance(1000);
    assert.deepEqual(held(hall.attempt()), { 1001: 'A', 1002: 'B' });
    await page.sitting.work().handIn();
    await hall.time.advance(1000);
    assert.equal(page.phase(), 'receipt');
    assert.equal(state(page).work.grant.receipt.answered, 2);
    assert.deepEqual(hall.faults, []);
  });
}

test('handed in by mistake and opened again, also after a reload of the receipt', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  page.die();
  const next = hall.open(page.store);
  await hall.time.advance(10_000);
  assert.equal(next.phase(), 'receipt');
  hall.service.reopen(hall.attempt());
  decide(hall, 'clock', {});
  await hall.time.advance(2000);
  assert.equal(next.phase(), 'exam');
  assert.equal(next.sitting.work().view(1001).value, 'A');
});

test('a word that is older than the receipt moves nothing', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const old = hall.service.clockOf(null);
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  for (const stream of hall.network.streams) stream.push('clock', { clock: old });
  await hall.time.advance(2000);
  assert.equal(page.phase(), 'receipt');
});

test('opened again after the candidate has left the page: signing in here needs nobody’s help', async () => {
  const hall = createHall();
  const page = await seated(hall);
  page.sitting.work().answer(1001, 'A', 'choice');
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  await page.sitting.leave();
  await hall.time.advance(1000);
  const [grant] = await page.store.transaction('readonly', (tx) => tx.all('grants'));
  assert.deepEqual([grant.who, grant.token], [null, ''], 'nothing of the candidate stays');
  hall.service.reopen(hall.attempt());
  await page.sitting.signIn(GIVEN);
  await hall.time.advance(1000);
  assert.equal(page.phase(), 'identity');
  await page.sitting.work().confirm();
  await hall.time.advance(1000);
  assert.equal(page.phase(), 'exam');
  assert.equal(hall.attempt().epoch, 1);
});

test('the next candidate at the PC takes away the proof of the one before', async () => {
  const hall = createHall();
  const page = await seated(hall);
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  await page.sitting.leave();
  await page.sitting.signIn({ ...GIVEN, ticket: 'U' });
  await hall.time.advance(1000);
  const proofs = await page.store.transaction('readonly', (tx) => tx.all('proofs'));
  assert.deepEqual(proofs.map((one) => one.ticket), ['U']);
});

test('opened again at another seat: the receipt stays what it is, and nothing is asked for ever', async () => {
  const hall = createHall();
  const page = await seated(hall);
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  hall.service.reopen(hall.attempt());
  hall.attempt().epoch += 1;
  await hall.time.advance(LOOK_MS * 1.3);
  assert.equal(page.phase(), 'receipt');
  hall.service.log.length = 0;
  await hall.time.advance(LOOK_MS * 3);
  assert.ok(asked(hall, '/attempt') <= 1, `${asked(hall, '/attempt')} looks`);
  assert.deepEqual(hall.faults, []);
});

test('what was too late for an end that no longer holds goes out again; the rest stays', () => {
  const entry = { attempt: 'a', epoch: 1, item: 1, rev: 2, typed_epoch: 1, value: 'A', at_ms: 5, server_rev: 0 };
  for (const code of ['late', 'ended', 'final']) {
    assert.equal(inTime({ ...entry, state: 'stranded', code }).state, 'local', code);
  }
  assert.equal(inTime({ ...entry, state: 'stranded', code: 'old_epoch' }).state, 'stranded');
  for (const kept of ['durable', 'buffered', 'refused', 'local']) assert.equal(inTime({ ...entry, state: kept, code: null }).state, kept);
});

test('a page that is only waiting for its candidate to leave keeps the paper closed', async () => {
  const hall = createHall();
  const store = createMemoryStore();
  const page = await seated(hall, store);
  await page.sitting.work().handIn();
  await hall.time.advance(1000);
  assert.equal(state(page).work.paper, null);
});

/**
 * Chance: the office pauses, resumes, extends, lets the time run out and opens again, while the stream ends, the network
 * fails and the page is loaded anew. Once the exam runs and it is quiet, the page is in it, by itself, and the service
 * holds the last word of every item that could be given.
 */
const SEEDS = Number(process.env.SEEDS ?? 60);
test(`${SEEDS} histories of decisions end in the exam, with every answer`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const chance = createSeeded(seed * 104_729);
    const hall = createHall(seed);
    let page = await seated(hall);
    const { store } = page;
    const story = [];
    const last = new Map();
    let notices = 0;
    const decided = (event, clock) => {
      story.push(`${event} ${JSON.stringify(clock)}`);
      notices += 1;
      decide(hall, event, clock, chance.unit() < 0.7 ? { ...NOTICE, id: notices, kind: event } : undefined);
    };
    const steps = [
      () => decided('paused', { state: 'paused', remaining_ms: 1_000_000 }),
      () => decided('resumed', { state: 'running' }),
      () => decided('clock', { remaining_ms: 60_000 + chance.unit() * 3_000_000 }),
      () => decided('clock', { state: 'running', remaining_ms: 1 }),
      () => {
        hall.service.reopen(hall.attempt());
        decided('clock', { state: 'running', remaining_ms: 1_200_000 });
      },
      () => void page.sitting.work()?.handIn(),
      () => hall.network.streams[0]?.end(),
      () => (hall.network.mode = chance.pick(['ok', 'drop', 'lose', 'late'])),
      () => {
        page.die();
        page = hall.open(store, seed + story.length);
      },
    ];
    for (let step = 0; step < 30; step += 1) {
      if (chance.unit() < 0.5) {
        const item = 1001 + Math.floor(chance.unit() * 5);
        const value = chance.pick(['A', 'B', 'C', 'D']);
        page.sitting.work()?.answer(item, value, 'choice');
        await settle();
        if (page.phase() === 'exam' && page.sitting.work()?.view(item)?.value === value) last.set(item, value);
        story.push(`${item}=${value}`);
      } else {
        const n = Math.floor(chance.unit() * steps.length);
        story.push(`step ${n}`);
        steps[n]();
      }
      const work = state(page).work;
      if (chance.unit() < 0.5) page.sitting.work()?.noticesShown((work?.notices ?? []).map((one) => one.id));
      await hall.time.advance(chance.unit() * 9000);
    }
    hall.network.mode = 'ok';
    // What the candidate pressed is done before the office opens it for the last time.
    await hall.time.advance(40_000);
    hall.service.reopen(hall.attempt());
    decide(hall, 'clock', { state: 'running', remaining_ms: 3_600_000 });
    await hall.time.advance(2 * LOOK_MS);
    const told = `seed ${seed}\n${story.join(' · ')}`;
    assert.equal(page.phase(), 'exam', told);
    const at = held(hall.attempt());
    for (const [item, value] of last) assert.equal(at[item], value, `item ${item}, ${told}`);
    const receipts = hall.attempt().receipts;
    assert.deepEqual(hall.faults, [], told);
    assert.ok(receipts.every((id) => id >= 1 && id <= notices), told);
    page.die();
  }
});
