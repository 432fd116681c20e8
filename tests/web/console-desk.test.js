import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDesk } from '../../app/web/console/core/desk.js';
import { createSeeded, createTime, settle } from './support.mjs';

const STAFF = {
  username: 'gao', name: '高明', role: 'invigilator', may: ['relog'],
  rooms: [{ id: 1, name: '一', number: '', building: '南楼', exam_id: 1 }],
};
const SESSIONS = [{ id: 7, exam_id: 1, name: '第一场', state: 'running', room_ids: [1] }];
const PICTURE = {
  room: { id: 1 }, session: SESSIONS[0], clock: {}, counts: {}, suggested_seat_id: null, spare_left: 0,
  seats: [{ seat_id: 1, label: '1', occupant: { ticket: 'T1', attempt_id: 'a1', relog: null } }],
};

/** A service that answers from a table of `METHOD path` → replies in turn; the last one is repeated. */
function createService(table) {
  const asked = [];
  const streams = [];
  const json = (status, body) =>
    new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });
  const fetch = async (url, options = {}) => {
    const path = String(url).replace('/api/v1/staff', '');
    const call = `${options.method ?? 'GET'} ${path}`;
    asked.push({ call, headers: options.headers, body: options.body });
    if (path.includes('/events')) {
      if (table.stream) return json(table.stream, { code: 'not-permitted' });
      let push;
      const body = new ReadableStream({ start: (controller) => (push = controller) });
      options.signal?.addEventListener('abort', () => push.error(new Error('aborted')));
      const encoder = new TextEncoder();
      streams.push({
        send: (event, data) => push.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
        end: () => push.close(),
      });
      return new Response(body, { status: 200 });
    }
    const replies = table[call] ?? [[404, { code: 'not-found' }]];
    const [status, body] = replies.length > 1 ? replies.shift() : replies[0];
    if (status === 0) throw new TypeError('Failed to fetch');
    return json(status, body);
  };
  const calls = (part) => asked.filter(({ call }) => call.includes(part));
  return { fetch, asked, streams, calls };
}

function createHall(table = {}, { token = null, hash = { room: null, session: null } } = {}) {
  const time = createTime();
  const kept = new Map(token === null ? [] : [['token', token]]);
  const service = createService({
    'POST /sign-in': [[200, { token: 'secret', staff: STAFF }]],
    'POST /sign-out': [[200, {}]],
    'GET /me': [[200, { staff: STAFF }]],
    'GET /sessions': [[200, { sessions: SESSIONS }]],
    ...table,
  });
  const address = { get: () => hash, set: (room, session) => void (hash = { room, session }) };
  const desk = createDesk({
    fetch: service.fetch, timers: time.timers, clock: time.clock, random: createSeeded(1), language: () => 'zh-CN',
    storage: { get: (name) => kept.get(name) ?? null, set: (name, value) => void (value === null ? kept.delete(name) : kept.set(name, value)) },
    address,
  });
  return { desk, time, service, kept, address };
}

test('signing in opens the room whose session runs and keeps the login for this tab', async () => {
  const { desk, service, kept, address } = createHall();
  await desk.start();
  assert.equal(desk.phase.value, 'signed-out');
  await desk.signIn('gao', 'pw');
  await settle();
  assert.equal(desk.phase.value, 'signed-in');
  assert.equal(kept.get('token'), 'secret');
  assert.deepEqual(address.get(), { room: 1, session: 7 });
  const [stream] = service.calls('/events');
  assert.equal(stream.call, 'GET /rooms/1/events?session=7');
  assert.equal(stream.headers.Authorization, 'Bearer secret');
  service.streams[0].send('room', PICTURE);
  await settle();
  assert.equal(desk.picture.value.seats.length, 1);
});

