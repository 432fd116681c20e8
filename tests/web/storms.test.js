/**
 * Everything a page repeats by itself: with full jitter, never sooner than the service asked (Retry-After), and a hall
 * whose pages all heard the same in one instant does not come back in one second.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ONLINE_SPREAD_MS } from '../../app/web/candidate/core/pace.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createMedia } from '../../app/web/candidate/media.js';
import { createApi, createServerRing } from '../../app/web/shared/api.js';
import { askAround } from '../../app/web/candidate/core/session.js';
import { followEvents } from '../../app/web/shared/sse.js';
import { GIVEN, createHall, seated } from './hall.mjs';
import { createSeeded, createTime, settle } from './support.mjs';

const HALL = 1880;

/** The most that come within any second. */
function busiestSecond(times) {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last += 1) {
    while (sorted[last] - sorted[first] >= 1000) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

/** A service that answers 503 with Retry-After on the paths that match. */
function refusing(hall, pattern, retry_after = 7, status = 503) {
  const asked = [];
  hall.network.refuse = (path) => {
    if (!pattern.test(path)) return null;
    asked.push(hall.time.clock.now());
    return { status, retry_after };
  };
  return asked;
}

const gapsOf = (times) => times.slice(1).map((at, index) => at - times[index]);

/** Never sooner than asked, and not in step either. */
function assertPatient(times, askedMs, what) {
  const gaps = gapsOf(times);
  assert.ok(gaps.length >= 4, `${what}: asked ${times.length} times`);
  assert.ok(Math.min(...gaps) >= askedMs, `${what}: sooner than asked, ${gaps}`);
  assert.ok(Math.max(...gaps) - Math.min(...gaps) > askedMs / 10, `${what}: in step, ${gaps}`);
}

for (const [what, pattern, begin] of [
  ['checkpoint', /checkpoints$/, (page) => page.sitting.work().answer(1001, 'A', 'choice')],
  ['hand-in and its receipt', /hand-in$/, (page) => page.sitting.work().handIn()],
  ['first paint', /ready$/, (page) => page.sitting.work().painted()],
]) {
  test(`${what}: Retry-After is honoured, with jitter on top`, async () => {
    const hall = createHall();
    const page = await seated(hall);
    const asked = refusing(hall, pattern);
    void begin(page);
    await hall.time.advance(120_000);
    assertPatient(asked, 7000, what);
    hall.network.refuse = () => null;
    await hall.time.advance(20_000);
    assert.equal(page.sitting.state().connection.state, 'online');
  });
}

test('neither "online" nor the click on hand-in comes sooner than the service asked; a page that is left does', async () => {
  for (const [what, begin, sooner] of [
    ['online', (page) => page.sitting.adapter(true), false],
    ['hand-in', (page) => page.sitting.work().handIn(), false],
    ['leaving', (page) => page.sitting.visibility(true), true],
  ]) {
    const hall = createHall();
    const page = await seated(hall);
    const asked = refusing(hall, /checkpoints$|hand-in$/, 20);
    page.sitting.work().answer(1001, 'A', 'choice');
    await hall.time.advance(1000);
    assert.equal(asked.length, 1, what);
    await begin(page);
    await hall.time.advance(15_000);
    assert.equal(asked.length, sooner ? 2 : 1, what);
    await hall.time.advance(60_000);
    assert.ok(asked.length >= 2, what);
    page.die();
  }
});

test('the receipt that comes later is waited for with jitter, and no sooner than asked', async () => {
  const hall = createHall();
  const page = await seated(hall);
  hall.attempt().final = true; // closed elsewhere, and the receipt not yet made
  const asked = refusing(hall, /\/attempt$/, 9);
  await hall.time.advance(150_000);
  assertPatient(asked, 9000, 'receipt');
  hall.network.refuse = () => null;
  hall.attempt().receipt = { count: 0, answered: 0, total: 100 };
  await hall.time.advance(30_000);
  assert.equal(page.phase(), 'receipt');
});

test('sign-in, resume and paper: Retry-After is honoured', async () => {
  for (const [what, pattern] of [
    ['sign-in', /sign-in$/],
    ['resume', /\/attempt$/],
    ['paper', /paper$/],
  ]) {
    const hall = createHall();
    const asked = refusing(hall, pattern, 7);
    const page = hall.open(createMemoryStore());
    await hall.time.advance(10);
    void page.sitting.signIn(GIVEN);
    await hall.time.advance(120_000);
    assertPatient(asked, 7000, what);
    hall.network.refuse = () => null;
    await hall.time.advance(20_000);
    await page.sitting.work().confirm();
    await hall.time.advance(1000);
    assert.equal(page.phase(), 'exam', what);
  }
});

test('showing the lease again: Retry-After is honoured', async () => {
  const hall = createHall();
  const page = await seated(hall);
  Object.assign(hall.attempt(), { epoch: 0, secret: null });
  const asked = refusing(hall, /lease$/, 7);
  await hall.time.advance(120_000);
  assertPatient(asked, 7000, 'lease');
  hall.network.refuse = () => null;
  await hall.time.advance(20_000);
  assert.equal(page.phase(), 'exam');
});

test('too many tries: a wait that nobody sits out silently is said, and not asked about again', async () => {
  const hall = createHall();
  const asked = refusing(hall, /sign-in$/, 300, 429);
  const page = hall.open(createMemoryStore());
  await hall.time.advance(10);
  void page.sitting.signIn(GIVEN);
  await hall.time.advance(400_000);
  assert.equal(asked.length, 1);
  assert.equal(page.sitting.state().signIn.problem.retryAfterMs, 300_000);
  assert.equal(page.sitting.state().waiting, false);
});

test('the event stream: Retry-After is honoured when it is refused', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const asked = refusing(hall, /events$/, 25);
  hall.network.streams[0].end();
  await hall.time.advance(300_000);
  assertPatient(asked, 25_000, 'events');
  hall.network.refuse = () => null;
  await hall.time.advance(60_000);
  assert.equal(hall.network.streams.length, 1);
  assert.equal(page.sitting.state().connection.state, 'online', 'nothing of it is shown');
});

