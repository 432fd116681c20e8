import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAside, newest, shownAs, waiting } from '../../app/web/console/core/aside.js';
import { createStores, missing, readStores } from '../../app/web/console/core/stores.js';
import { Unreachable, Refused } from '../../app/web/shared/api.js';
import { createSeeded, createTime, settle } from './support.mjs';

const OPTIONS = [{ id: 'C', text: '丙' }, { id: 'A', text: '甲' }, { id: 'B', text: '乙' }];
const single = { type: 'single', options: OPTIONS };

test('a value is told by the letters and words the candidate saw', () => {
  assert.deepEqual(shownAs(single, 'A'), { kind: 'options', chosen: [{ letter: 'B', text: '甲' }] });
  assert.deepEqual(shownAs({ ...single, type: 'multiple' }, ['B', 'C']), {
    kind: 'options', chosen: [{ letter: 'A', text: '丙' }, { letter: 'C', text: '乙' }],
  });
  const truth = { type: 'true_false', options: [{ id: 'T', text: '正确' }, { id: 'F', text: '错误' }] };
  assert.deepEqual(shownAs(truth, 'F'), { kind: 'options', chosen: [{ letter: '', text: '错误' }] });
  assert.deepEqual(shownAs({ type: 'blank', options: [] }, ['9.8', '']), { kind: 'blanks', parts: ['9.8', ''] });
  assert.deepEqual(shownAs({ type: 'text', options: [] }, '管涌'), { kind: 'text', text: '管涌' });
});

test('nothing of an answer is hidden, and nothing given is told as nothing', () => {
  assert.deepEqual(shownAs(single, 'Z'), { kind: 'options', chosen: [{ letter: 'Z', text: '' }] });
  for (const value of [null, undefined, '', [], ['', '']]) assert.deepEqual(shownAs(single, value), { kind: 'none' });
});

const kept = (stranded, more = {}) => ({ stranded, value: 'B', same: false, state: 'kept', ...more });

test('adopting all takes the last value of each item, and none that says the same', () => {
  const items = [
    { seen: '1.1.0.aa', kept: [kept(1), kept(5)] },
    { seen: null, kept: [kept(2)] },
    { seen: '1.2.0.bb', kept: [kept(3, { same: true })] },
    { seen: '1.3.0.cc', kept: [kept(4, { state: 'dismissed' })] },
  ];
  assert.deepEqual(newest({ items }), [{ stranded: 5, seen: '1.1.0.aa' }, { stranded: 2, seen: null }]);
});

test('the way in leads to the session on the screen, or to the first in which something waits', () => {
  assert.deepEqual(waiting(new Map(), 7), { total: 0, session: 7 });
  assert.deepEqual(waiting(new Map([[7, 1], [8, 2]]), 8), { total: 3, session: 8 });
  assert.deepEqual(waiting(new Map([[7, 0], [8, 2]]), 7), { total: 2, session: 8 });
  assert.deepEqual(waiting(new Map([[8, 2]]), null), { total: 2, session: 8 });
});

const attempt = (n) => ({ attempt_id: `a${n}`, items: [{ item: n, seen: null, kept: [kept(n)] }] });
const page = (numbers, next = null, left = numbers.length) => ({
  session: { id: 7, name: '第一场', timezone: 'Asia/Shanghai' }, kept: left, attempts: numbers.map(attempt), next,
});

/** The aside over a table of replies; `GET` paths in the order asked. */
function createPanel(replies, changes = []) {
  const time = createTime();
  const asked = [];
  const posted = [];
  const ended = [];
  const aside = createAside({
    get: async (path) => {
      asked.push(path);
      const key = path.split('?')[0];
      const left = replies[key];
      const reply = left.length > 1 ? left.shift() : left[0];
      if (reply instanceof Error) throw reply;
      return reply;
    },
    change: async (at, path, body) => {
      posted.push({ at, path, body });
      return changes.length ? changes.shift() : true;
    },
    timers: time.timers,
    random: createSeeded(1),
    loginEnded: (error) => {
      if (error.code !== 'login-ended') return false;
      ended.push(error);
      return true;
    },
    forgive: () => {},
  });
  return { aside, time, asked, posted, ended };
}
const counts = (n) => ({ sessions: [{ id: 7, kept: n }] });