test('a wrong password is told and leaves nothing behind', async () => {
  const { desk, kept } = createHall({ 'POST /sign-in': [[401, { code: 'staff-sign-in-failed', detail_zh: '不对' }]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  assert.equal(desk.fault.value.error.code, 'staff-sign-in-failed');
  assert.equal(kept.size, 0);
  assert.equal(desk.busy.value, null);
});

test('a reload goes on with the login, also while the service is away', async () => {
  const { desk, time } = createHall({ 'GET /me': [[0], [503, { code: 'unavailable' }], [200, { staff: STAFF }]] }, { token: 't' });
  const started = desk.start();
  await time.advance(10_000);
  await started;
  assert.equal(desk.phase.value, 'signed-in');
});

test('a login that has ended asks for a new one and says why', async () => {
  const { desk, kept } = createHall({ 'GET /me': [[401, { code: 'login-ended' }]] }, { token: 't' });
  await desk.start();
  assert.deepEqual([desk.phase.value, desk.farewell.value, kept.size], ['signed-out', 'ended', 0]);
});

test('a relog is repeated under one key until it has an answer', async () => {
  const relog = 'POST /attempts/a1/relog';
  const { desk, time, service } = createHall({ [relog]: [[0], [503, { code: 'unavailable' }], [200, { relog: { id: 3 } }]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  const body = { to_seat_id: 41, reason: 'pc_failed' };
  const done = desk.relog('a1', body);
  await settle();
  assert.deepEqual(desk.busy.value, { at: 'relog', repeating: true });
  await time.advance(10_000);
  assert.equal(await done, true);
  const sent = service.calls('/relog');
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent.map(({ headers }) => headers['Idempotency-Key'])).size, 1);
  assert.deepEqual(JSON.parse(sent[0].body), body);
  assert.equal(desk.busy.value, null);
  await desk.relog('a1', body);
  assert.notEqual(service.calls('/relog')[3].headers['Idempotency-Key'], sent[0].headers['Idempotency-Key']);
});

test('a refusal is not repeated and is shown where the click was', async () => {
  const { desk, service } = createHall({ 'POST /attempts/a1/relog': [[409, { code: 'seat-promised', detail_zh: '已留给' }]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  assert.equal(await desk.relog('a1', { to_seat_id: 41 }), false);
  assert.equal(service.calls('/relog').length, 1);
  assert.deepEqual([desk.fault.value.at, desk.fault.value.error.code], ['relog', 'seat-promised']);
});

test('no answer at all ends in an honest "not known"', async () => {
  const { desk, time } = createHall({ 'POST /attempts/a1/relog': [[0]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  const done = desk.relog('a1', { to_seat_id: 41 });
  await time.advance(60_000);
  assert.equal(await done, false);
  assert.equal(desk.fault.value.error.name, 'Unreachable');
});

test('a second click while one is under way does nothing', async () => {
  const { desk, service } = createHall({ 'POST /attempts/a1/relog': [[200, {}]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  await Promise.all([desk.relog('a1', {}), desk.relog('a1', {})]);
  assert.equal(service.calls('/relog').length, 1);
});

test('a revoked login closes the page, a lost room only the room', async () => {
  const ended = createHall();
  await ended.desk.start();
  await ended.desk.signIn('gao', 'pw');
  await settle();
  ended.service.streams[0].send('closed', { code: 'login-ended' });
  await settle();
  assert.deepEqual([ended.desk.phase.value, ended.kept.size], ['signed-out', 0]);

  const lost = createHall({ stream: 403 });
  await lost.desk.start();
  await lost.desk.signIn('gao', 'pw');
  await settle();
  assert.deepEqual([lost.desk.phase.value, lost.desk.closed.value], ['signed-in', 'not-permitted']);
});

test('who is put on duty has the room before them without signing in again', async () => {
  const idle = { ...STAFF, rooms: [] };
  const { desk, time, service } = createHall({
    'POST /sign-in': [[200, { token: 'secret', staff: idle }]],
    'GET /me': [[200, { staff: idle }], [200, { staff: STAFF }]],
  });
  await desk.start();
  await desk.signIn('gao', 'pw');
  await time.advance(21_000);
  assert.deepEqual([desk.roomId.value, service.streams.length], [null, 0]);
  await time.advance(20_000);
  assert.equal(desk.staff.value.rooms.length, 1);
  assert.equal(desk.roomId.value, 1);
  assert.equal(service.streams.length, 1);
});

test('a stream that ends is reopened, and away is said until the next picture', async () => {
  const { desk, time, service } = createHall();
  await desk.start();
  await desk.signIn('gao', 'pw');
  await settle();
  service.streams[0].send('room', PICTURE);
  service.streams[0].send('away', {});
  await settle();
  assert.equal(desk.away.value, true);
  service.streams[0].end();
  await time.advance(2000);
  assert.equal(service.streams.length, 2);
  service.streams[1].send('room', PICTURE);
  await settle();
  assert.equal(desk.away.value, false);
});

test('a move is noticed, the selection goes along, and the notice goes by itself', async () => {
  const { desk, time, service } = createHall();
  await desk.start();
  await desk.signIn('gao', 'pw');
  await settle();
  service.streams[0].send('room', PICTURE);
  await settle();
  desk.select(desk.picture.value.seats[0]);
  const [person] = PICTURE.seats;
  service.streams[0].send('room', {
    ...PICTURE,
    seats: [{ seat_id: 1, label: '1', occupant: null }, { ...person, seat_id: 41, label: '备1', occupant: { ...person.occupant, name: '考生' } }],
  });
  await settle();
  assert.deepEqual(desk.notices.value.map(({ kind, seat }) => [kind, seat]), [['moved', '备1']]);
  assert.equal(desk.selection.value.seatId, 41);
  await time.advance(15_000);
  assert.deepEqual(desk.notices.value, []);
});

test('signing out forgets the token at once and says so when the service could not be told', async () => {
  const { desk, kept } = createHall({ 'POST /sign-out': [[0]] });
  await desk.start();
  await desk.signIn('gao', 'pw');
  const leaving = desk.signOut();
  assert.deepEqual([desk.phase.value, kept.size, desk.picture.value], ['signed-out', 0, null]);
  await leaving;
  assert.equal(desk.farewell.value, 'not-told');
});
