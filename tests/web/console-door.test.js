import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused } from '../../app/web/shared/api.js';
import { createDoor, meant } from '../../app/web/console/core/door.js';

const seat = (n, name, ticket, state = 'not_arrived') => ({
  seat_id: n, label: String(n), occupant: { ticket, name, state },
});
const PICTURE = {
  room: { id: 3 }, session: { id: 7 },
  seats: [
    seat(1, '张三', '2024070001'), seat(2, '李四', '2024070002'), seat(12, '张三丰', '2024070012'),
    { seat_id: 41, label: '备1', occupant: null },
  ],
}; // prettier-ignore

test('a whole ticket, a seat, a tail of a ticket or a name that fits only one says who is meant', () => {
  const who = (text) => meant(PICTURE, text);
  assert.equal(who(' 2024070012 ').ticket, '2024070012');
  assert.equal(who('2').ticket, '2024070002');
  assert.equal(who('02').ticket, '2024070002');
  assert.equal(who('0012').ticket, '2024070012');
  assert.equal(who('李').ticket, '2024070002');
  assert.deepEqual(who('张三'), { n: 2 });
  assert.deepEqual(who('40'), { n: 0 });
  assert.deepEqual(who('王五'), { n: 0 });
  assert.deepEqual(who('  '), { n: 0 });
});

test('a ticket of another room is asked of the service, which knows the right door', () => {
  assert.deepEqual(meant(PICTURE, 'HN20240719'), { ticket: 'HN20240719', seat: null });
});

function createTestDoor(act) {
  const asked = [];
  const door = createDoor({
    act: async (path, body) => {
      asked.push([path, body]);
      return act(path, body);
    },
    change: async (at, path, body) => Boolean(asked.push([path, body])),
    get: async () => ({}),
    loginEnded: () => false,
    picture: { value: PICTURE },
  });
  return { door, asked };
}

test('the next scan does not wait for the reply of the last one, and none is lost', async () => {
  const replies = [];
  const { door, asked } = createTestDoor(() => new Promise((resolve) => replies.push(resolve)));
  assert.equal(door.enter('1'), true);
  assert.equal(door.enter('2'), true);
  assert.equal(door.waiting.value, 2);
  await new Promise(setImmediate);
  replies[0]({ candidate: { name: '张三', seat: '1' }, checked_in: { by: '高', ms: 1 }, already: false });
  await new Promise(setImmediate);
  replies[1]({ candidate: { name: '李四', seat: '2' }, checked_in: { by: '王', ms: 1 }, already: true });
  await new Promise(setImmediate);
  assert.deepEqual(asked.map(([, body]) => body.ticket), ['2024070001', '2024070002']);
  assert.equal(door.waiting.value, 0);
  assert.deepEqual([door.told.value.kind, door.told.value.by], ['again', '王']);
});

test('what is refused at the door is told, and the next one is asked all the same', async () => {
  let tries = 0;
  const { door } = createTestDoor(() => {
    tries += 1;
    if (tries === 1) throw new Refused(409, { code: 'other-room', detail_zh: '别处', detail_en: 'elsewhere' });
    return { candidate: { name: '李四', seat: '2' }, checked_in: { by: '高', ms: 1 }, already: false };
  });
  door.enter('1');
  await new Promise(setImmediate);
  assert.equal(door.told.value.kind, 'refused');
  door.enter('2');
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  assert.equal(door.told.value.kind, 'done');
});

test('several or nobody: the field keeps what was typed', () => {
  const { door, asked } = createTestDoor(() => ({}));
  assert.equal(door.enter('张三'), false);
  assert.deepEqual([door.told.value.kind, door.told.value.n], ['many', 2]);
  assert.equal(door.enter('王五'), false);
  assert.equal(door.told.value.kind, 'nobody');
  assert.equal(asked.length, 0);
});

test('who asked by telephone goes with every change', async () => {
  const { door, asked } = createTestDoor(() => ({}));
  door.toldBy.value = ' 101 李老师 ';
  await door.signOff({ expected: 3, present: 3, absent: 0, unaccounted: 0 }, '无');
  await door.swap(PICTURE.seats.slice(0, 2), '坐错');
  assert.deepEqual(asked[0], ['/rooms/3/sign-off', { session_id: 7, told_by: '101 李老师', expected: 3, present: 3, absent: 0, remarks: '无' }]);
  assert.deepEqual(asked[1][1].candidates, [{ ticket: '2024070001', seat_id: 1 }, { ticket: '2024070002', seat_id: 2 }]);
  assert.equal(asked[1][1].told_by, '101 李老师');
});
