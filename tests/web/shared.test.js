import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NotOurs, Refused, TimedOut, Unreachable, createApi, createServerRing } from '../../app/web/shared/api.js';
import { RETRY_AFTER_MOST_MS, fullJitter } from '../../app/web/shared/backoff.js';
import { formulaParts } from '../../app/web/shared/formula.js';
import { createI18n } from '../../app/web/shared/i18n.js';
import { createRandom } from '../../app/web/shared/random.js';
import { createParser, followEvents } from '../../app/web/shared/sse.js';
import { createSeeded, createTime, settle } from './support.mjs';

const apiWith = (fetch, time = createTime()) => createApi({ fetch, timers: time.timers, language: () => 'en' });
const respond = (body, init) => async () => new Response(body, init);

test('a 2xx with a JSON object is a reply; the request says who asks and in which language', async () => {
  let seen;
  const api = apiWith(async (address, init) => {
    seen = { address, ...init };
    return new Response('{"a": 1}', { status: 200 });
  });
  const reply = await api.post('/x', { b: 2 }, { token: 't', server: 'http://s' });
  assert.deepEqual([reply.body, reply.server], [{ a: 1 }, 'http://s']);
  assert.equal(seen.address, 'http://s/x');
  assert.deepEqual([seen.headers.Authorization, seen.headers['Accept-Language'], seen.redirect], ['Bearer t', 'en', 'error']);
});

for (const [name, body, status] of [['empty', '', 200], ['html', '<html>', 200], ['a string', '"ok"', 200], ['null', 'null', 200], ['502 of a proxy', '<html>', 502]]) {
  test(`${name} is not an answer of the service`, async () => {
    await assert.rejects(apiWith(respond(body, { status })).get('/x'), NotOurs);
  });
}

test('a problem becomes a refusal with code, parameters, sentence and wait', async () => {
  const problem = { code: 'unavailable', status: 503, detail_zh: '稍候', detail_en: 'Wait', retry_after: 3, seat: '备1' };
  const error = await apiWith(respond(JSON.stringify(problem), { status: 503 })).get('/x').catch((thrown) => thrown);
  assert.ok(error instanceof Refused);
  assert.deepEqual([error.code, error.status, error.retryAfterMs, error.params.seat], ['unavailable', 503, 3000, '备1']);
  assert.deepEqual([error.text('zh-CN'), error.text('en')], ['稍候', 'Wait']);
  const header = await apiWith(respond('{"code":"x"}', { status: 503, headers: { 'Retry-After': '7' } })).get('/x').catch((thrown) => thrown);
  assert.equal(header.retryAfterMs, 7000);
});