test('how much waits is asked for again and again, and a list on the screen follows', async () => {
  const { aside, time, asked } = createPanel({
    '/stranded/counts': [counts(1), counts(1), counts(2)], '/stranded': [page([1]), page([1, 2])],
  });
  aside.start();
  await settle();
  assert.equal(aside.counts.value.get(7), 1);
  await aside.show(7);
  assert.equal(asked.filter((path) => path.startsWith('/stranded?')).length, 1);
  await time.advance(60_000);
  assert.deepEqual(aside.list.value.attempts.map(({ attempt_id: id }) => id), ['a1', 'a2']);
  aside.stop();
  const before = asked.length;
  await time.advance(120_000);
  assert.equal(asked.length, before, 'stopped');
  assert.deepEqual([aside.open.value, aside.list.value, aside.counts.value.size], [null, null, 0]);
});

test('a list is not pulled away under a question that waits for its answer', async () => {
  const { aside, time } = createPanel({ '/stranded/counts': [counts(1), counts(2)], '/stranded': [page([1]), page([1, 2])] });
  aside.start();
  await aside.show(7);
  aside.ask({ how: 'adopt', key: 'one 1', choices: [{ stranded: 1, seen: null }] });
  await time.advance(60_000);
  assert.equal(aside.list.value.attempts.length, 1);
  aside.ask(null);
  await time.advance(60_000);
  assert.equal(aside.list.value.attempts.length, 2);
});

test('a decision sends what was seen, says what it did, and shows what is left', async () => {
  const { aside, posted } = createPanel({ '/stranded/counts': [counts(0)], '/stranded': [page([1]), page([])] });
  await aside.show(7);
  assert.equal(await aside.decide('nothing was asked'), false);
  aside.ask({ how: 'adopt', key: 'one 1', choices: [{ stranded: 1, seen: '1.1.0.aa' }] });
  assert.equal(await aside.decide('考生要求'), true);
  assert.deepEqual(posted, [
    { at: 'aside one 1', path: '/stranded/adopt', body: { items: [{ stranded: 1, seen: '1.1.0.aa' }], note: '考生要求' } },
  ]);
  assert.deepEqual([aside.told.value, aside.asking.value], [{ how: 'adopt', n: 1 }, null]);
  assert.deepEqual(aside.list.value.attempts, []);
});

test('after a refusal the list is read again, and nothing is told as done', async () => {
  const { aside, asked } = createPanel({ '/stranded/counts': [counts(1)], '/stranded': [page([1])] }, [false]);
  await aside.show(7);
  aside.ask({ how: 'dismiss', key: 'one 1', choices: [{ stranded: 1, seen: null }] });
  assert.equal(await aside.decide(''), false);
  assert.deepEqual([aside.told.value, aside.asking.value], [null, null]);
  assert.equal(asked.filter((path) => path.startsWith('/stranded?')).length, 2);
});

test('pages follow each other, and what is shown is read again whole', async () => {
  const { aside, asked } = createPanel({ '/stranded/counts': [counts(3)], '/stranded': [page([1, 2], 9, 3), page([3], null, 3), page([1, 2, 3])] });
  await aside.show(7);
  await aside.more();
  assert.equal(aside.list.value.attempts.length, 3);
  await aside.more();
  assert.deepEqual(asked, ['/stranded?session=7&after=0&limit=20', '/stranded?session=7&after=9&limit=20']);
  await aside.show(7, true);
  assert.match(asked[2], /decided=true/);
});