test('pictures: Retry-After is honoured, "too many" is not "none", and a refusal is', async () => {
  const time = createTime();
  let answer = () => new Response('{"code": "overloaded", "retry_after": 6}', { status: 503, headers: { 'Retry-After': '6' } });
  const asked = [];
  const fetch = async () => {
    asked.push(time.clock.now());
    return answer();
  };
  const api = createApi({ fetch, timers: time.timers });
  const media = createMedia({ api, token: () => 't', server: () => '', random: createSeeded(4), timers: time.timers });
  const picture = media.picture('/api/v1/attempt/media/ab');
  await time.advance(60_000);
  assertPatient(asked, 6000, '503');
  asked.length = 0;
  answer = () => new Response('{"code": "overloaded"}', { status: 429, headers: { 'Retry-After': '4' } });
  await time.advance(150_000);
  assertPatient(asked.slice(1), 4000, '429');
  answer = () => new Response('bytes', { status: 200 });
  await time.advance(20_000);
  assert.equal(picture.value.state, 'ready');
  asked.length = 0;
  answer = () => new Response('{"code": "not-found"}', { status: 404 });
  media.picture('/api/v1/attempt/media/cd');
  await time.advance(120_000);
  assert.equal(asked.length, 1);
  media.forget();
});

test('a proxy\'s own 503 is waited for as long as it asks, though it is no answer of the service', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const asked = [];
  const real = hall.network.fetch;
  hall.network.fetch = (address, init) => {
    if (!address.endsWith('checkpoints')) return real(address, init);
    asked.push(hall.time.clock.now());
    return Promise.resolve(new Response('<html>busy</html>', { status: 503, headers: { 'Retry-After': '5' } }));
  };
  page.sitting.work().answer(1001, 'A', 'choice');
  await hall.time.advance(60_000);
  assertPatient(asked, 5000, 'proxy');
  hall.network.fetch = real;
  await hall.time.advance(20_000);
  assert.equal(page.sitting.work().view(1001).state, 'durable');
});

