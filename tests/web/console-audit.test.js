/** The audit page without a browser: what is asked, what a line says, and that the later of two searches is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NOTHING, about, asked, createAudit, details } from '../../app/web/console/core/audit.js';

const entry = (n, subject, more = {}) => ({
  n, at: '2026-11-24T01:00:00+00:00', service_ms: 0, actor: 'su', name: '苏望舒', role: 'office', action: 'relog.open',
  zh: '发起换机登录', en: 'relog opened', subject, hash: 'ab', ...more,
});
const page = (entries, next = null) => ({ entries, next, people: { T1: '张三' }, rooms: { 7: '第07考室', 8: '第08考室' }, timezone: 'Asia/Shanghai' });

test('only what was typed is asked, and a time is read on the clocks of the exam', () => {
  assert.equal(asked(NOTHING, 'Asia/Shanghai'), 'limit=100');
  const query = new URLSearchParams(asked({ ...NOTHING, ticket: ' T1 ', from: '2026-11-24T09:00' }, 'Asia/Shanghai'));
  assert.deepEqual([query.get('ticket'), query.get('from'), query.get('room')], ['T1', '2026-11-24T01:00:00.000Z', null]);
  const london = new URLSearchParams(asked({ ...NOTHING, to: '2026-07-01T09:00' }, 'Europe/London'));
  assert.equal(london.get('to'), '2026-07-01T08:00:00.000Z');
});

test('a line names the candidate beside the ticket, and rooms that stand there by their ids', () => {
  const found = page([]);
  assert.deepEqual(about(entry(1, { ticket: 'T1', room_id: 7, seat: '12', secret: 1 }), found), [['ticket', 'T1 张三'], ['room', '第07考室'], ['seat', '12']]);
  assert.deepEqual(about(entry(2, { room_ids: [7, 8], reason: 'power' }), found), [['room', '第07考室、第08考室'], ['reason', 'power']]);
  // What was named by the service in words is not named again by its rooms.
  assert.deepEqual(about(entry(3, { room_ids: [7], names: ['南楼'] }), found), [['names', '南楼']]);
});

test('nothing of an entry is hidden in its details', () => {
  assert.deepEqual(details(entry(1, { items: [{ ticket: 'T1' }], empty: '', none: null, ok: false, n: 0 })), [
    ['items', '[{"ticket":"T1"}]'], ['ok', 'false'], ['n', '0'],
  ]);
});

test('of two searches the later one is shown, whichever answers first', async () => {
  const waiting = [];
  const audit = createAudit({
    get: (path) => (path === '/audit/actions' ? Promise.resolve({ areas: [{ area: 'relog', zh: '', en: '', actions: [] }] }) : new Promise((answer) => waiting.push([path, answer]))),
    loginEnded: () => false,
  });
  const first = audit.search({ ...NOTHING, ticket: 'A' });
  const second = audit.search({ ...NOTHING, ticket: 'B' });
  while (waiting.length < 2) await Promise.resolve();
  const answer = (ticket, n) => waiting.find(([path]) => path.includes(`ticket=${ticket}`))[1](page([entry(n, {})], null));
  answer('B', 2);
  answer('A', 1);
  await Promise.all([first, second]);
  assert.deepEqual(audit.found.value.entries.map(({ n }) => n), [2]);
  assert.equal(audit.loading.value, false);
});

test('the next page goes on where the last one ended', async () => {
  const paths = [];
  const audit = createAudit({
    get: async (path) => {
      paths.push(path);
      return path === '/audit/actions' ? { areas: [] } : path.includes('before=5') ? page([entry(4, {})]) : page([entry(5, {})], 5);
    },
    loginEnded: () => false,
  });
  await audit.search({ ...NOTHING, room: '7' });
  await audit.more();
  assert.deepEqual(audit.found.value.entries.map(({ n }) => n), [5, 4]);
  assert.ok(paths.at(-1).includes('room=7') && paths.at(-1).includes('before=5'));
  assert.equal(audit.found.value.next, null);
});