test('silence ends at the time limit, also when the body stops half way', async () => {
  const time = createTime();
  const never = (_address, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  const half = async (_address, { signal }) => ({ ok: true, status: 200, text: () => never('', { signal }) });
  for (const fetch of [never, half]) {
    const asked = apiWith(fetch, time).get('/x', { timeoutMs: 500 });
    const outcome = asked.catch((error) => error);
    await time.advance(501);
    assert.ok((await outcome) instanceof TimedOut);
  }
  await assert.rejects(apiWith(async () => { throw new TypeError('Failed to fetch'); }).get('/x'), Unreachable); // prettier-ignore
});

test('servers are asked in turn, the living one is kept, and a full round is told', () => {
  const ring = createServerRing(['http://b', 'http://c/']);
  assert.deepEqual([ring.current(), ring.size()], ['', 3]);
  assert.deepEqual(ring.failed(''), { round: false, askedMs: 0 });
  assert.equal(ring.current(), 'http://b');
  ring.answered('http://b');
  assert.equal(ring.failed('http://b', 3000).round, false);
  assert.equal(ring.failed('http://c', 1000).round, false);
  assert.deepEqual(ring.failed('', null), { round: true, askedMs: 3000 }, 'all three in a row: the longest wait asked for');
  assert.equal(ring.failed('http://b').askedMs, 0, 'a new round');
  ring.answered('http://c');
  ring.use(['http://own', 'http://c'], 'http://own');
  assert.deepEqual([ring.current(), ring.size()], ['http://c', 2]);
});

test('a failure that is reported late does not move on twice', () => {
  const ring = createServerRing(['http://b', 'http://c']);
  ring.failed('');
  ring.failed('');
  assert.equal(ring.current(), 'http://b');
});

test('full jitter: between what was asked and a ceiling that doubles up to the cap', () => {
  const curve = { base: 100, cap: 1000 };
  assert.equal(fullJitter(1, curve, () => 1), 100);
  assert.equal(fullJitter(3, curve, () => 1), 400);
  assert.equal(fullJitter(50, curve, () => 1), 1000);
  assert.equal(fullJitter(3, curve, () => 0), 0);
  assert.equal(fullJitter(3, curve, () => 0, 2000), 2000, 'never sooner than asked');
  assert.equal(fullJitter(3, curve, () => 1, 2000), 4000, 'and spread over as long again');
  assert.equal(fullJitter(9, curve, () => 1, 500), 1500, 'or over the ceiling, where that is more');
  assert.equal(fullJitter(1, curve, () => 0, 86_400_000), RETRY_AFTER_MOST_MS);
});

test('randomness from getRandomValues', () => {
  const random = createRandom({ getRandomValues: (array) => array.fill(255) });
  assert.equal(random.hex(4), 'ffffffff');
  assert.ok(random.unit() < 1 && random.unit() > 0.99);
});

test('texts: places, plurals, the other language, and a missing key that blanks nothing', () => {
  const said = [];
  const i18n = createI18n(
    { 'zh-CN': { hello: '你好，{name}', left: '还有 {n} 题', only: '仅中文' }, en: { hello: 'Hello {name}', left: { one: '{n} left', other: '{n} are left' } } },
    { onChange: (language) => said.push(language) },
  );
  assert.equal(i18n.t('hello', { name: '水' }), '你好，水');
  assert.equal(i18n.t('left', { n: 1 }), '还有 1 题');
  i18n.setLanguage('en');
  i18n.setLanguage('fr');
  assert.deepEqual(said, ['en']);
  assert.deepEqual([i18n.t('left', { n: 1 }), i18n.t('left', { n: 2 })], ['1 left', '2 are left']);
  assert.deepEqual([i18n.t('only'), i18n.t('nowhere'), i18n.t('hello')], ['仅中文', 'nowhere', 'Hello {name}']);
});

test('the stream’s grammar, in any slices', () => {
  const text = ': hello\r\nevent: clock\r\ndata: {"a":1}\r\nid: 7\r\n\r\ndata: 1\ndata: 2\n\nevent: lonely\n\nretry: 5\ndata:x\r\rdata: tail';
  const whole = [];
  createParser((event) => whole.push(event))(text);
  assert.deepEqual(whole, [
    { event: 'clock', data: '{"a":1}', id: '7' },
    { event: 'message', data: '1\n2', id: '7' },
    { event: 'message', data: 'x', id: '7' },
  ]);
  for (let size = 1; size < 9; size += 1) {
    const events = [];
    const feed = createParser((event) => events.push(event));
    for (let at = 0; at < text.length; at += size) feed(text.slice(at, at + size));
    assert.deepEqual(events, whole, `slices of ${size}`);
  }
});

/** A fetch whose streams the test writes. */
function streams() {
  const open = [];
  const fetch = (_address, { signal, headers }) => {
    let controller;
    const body = new ReadableStream({ start: (made) => void (controller = made) });
    const stream = {
      headers,
      aborted: false,
      write: (text) => controller.enqueue(new TextEncoder().encode(text)),
      end: () => controller.close(),
    };
    signal.addEventListener('abort', () => {
      stream.aborted = true;
      controller.error(new Error('aborted'));
    });
    open.push(stream);
    return Promise.resolve(new Response(body, { status: fetch.status }));
  };
  fetch.status = 200;
  return { open, fetch };
}

test('a stream is reopened after its end, after silence, and not after a refusal', async () => {
  const time = createTime();
  const { open, fetch } = streams();
  const events = [];
  const follower = followEvents({
    fetch, timers: time.timers, random: createSeeded(1), url: () => '/events', headers: () => ({ Authorization: 'Bearer t' }),
    onEvent: (event) => events.push(event), onDown: ({ status }) => status !== 401,
  }); // prettier-ignore
  await time.advance(0);
  assert.equal(open[0].headers.Authorization, 'Bearer t');
  open[0].write('event: snapshot\ndata: {"n":');
  open[0].write('1}\n\nevent: broken\ndata: {\n\n');
  await time.advance(0);
  assert.deepEqual(events.map(({ event, data }) => [event, data]), [['snapshot', { n: 1 }]]);
  open[0].end();
  await time.advance(1000);
  assert.equal(open.length, 2);
  for (let minute = 0; minute < 4; minute += 1) {
    open[1].write(': keep-alive\n\n');
    await time.advance(15_000);
  }
  assert.equal(open[1].aborted, false);
  await time.advance(45_000);
  assert.equal(open[1].aborted, true);
  assert.equal(open.length, 3);
  fetch.status = 401;
  open[2].end();
  await time.advance(60_000);
  assert.equal(open.length, 4, 'asked once more, refused, and left alone');
  follower.close();
});

test('a waiting stream can be reopened at once, and only one', async () => {
  const time = createTime();
  let asked = 0;
  const fetch = () => {
    asked += 1;
    return Promise.reject(new TypeError('down'));
  };
  const follower = followEvents({ fetch, timers: time.timers, random: { unit: () => 1 }, url: () => '/', onEvent() {} });
  await time.advance(60_000);
  const before = asked;
  follower.retryNow();
  follower.retryNow();
  await time.advance(0);
  assert.equal(asked, before + 1);
  follower.close();
  await time.advance(60_000);
  assert.equal(asked, before + 1);
});

test('formulas become readable text, and what is not a formula is left alone', () => {
  const flat = (source) => formulaParts(source).map(({ text, style }) => (style === 'plain' || style === 'math' ? text : `${style}(${text})`)).join('');
  assert.equal(flat('流量 $Q_m=1.2\\times 10^3$ m³/s'), '流量 letter(Q)sub(m)=1.2×sup'.replace('×sup', '×10sup') + '(3) m³/s');
  assert.equal(flat('$P-R-E=\\Delta v$'), 'letter(P)−letter(R)−letter(E)=Δletter(v)');
  assert.equal(flat('$\\frac{a+b}{2}$, $\\sqrt{RJ}$, $x^{n+1}$'), '(a+b)/2, √(RJ), letter(x)sup(n+1)');
  assert.equal(flat('单价 5$ 每吨'), '单价 5$ 每吨');
  assert.equal(flat('$\\unknown$'), '\\unknown');
  assert.equal(flat('没有公式'), '没有公式');
  for (const broken of ['$x^$', '$\\frac{a$', '$_$', '$\\$', '$}{$', '$$']) assert.doesNotThrow(() => formulaParts(broken));
});
