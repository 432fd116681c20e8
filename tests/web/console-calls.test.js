import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refused } from '../../app/web/shared/api.js';
import { askedFor, createCalls, nextRoom } from '../../app/web/console/core/calls.js';
import { kindOf, matches } from '../../app/web/console/core/room.js';

const request = (id, ticket, state, to) => ({ id, ticket, state, to_room_id: to, from_room_id: 3 });
const PICTURE = {
  room: { id: 3 }, session: { id: 7 },
  spare_rooms: [{ room_id: 4, room: '近' }, { room_id: 5, room: '远' }],
  spare_requests: [request(1, 'A', 'declined', 4), request(2, 'A', 'asked', 5), request(3, 'B', 'declined', 4)],
}; // prettier-ignore

test('a room that has said no is not suggested for the same candidate, and for another one it is', () => {
  assert.equal(nextRoom(PICTURE, 'A').room_id, 5);
  assert.equal(nextRoom(PICTURE, 'C').room_id, 4);
  assert.equal(askedFor(PICTURE, 'A').id, 2);
  assert.equal(askedFor(PICTURE, 'B').state, 'declined');
});

test('who left for good is told as that, and found among those whose session was ended', () => {
  const seat = { seat_id: 1, label: '1', out_of_order: null, arriving: null, occupant: { state: 'forced', withdrew: {} } };
  assert.equal(kindOf(seat), 'withdrew');
  assert.equal(matches(seat, '', 'forced'), true);
  assert.equal(kindOf({ ...seat, occupant: { state: 'forced', withdrew: null } }), 'forced');
});

function desk(answers) {
  const asked = [];
  const fault = { value: null };
  const calls = createCalls({
    look: async (path, body) => ({ seen: `${body.action}-${asked.push([path, body])}` }),
    send: async (at, path, body) => {
      asked.push([path, body]);
      const answer = answers.shift();
      if (!(answer instanceof Error)) return { body: { effect: { zh: '…', en: '…' } } };
      fault.value = { at, error: answer };
      return { error: answer };
    },
    change: async () => true,
    loginEnded: () => false,
    fault,
    picture: { value: PICTURE },
    by: () => ({}),
    buildingOf: () => 9,
  });
  return { calls, asked };
}

const refused = (code) => new Refused(409, { code, detail_zh: '', detail_en: '' }, null);

test('what somebody else decided in between is looked at once more, at the same press', async () => {
  const { calls, asked } = desk([refused('time-changed'), null]);
  assert.equal(await calls.pause('building', 'fire', ''), true);
  assert.deepEqual(asked.map(([path]) => path), ['/time/preview', '/time/actions', '/time/preview', '/time/actions']);
  assert.deepEqual(asked[3][1].scope, { session: 7, kind: 'building', buildings: [9] });
  assert.equal(asked[3][1].seen, 'pause-3');
});

test('who stays is stopped by themselves before the room goes on; when that fails the room does not', async () => {
  const acted = (asked) => asked.filter(([path]) => path === '/time/actions').map(([, body]) => [body.action, body.scope.kind]);
  const good = desk([null, refused('already-paused'), null]);
  assert.equal(await good.calls.resume('room', ['a1', 'a2'], ''), true);
  assert.deepEqual(acted(good.asked), [['pause', 'candidate'], ['pause', 'candidate'], ['resume', 'room']]);
  const bad = desk([refused('not-permitted')]);
  assert.equal(await bad.calls.resume('room', ['a1'], ''), false);
  assert.deepEqual(acted(bad.asked), [['pause', 'candidate']]);
});
