import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  TRUSTED_MS, countdown, currentSession, digits, follow, freeSeats, happenings, kindOf, matches, minutes, secondsNow, step,
} from '../../app/web/console/core/room.js';

const clock = (change = {}) => ({
  service_ms: 0, state: 'running', starts_in_ms: null, remaining_ms: 600_000, longest_ms: 600_000, ...change,
});
const person = (n, change = {}) => ({
  attempt_id: `a${n}`, ticket: `2026${String(n).padStart(4, '0')}`, name: `考生${n}`, state: 'answering', silent_s: null,
  last_seen_s: 1, answered: 0, total: 60, planned_label: String(n), planned_room: null, relog: null, ...change,
});
const seat = (n, change = {}) => ({
  seat_id: n, label: String(n), ordinal: n, is_spare: false, out_of_order: null, free: false, arriving: null,
  occupant: null, ...change,
});
const room = (seats, change = {}) => ({ room: { id: 1 }, session: { id: 1 }, seats, suggested_seat_id: null, ...change });

test('the clock counts between pictures, and stops when pictures stop coming', () => {
  assert.deepEqual(countdown(clock(), 1500), { kind: 'remains', ms: 598_500, longestMs: 598_500 });
  const stale = countdown(clock(), TRUSTED_MS);
  assert.deepEqual(countdown(clock(), TRUSTED_MS + 60_000), stale);
  assert.equal(secondsNow(30, 60_000), 30 + TRUSTED_MS / 1000);
  assert.equal(secondsNow(null, 60_000), null);
});

test('the clock starts, runs out, and says when there is nothing to count', () => {
  const waiting = clock({ state: 'waiting', starts_in_ms: 2000 });
  assert.deepEqual(countdown(waiting, 500), { kind: 'starts', ms: 1500, longestMs: null });
  // The start falls between two pictures.
  assert.equal(countdown(waiting, 2500).kind, 'remains');
  assert.equal(countdown(waiting, 2500).ms, 599_500);
  assert.equal(countdown(clock({ remaining_ms: 1000 }), 1000).kind, 'over');
  assert.equal(countdown(clock({ state: 'ended', remaining_ms: 0, longest_ms: 30_000 }), 1000).longestMs, 29_000);
  assert.equal(countdown(clock({ state: 'planned' }), 0).kind, 'planned');
  assert.equal(countdown(clock({ state: 'held' }), 0).kind, 'held');
});

test('digits round up, so that the last second is seen; a silence rounds down', () => {
  assert.deepEqual([1, 1000, 61_000, 3_600_000, 0].map(digits), ['00:01', '00:01', '01:01', '1:00:00', '00:00']);
  assert.deepEqual([0, 34, 725].map(minutes), ['0:00', '0:34', '12:05']);
});

test('what a seat is', () => {
  assert.equal(kindOf(seat(1, { occupant: person(1, { state: 'silent' }) })), 'silent');
  assert.equal(kindOf(seat(1, { is_spare: true, free: true })), 'free');
  assert.equal(kindOf(seat(1, { is_spare: true, out_of_order: 'x' })), 'broken');
  assert.equal(kindOf(seat(1, { is_spare: true, arriving: { id: 1 } })), 'kept');
  assert.equal(kindOf(seat(1, { free: true })), 'empty');
});

test('people are found by name, ticket and seat', () => {
  const one = seat(12, { occupant: person(12, { name: '欧阳文博', state: 'silent' }) });
  const found = (query, only = null) => matches(one, query, only);
  assert.ok(found('') && found('欧阳') && found(' 博 ') && found('0012') && found('20260012'));
  assert.ok(found('12'), 'its seat number');
  assert.ok(!found('2'), 'a short number is a seat, not a part of a ticket');
  assert.ok(!found('张'));
  assert.ok(found('', 'silent') && !found('', 'answering') && !found('欧阳', 'answering'));
  assert.ok(!found('', 'moving'));
  assert.ok(matches(seat(1, { occupant: person(1, { relog: { id: 1 } }) }), '', 'moving'));
  const kept = seat(41, { label: '备1', is_spare: true, arriving: { name: '李', ticket: '7777' } });
  assert.ok(matches(kept, '备', null) && matches(kept, '7777', null) && matches(kept, '', 'moving'));
  assert.ok(!matches(seat(3), '李', null));
});