test('no answer is said with a way to try again; a login that ended closes the page', async () => {
  const away = createPanel({ '/stranded': [new Unreachable('x', ''), page([1])] });
  await away.aside.show(7);
  assert.ok(away.aside.fault.value instanceof Unreachable);
  assert.equal(away.aside.loading.value, false);
  await away.aside.reload();
  assert.deepEqual([away.aside.fault.value, away.aside.list.value.attempts.length], [null, 1]);
  const over = createPanel({ '/stranded/counts': [new Refused(401, { code: 'login-ended' }, '', null)] });
  over.aside.start();
  await settle();
  assert.equal(over.ended.length, 1);
  // Signed out by hand while a question was under way: its refusal is no news.
  const gone = createPanel({ '/stranded/counts': [new Refused(401, { code: 'login-ended' }, '', null)] });
  gone.aside.start();
  gone.aside.stop();
  await settle();
  assert.deepEqual([gone.ended.length, gone.aside.counts.value.size], [0, 0]);
});

test('an answer that comes after the page was left changes nothing', async () => {
  let answer;
  const waiting = new Promise((resolve) => (answer = resolve));
  const { aside } = createPanel({ '/stranded': [waiting] });
  const shown = aside.show(7);
  aside.hide();
  answer(page([1]));
  await shown;
  assert.deepEqual([aside.open.value, aside.list.value, aside.loading.value], [null, null, false]);
});

test('which store is away is said; what is not known is not', () => {
  assert.equal(missing(null), null);
  assert.equal(missing({ postgres: true, redis: true }), null);
  assert.equal(missing({ postgres: true, redis: false }), 'redis');
  assert.equal(missing({ postgres: false, redis: true }), 'postgres');
  assert.equal(missing({ postgres: false, redis: false }), 'both');
  assert.equal(readStores({ code: 'not-found' }), null);
  assert.equal(readStores(null), null);
  assert.equal(readStores({ postgres: true, redis: true }), null);
  assert.deepEqual(
    readStores({ ready: true, postgres: true, redis: false, queue: 3 }), { postgres: true, redis: false, ready: true },
  );
});

test('a hint that a store is away asks at once, and once only', async () => {
  const time = createTime();
  const at = [];
  const { stores, start, stop, hurry } = createStores({
    fetch: async () => {
      at.push(time.clock.now());
      return new Response(JSON.stringify({ postgres: at.length < 2, redis: true, ready: true }));
    },
    timers: time.timers,
    random: createSeeded(3),
  });
  hurry();
  await time.advance(5000);
  assert.equal(at.length, 0, 'nobody is signed in');
  start();
  await time.advance(1000);
  assert.equal(missing(stores.value), null);
  hurry();
  await time.advance(1000);
  assert.equal(missing(stores.value), 'postgres');
  assert.equal(at.length, 2);
  await time.advance(12_500);
  assert.equal(at.length, 3);
  stop();
});

test('the stores are asked about every ten seconds or so, also behind a 503, and no answer is no word', async () => {
  const time = createTime();
  const answers = [
    new Response(JSON.stringify({ postgres: true, redis: true, ready: true })),
    new Response(JSON.stringify({ postgres: false, redis: false, ready: false }), { status: 503 }),
    null,
    new Response('<html>'),
    new Response(JSON.stringify({ postgres: true, redis: true, ready: true })),
  ];
  const at = [];
  const seen = [];
  const { stores, start, stop } = createStores({
    fetch: async (path) => {
      assert.equal(path, '/readyz');
      at.push(time.clock.now());
      const answer = answers.shift() ?? new Response('{}');
      if (answer === null) throw new TypeError('Failed to fetch');
      return answer;
    },
    timers: time.timers,
    random: createSeeded(3),
  });
  stores.subscribe((value) => seen.push(missing(value) ?? (value ? 'well' : null)));
  start();
  await time.advance(50_000);
  stop();
  const asked = at.length;
  await time.advance(50_000);
  assert.equal(at.length, asked);
  assert.deepEqual(seen.slice(0, 4), [null, 'well', 'both', null]);
  const gaps = at.slice(1).map((now, n) => now - at[n]);
  assert.ok(gaps.every((gap) => gap >= 7500 && gap <= 12_500), String(gaps));
  assert.ok(new Set(gaps).size > 1, 'jitter');
  assert.equal(stores.value, null);
});
