/** The office's page without a browser: the order of the rooms, whom an announcement is for, and the feed as it grows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { count, createHall, lacks, ordered, scopeOf } from '../../app/web/console/core/hall.js';

const room = (id, level, states = {}, why = []) => ({ id, level, states, why, name: `第${id}考室` });
const draft = (more = {}) => ({ to: 'both', scope: 'site', buildings: [], rooms: [], tickets: '', zh: '通知', en: '', ...more });
const entry = (n, more = {}) => ({ n, kind: 'leave', room_ids: [1], tickets: [], ...more });

test('what needs somebody comes first, and what weighs the same stays where it stands', () => {
  const rooms = [room(1, 'calm'), room(2, 'look'), room(3, 'done'), room(4, 'alarm'), room(5, 'look'), room(6, 'look', {}, ['unaccounted']), room(7, 'look', {}, ['silent', 'unaccounted'])];
  assert.deepEqual(ordered(rooms, true).map(({ id }) => id), [4, 7, 6, 2, 5, 1, 3]);
  assert.deepEqual(ordered(rooms, false).map(({ id }) => id), [1, 2, 3, 4, 5, 6, 7]);
  assert.equal(count(room(1, 'calm', { silent: 2, handed_in: 3 }), 'silent', 'handed_in', 'forced'), 5);
});

test('an announcement says whom it is for, and what it lacks', () => {
  assert.deepEqual(scopeOf(draft(), 7), { session: 7, kind: 'site' });
  assert.deepEqual(scopeOf(draft({ scope: 'list', tickets: 'A1，A2\nA1; A3' }), 7), { session: 7, kind: 'list', tickets: ['A1', 'A2', 'A3'] });
  assert.deepEqual(scopeOf(draft({ scope: 'room', rooms: [4] }), 7), { session: 7, kind: 'room', rooms: [4] });
  assert.deepEqual([lacks(draft()), lacks(draft({ zh: '  ' })), lacks(draft({ scope: 'building' }))], [null, 'text', 'scope']);
});

/** A desk whose stream is a pipe of the test. */
function opened(first) {
  const asked = [];
  const pipe = new TransformStream();
  const writer = pipe.writable.getWriter();
  const calls = { open: 0, close: 0 };
  const from = { get: async () => ({ entries: first, next: null, people: {}, rooms: {}, kinds: [] }) };
  const hall = createHall({
    fetch: async (url) => {
      asked.push(url);
      return new Response(pipe.readable, { status: 200 });
    },
    timers: { setTimeout: () => 0, clearTimeout() {} },
    random: { unit: () => 0 },
    clock: { now: () => 5 },
    language: () => 'zh-CN',
    token: () => 't',
    get: (path) => {
      asked.push(path);
      return from.get(path);
    },
    send: async () => ({ body: {} }),
    loginEnded: () => false,
    onLogin() {},
    forgive() {},
    onOpen: () => { calls.open += 1; },
    onClose: () => { calls.close += 1; },
  });
  const say = (event, data) => writer.write(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  return { hall, asked, say, calls, from };
}
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

test('the stream goes on where the feed ends, and nothing is shown twice or out of the filter', async () => {
  const { hall, asked, say, calls } = opened([entry(4)]);
  await hall.open(3);
  await settled();
  assert.equal(new URL(asked[1], 'http://x').searchParams.get('after'), '4');
  await say('hall', { rooms: [], totals: {} });
  await say('feed', { entries: [entry(6), entry(5, { room_ids: [2] }), entry(4)], people: { T6: '张三' }, more: false });
  await settled();
  assert.deepEqual(hall.entries.value.map(({ n }) => n), [6, 5, 4]);
  assert.equal(hall.known.value.people.T6, '张三');
  assert.equal(hall.at.value, 5);
  await hall.narrow({ room: '2' });
  await say('feed', { entries: [entry(8, { room_ids: [2] }), entry(7)], more: false });
  await settled();
  assert.deepEqual(hall.entries.value.map(({ n }) => n).includes(7), false);
  assert.equal(hall.entries.value[0].n, 8);
  const before = asked.length;
  await say('feed', { entries: [entry(99)], more: true });
  await settled();
  assert.equal(asked.length, before + 1, 'with a gap the page is asked for again');
  await say('away', {});
  await say('hall', { rooms: [], totals: {} });
  await settled();
  assert.equal(asked.length, before + 2, 'and after the stores were away');
  hall.close();
  assert.deepEqual([calls.open, calls.close, hall.session.value], [1, 1, null]);
});

test('a reply is left for a later one of the same thing, and for nothing else', async () => {
  const { hall, from, say } = opened([entry(1)]);
  await hall.open(3);
  /** @type {[string, (found: any) => void][]} */
  const waiting = [];
  const answer = async (part, found) => {
    const at = waiting.findIndex(([path]) => path.includes(part));
    waiting.splice(at, 1)[0][1](found);
    await settled();
  };
  from.get = (path) => new Promise((resolve) => waiting.push([path, resolve]));
  const feed = (n) => ({ entries: [entry(n)], next: null, people: {}, rooms: {}, kinds: [] });
  void hall.narrow({ kind: 'a' });
  void hall.search();
  void hall.follow(9);
  await answer('/announcements/9', { announcement: {}, missing: [], rooms: [] });
  await answer('/hall/candidates', { candidates: [], total: 0, next: null });
  await answer('kind=a', feed(2));
  assert.deepEqual([hall.entries.value[0].n, hall.people.value.total, hall.reach.value.missing.length], [2, 0, 0]);
  // What the stream told while a reply was on its way stays.
  void hall.narrow({ kind: '' });
  await say('feed', { entries: [entry(3)], more: false });
  await settled();
  await answer('feed?session=3', feed(2));
  assert.deepEqual(hall.entries.value.map(({ n }) => n), [3, 2]);
  void hall.narrow({ kind: 'b' });
  void hall.narrow({ kind: 'c' });
  void hall.follow(10);
  await hall.follow(null);
  await answer('kind=c', feed(5));
  await answer('kind=b', feed(4));
  await answer('/announcements/10', { announcement: {}, missing: [], rooms: [] });
  assert.deepEqual([hall.entries.value[0].n, hall.reach.value], [5, null]);
  hall.close();
});