test('with several servers the wait is the longest that one of the round asked for', async () => {
  const ring = createServerRing(['http://b']);
  const api = createApi({
    timers: createTime().timers,
    fetch: async (address) => {
      if (address.startsWith('http://b')) throw new TypeError('down');
      return new Response('{"code": "unavailable"}', { status: 503, headers: { 'Retry-After': '8' } });
    },
  });
  await assert.rejects(
    askAround(ring, (server) => api.get('/x', { server })),
    (error) => error.retryAfterMs === 8000 && error.name === 'Unreachable',
  );
});

/** A hall of pages that each follow a stream; returns when each came back after all streams ended at once. */
async function comeBack(last) {
  const time = createTime();
  /** When each came back first; what follows is another failure. */
  const back = new Map();
  let closed = false;
  const ends = [];
  const page = (seed) =>
    followEvents({
      timers: time.timers,
      random: createSeeded(seed),
      url: () => '/events',
      curve: { base: 5000, cap: 20000 },
      onEvent() {},
      fetch: async () => {
        if (closed) {
          if (!back.has(seed)) back.set(seed, time.clock.now());
          return new Response('{}', { status: 503 });
        }
        return new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('event: snapshot\ndata: {}\n\n'));
              ends.push(() => {
                if (last) controller.enqueue(new TextEncoder().encode(last));
                controller.close();
              });
            },
          }),
        );
      },
    });
  const pages = Array.from({ length: HALL }, (_unused, n) => page(n + 1));
  await settle(30);
  closed = true;
  ends.forEach((end) => end());
  await settle(60);
  const began = time.clock.now();
  while (back.size < HALL && time.clock.now() - began < 30_000) await time.advance(100);
  pages.forEach((one) => one.close());
  return [...back.values()].map((at) => at - began);
}

test('1,880 streams that end in one instant come back spread over seconds', async () => {
  const back = await comeBack('');
  assert.equal(back.length, HALL);
  assert.ok(busiestSecond(back) < HALL / 2.5, `${busiestSecond(back)} in one second`);
});

test('1,880 pages of a process that says goodbye come back within what it said, spread over all of it', async () => {
  const back = await comeBack('event: reconnect\ndata: {"within_ms": 8000}\n\n');
  assert.ok(Math.max(...back) <= 8100 && Math.max(...back) > 6000, `${Math.max(...back)}`);
  assert.ok(busiestSecond(back) < HALL / 5, `${busiestSecond(back)} in one second`);
});

test('a server that goes for a restart is no trouble: no word on the page, and every push is heard afterwards', async () => {
  const hall = createHall();
  const page = await seated(hall);
  const seen = new Set();
  const watch = () => seen.add(`${page.phase()} ${page.sitting.state().connection.state} ${page.sitting.state().waiting}`);
  const [stream] = hall.network.streams;
  stream.push('reconnect', { within_ms: 5000 });
  stream.end();
  hall.service.log.length = 0;
  for (let step = 0; step < 60; step += 1) {
    await hall.time.advance(100);
    watch();
  }
  assert.deepEqual([...seen], ['exam online false']);
  assert.equal(hall.network.streams.length, 1, 'within five seconds');
  assert.ok(hall.service.log.length <= 1, 'the page asked nothing because of it');
});

test('one switch comes back and the whole hall hears "online": checkpoints and streams are spread', async () => {
  const checkpoints = [];
  const streams = [];
  for (let seed = 1; seed <= 60; seed += 1) {
    const hall = createHall(seed);
    const page = await seated(hall);
    hall.network.only = '/api/';
    hall.network.mode = 'drop';
    hall.network.streams[0].end();
    await hall.time.advance(60_000);
    hall.network.mode = 'ok';
    hall.network.calls.length = 0;
    const began = hall.time.clock.now();
    page.sitting.adapter(true);
    await hall.time.advance(ONLINE_SPREAD_MS);
    const first = (part) => hall.network.calls.find((call) => call.path.endsWith(part))?.at - began;
    checkpoints.push(first('checkpoints'));
    streams.push(first('events'));
    page.die();
  }
  for (const [what, times] of Object.entries({ checkpoints, streams })) {
    assert.ok(times.every((at) => at <= ONLINE_SPREAD_MS), `${what}: ${times}`);
    assert.ok(busiestSecond(times) < 40, `${what}: ${busiestSecond(times)} of 60 in one second`);
  }
});