test('arrows walk the grid and stay inside it', () => {
  const from = (key, index) => step(key, index, 8, 43);
  assert.deepEqual(['ArrowRight', 'ArrowLeft', 'ArrowDown', 'ArrowUp'].map((key) => from(key, 9)), [10, 8, 17, 1]);
  assert.deepEqual([from('ArrowLeft', 0), from('ArrowUp', 3), from('ArrowRight', 42), from('ArrowDown', 40)], [0, 3, 42, 40]);
  assert.deepEqual([from('Home', 20), from('End', 20), from('a', 20)], [0, 42, null]);
});

test('a room opens with the session that matters now', () => {
  const session = (id, state, rooms = [1]) => ({ id, state, room_ids: rooms });
  const choose = (...list) => currentSession(list, 1)?.id ?? null;
  assert.equal(choose(session(1, 'ended'), session(2, 'running'), session(3, 'planned')), 2);
  assert.equal(choose(session(1, 'ended'), session(2, 'waiting'), session(3, 'planned')), 2);
  assert.equal(choose(session(1, 'ended'), session(2, 'planned'), session(3, 'planned')), 2);
  assert.equal(choose(session(1, 'ended'), session(2, 'ended')), 2);
  assert.equal(choose(session(1, 'running', [2]), session(2, 'planned')), 2);
  assert.equal(choose(session(1, 'running', [2])), null);
});

test('the suggested seat comes first, then spares, then empty seats', () => {
  const picture = room(
    [seat(1, { free: true }), seat(41, { free: true, is_spare: true }), seat(42, { free: true, is_spare: true }), seat(43)],
    { suggested_seat_id: 42 },
  );
  assert.deepEqual(freeSeats(picture).map(({ seat_id: id }) => id), [42, 41, 1]);
});

test('a move is told once, when the candidate is at the new seat', () => {
  const pending = person(1, { relog: { id: 5, to_seat: '备1', same_seat: false } });
  const before = room([seat(1, { occupant: pending }), seat(41, { label: '备1', arriving: { ticket: pending.ticket } })]);
  const after = room([seat(1), seat(41, { label: '备1', occupant: person(1) })]);
  assert.deepEqual(happenings(before, after), [{ kind: 'moved', name: '考生1', seat: '备1' }]);
  assert.deepEqual(happenings(after, after), []);
  assert.deepEqual(happenings(null, after), []);
  assert.deepEqual(happenings(before, { ...after, room: { id: 2 } }), []);
});

test('a candidate from another room is told as moved, a late arrival is not', () => {
  const kept = room([seat(41, { label: '备1', arriving: { ticket: '20260009' } })]);
  assert.equal(happenings(kept, room([seat(41, { label: '备1', occupant: person(9) })]))[0].kind, 'moved');
  const absent = room([seat(1, { occupant: person(1, { state: 'not_arrived', last_seen_s: null }) })]);
  assert.deepEqual(happenings(absent, room([seat(1, { occupant: person(1) })])), []);
});

test('the same seat again, silence and return are told', () => {
  const at = (change) => room([seat(1, { occupant: person(1, change) })]);
  const again = { relog: { id: 1, same_seat: true }, state: 'silent', silent_s: 40, last_seen_s: 40 };
  assert.equal(happenings(at(again), at({}))[0].kind, 'returned');
  // Withdrawn: nobody came back.
  assert.deepEqual(happenings(at(again), at({ state: 'silent', silent_s: 42, last_seen_s: 42 })), []);
  assert.equal(happenings(at({}), at({ state: 'silent', silent_s: 25 }))[0].kind, 'silent');
  assert.equal(happenings(at({ state: 'silent', silent_s: 25 }), at({}))[0].kind, 'back');
});

test('the selection follows the person, and an empty seat stays what it is', () => {
  const after = room([seat(1), seat(41, { occupant: person(1) })]);
  assert.deepEqual(follow({ seatId: 1, ticket: '20260001' }, after), { seatId: 41, ticket: '20260001' });
  assert.deepEqual(follow({ seatId: 1, ticket: null }, after), { seatId: 1, ticket: null });
  assert.equal(follow({ seatId: 99, ticket: null }, after), null);
  assert.equal(follow(null, after), null);
});
