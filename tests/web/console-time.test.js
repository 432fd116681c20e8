import assert from 'node:assert/strict';
import { test } from 'node:test';

import { countOf, emptyDraft, missing, scopesFor, ticketsIn, toAction, toggleRooms, withAction } from '../../app/web/console/core/timing-draft.js';
import { extentOf, namesOf, rowsOf, share, ticks, walk } from '../../app/web/console/core/timing-picture.js';
import { approved, asProposed, fieldsOf } from '../../app/web/console/core/timing-proposal.js';
import { byBuilding, lifted, nearOf, openPauses, waitingIn } from '../../app/web/console/core/timing-view.js';
import { clockText, lengthText, parseLength, parseWall, wallText } from '../../app/web/console/core/wall.js';

const ZONE = 'Asia/Shanghai';
const NEAR = '2026-07-20T00:30:00Z';
const at = (min) => new Date(Date.parse(NEAR) + min * 60_000).toISOString();

test('lengths are read as they are told', () => {
  assert.deepEqual(['10', ' 2:30 ', '1:05:00', '0:42', '90'].map(parseLength), [600_000, 150_000, 3_900_000, 42_000, 5_400_000]);
  for (const wrong of ['', '0', '0:00', '-3', '2:3', '2:60', '1:60:00', '2.5', '1:2:3', 'zehn', '10 min']) assert.equal(parseLength(wrong), null, wrong);
  assert.deepEqual([150_000, 42_000, 3_900_000, -60_000].map(lengthText), ['2:30', '0:42', '1:05:00', '−1:00']);
  for (const ms of [1000, 59_000, 150_000, 3_599_000, 3_600_000]) assert.equal(parseLength(lengthText(ms)), ms);
});

test('a time of day is the one of the exam, in its zone and on its day', () => {
  assert.equal(parseWall('09:12:40', NEAR, ZONE), '2026-07-20T01:12:40.000Z');
  assert.equal(parseWall('9：12', NEAR, ZONE), '2026-07-20T01:12:00.000Z');
  for (const wrong of ['', '24:00', '09:60', '9', '09:12:61', 'now']) assert.equal(parseWall(wrong, NEAR, ZONE), null, wrong);
  // An exam over midnight, from both sides.
  assert.equal(parseWall('00:10', '2026-07-20T15:50:00Z', ZONE), '2026-07-20T16:10:00.000Z');
  assert.equal(parseWall('23:50', '2026-07-20T16:10:00Z', ZONE), '2026-07-20T15:50:00.000Z');
  // The morning on which a zone's clocks were put forward.
  assert.equal(parseWall('08:30', '2026-03-29T05:00:00Z', 'Europe/Berlin'), '2026-03-29T06:30:00.000Z');
  assert.equal(wallText('2026-07-20T01:12:40Z', ZONE), '09:12:40');
  assert.equal(wallText(null, ZONE), '');
  assert.equal(clockText(Date.parse(NEAR), ZONE, false), '08:30');
});

const room = (id, building, spans = [], more = {}) => ({
  id, name: `第0${id}考室`, building, candidates: 40, paused: 0, end_at: at(90), lost_ms: 0, spans, ...more,
});
const view = (rooms, more = {}) => ({
  session: { id: 7, timezone: ZONE }, planned: { start_at: at(0), end_at: at(90) }, actual: { start_at: at(0), end_at: at(90) },
  rooms, outages: [], held: [], now_at: at(40), ...more,
});

test('rooms that are alike share a line, and one that differs has its own', () => {
  const credit = { kind: 'credit', from_at: at(12), to_at: at(14.5), entry: 3 };
  const shown = view([room(1, '南楼'), room(2, '南楼', [credit], { end_at: at(92.5) }), room(3, '南楼'), room(4, '北楼', [credit], { end_at: at(92.5) })]);
  const groups = rowsOf(shown, extentOf(shown));
  assert.deepEqual(groups.map(({ building, rows }) => [building, rows.map((row) => row.rooms.map(({ id }) => id))]), [['南楼', [[1, 3], [2]]], ['北楼', [[4]]]]);
  assert.equal(groups[0].rows[0].candidates, 80);
  assert.deepEqual(groups[0].rows[1].marks.map(({ kind }) => kind), ['planned', 'actual', 'credit']);
  assert.equal(rowsOf(shown, extentOf(shown), true)[0].rows.length, 3);
});

test('what one candidate has does not tear rooms apart', () => {
  const own = { kind: 'credit', from_at: at(12), to_at: at(13), entry: 4, scope: 'candidate' };
  const shown = view([room(1, '南楼', [own], { lost_ms: 60_000 }), room(2, '南楼')]);
  const [{ rows }] = rowsOf(shown, extentOf(shown));
  assert.equal(rows.length, 1);
  assert.equal(rows[0].lostMs, 60_000);
  // Nor does that one of them stands, or has a later end for a move of their own.
  const paused = view([room(1, '南楼', [], { paused: 1, end_at: null }), room(2, '南楼', [], { paused: 0, end_at: at(91) }), room(3, '南楼')]);
  const [row, ...more] = rowsOf(paused, extentOf(paused))[0].rows;
  assert.deepEqual([more, row.stands, row.paused, row.endAt], [[], false, 1, at(91)]);
  assert.equal(row.marks.find(({ kind }) => kind === 'actual').to, Date.parse(at(91)));
});

test('a room stands when all stand who have not ended', () => {
  const pause = { kind: 'pause', from_at: at(31), to_at: null, entry: 5 };
  const stand = (more) => {
    const shown = view([room(1, '南楼', [pause], { end_at: null, ...more })]);
    return rowsOf(shown, extentOf(shown))[0].rows[0].stands;
  };
  assert.equal(stand({ open: 39, paused: 39 }), true);
  assert.equal(stand({ open: 39, paused: 38 }), false);
  assert.equal(stand({ open: 0, paused: 0 }), false);
});

test('47 rooms of an ordinary day are a few lines', () => {
  const rooms = Array.from({ length: 47 }, (_, n) => room(n + 1, ['甲', '乙', '丙'][n % 3]));
  rooms[5].spans = [{ kind: 'pause', from_at: at(30), to_at: null, entry: 9 }];
  const shown = view(rooms);
  assert.equal(rowsOf(shown, extentOf(shown)).flatMap(({ rows }) => rows).length, 4);
});

test('an open pause lasts until now, an outage goes through every line, a held room is told', () => {
  const pause = { kind: 'pause', from_at: at(31), to_at: null, entry: 5 };
  const shown = view([room(1, '南楼', [pause], { paused: 40, end_at: null }), room(2, '南楼')], {
    outages: [{ from_at: at(22), to_at: at(23) }], held: [{ rooms: [2] }],
  });
  const [{ rows }] = rowsOf(shown, extentOf(shown));
  const [mark] = rows[0].marks.filter(({ kind }) => kind === 'pause');
  assert.deepEqual([mark.open, mark.to - mark.from], [true, 9 * 60_000]);
  for (const row of rows) assert.equal(row.marks.filter(({ kind }) => kind === 'outage').length, 1);
  assert.deepEqual(rows.map((row) => [row.held, row.stands]), [[false, true], [true, false]]);
});

test('the picture reaches over everything, and over now only while now is near', () => {
  const far = extentOf(view([room(1, '南楼')], { now_at: at(3000) }));
  assert.ok(far.to < Date.parse(at(100)));
  const near = extentOf(view([room(1, '南楼')], { now_at: at(110) }));
  assert.ok(near.to > Date.parse(at(110)));
  const lines = ticks(near);
  assert.ok(lines.length > 3 && lines.length <= 11, String(lines.length));
  for (const { at: when, left } of lines) {
    assert.equal(when % 60_000, 0);
    assert.ok(left >= 0 && left <= 100);
  }
  assert.equal(share(near.from, near), 0);
  assert.equal(share(near.to, near), 100);
});

test('rooms are named shortly, and a gap in them is not hidden', () => {
  const all = [1, 2, 3, 4, 5].map((id) => room(id, '南楼'));
  assert.equal(namesOf([all[0]], all).key, 'one');
  assert.equal(namesOf([all[0], all[3]], all).key, 'two');
  assert.deepEqual(namesOf(all.slice(1, 4), all), { key: 'range', first: '第02考室', last: '第04考室', n: 3 });
  assert.equal(namesOf([all[0], all[1], all[4]], all).key, 'some');
});

test('arrows walk along a line and to the like of the next, and over lines that have none', () => {
  const bar = (kind, from) => ({ kind, from });
  const rows = [[bar('actual', 0), bar('pause', 30)], [], [bar('actual', 0), bar('credit', 28)]];
  assert.deepEqual(walk('ArrowRight', { row: 0, mark: 0 }, rows), { row: 0, mark: 1 });
  assert.deepEqual(walk('ArrowRight', { row: 0, mark: 1 }, rows), { row: 0, mark: 1 });
  assert.deepEqual(walk('ArrowDown', { row: 0, mark: 1 }, rows), { row: 2, mark: 1 });
  assert.deepEqual(walk('ArrowDown', { row: 0, mark: 0 }, rows), { row: 2, mark: 0 });
  assert.deepEqual(walk('ArrowUp', { row: 0, mark: 0 }, rows), { row: 0, mark: 0 });
  assert.deepEqual(walk('End', { row: 2, mark: 0 }, rows), { row: 2, mark: 1 });
  assert.equal(walk('a', { row: 0, mark: 0 }, rows), null);
});

const WHERE = { session: 7, zone: ZONE, near: NEAR };
const draft = (more) => ({ ...emptyDraft(), reason: 'power', scope: 'site', ...more });

test('what is missing is named, one thing at a time', () => {
  for (const scope of ['building', 'room', 'list', 'candidate']) assert.equal(missing(draft({ scope }), WHERE), scope);
  assert.equal(missing(draft({ action: 'extend', length: 'a while' }), WHERE), 'length');
  assert.equal(missing(draft({ action: 'credit', from: '9' }), WHERE), 'from');
  assert.equal(missing(draft({ action: 'credit', from: '09:12', to: '09:12' }), WHERE), 'to');
  assert.equal(missing(draft({ action: 'pause', from: 'earlier' }), WHERE), 'from');
  assert.equal(missing(draft({ reason: '' }), WHERE), 'reason');
  assert.equal(missing(draft({ action: 'resume', reason: '' }), WHERE), null);
  assert.equal(missing(draft({ reason: 'other' }), WHERE), 'note');
  assert.equal(missing(draft({ action: 'end' }), WHERE), 'note');
  assert.equal(missing(draft({ reason: 'other', note: '烟感报警' }), WHERE), null);
});

test('an action carries what it needs and nothing it does not', () => {
  assert.deepEqual(toAction(draft({ length: '5', from: '' }), WHERE), { action: 'pause', scope: { session: 7, kind: 'site' }, reason: 'power', note: '' });
  assert.equal(toAction(draft({ from: '09:12:40' }), WHERE).from_at, '2026-07-20T01:12:40.000Z');
  assert.deepEqual(toAction(draft({ action: 'credit', scope: 'room', rooms: [3], from: '09:12:40', to: '09:15:10', note: ' 跳闸 ', incident: '7' }), WHERE), {
    action: 'credit', scope: { session: 7, kind: 'room', rooms: [3] }, reason: 'power', note: '跳闸', incident: '7',
    from_at: '2026-07-20T01:12:40.000Z', to_at: '2026-07-20T01:15:10.000Z',
  });
  const person = { attempt: 'a1', ticket: 'T1', name: '', room: '', seat: '' };
  assert.deepEqual(toAction(draft({ action: 'extend', scope: 'candidate', person, length: '2:30', decision: 4 }), WHERE), {
    action: 'extend', scope: { session: 7, kind: 'candidate', attempt: 'a1' }, reason: 'power', note: '', ms: 150_000, decision: 4,
  });
});

test('tickets are taken from whatever was pasted, each once', () => {
  assert.deepEqual(ticketsIn(' 2026001\n2026002，2026003;2026001\t2026004、2026005 '), ['2026001', '2026002', '2026003', '2026004', '2026005']);
  assert.deepEqual(ticketsIn('\n'), []);
});

test('rooms clicked are added, clicked again taken away; another scope is left for them', () => {
  const one = toggleRooms(draft({ scope: 'list', tickets: 'T1' }), [3, 4]);
  assert.deepEqual([one.scope, one.rooms], ['room', [3, 4]]);
  assert.deepEqual(toggleRooms(one, [4, 5]).rooms, [3, 4, 5]);
  assert.deepEqual(toggleRooms(one, [4]).rooms, [3]);
  const rooms = [{ id: 3, building_id: 1, candidates: 40 }, { id: 4, building_id: 2, candidates: 38 }];
  assert.deepEqual(
    [countOf(draft({}), rooms), countOf(one, rooms), countOf(draft({ scope: 'building', buildings: [2] }), rooms), countOf(draft({ scope: 'list', tickets: 'a b' }), rooms)],
    [78, 78, 38, 2],
  );
});

const wall = (iso) => wallText(iso, ZONE);
const proposal = { id: 90, kind: 'room-loss', from_at: at(42), to_at: at(44.5), amount_ms: 150_000 };

test('a proposal is approved as it is, or with the interval that was typed', () => {
  const where = { near: NEAR, zone: ZONE, wall };
  const first = asProposed(proposal, wall);
  assert.deepEqual(first, { from: '09:12:00', to: '09:14:30', length: '2:30', note: '' });
  assert.deepEqual(fieldsOf(proposal), ['from', 'to']);
  assert.deepEqual(approved(proposal, { ...first, note: '属实' }, where), {});
  assert.deepEqual(approved(proposal, { ...first, to: '09:13' }, where), { from_at: at(42), to_at: at(43) });
  assert.equal(approved(proposal, { ...first, to: '09:12' }, where), null);
});

test('what a later session needs is a length', () => {
  const later = { id: 91, kind: 'follows', from_at: null, to_at: null, amount_ms: 600_000 };
  const where = { near: NEAR, zone: ZONE, wall };
  const first = asProposed(later, wall);
  assert.deepEqual([fieldsOf(later), first.length], [['length'], '10:00']);
  assert.deepEqual(approved(later, first, where), {});
  assert.deepEqual(approved(later, { ...first, length: '12' }, where), { ms: 720_000 });
  assert.equal(approved(later, { ...first, length: '' }, where), null);
});

test('what waits for somebody is counted, and what the service holds is no pause of anybody', () => {
  const shown = {
    proposals: [{ state: 'open' }, { state: 'approved' }], notices: [{ shown: 39, of: 40 }, { shown: 40, of: 40 }],
    decisions: [{ id: 1, kind: 'lift-cap', state: 'approved' }, { id: 2, kind: 'lift-cap', state: 'proposed' }, { id: 3, kind: 'defer', state: 'approved' }],
    entries: [{ id: 5, open: true }, { id: 6, open: false }, { id: 7, open: true }], held: [{ entry: 7 }],
    planned: { start_at: at(0) }, actual: { start_at: null }, now_at: at(-60),
    rooms: [{ id: 1, building: '南楼' }, { id: 2, building: '北楼' }, { id: 3, building: '南楼' }],
  };
  assert.deepEqual(waitingIn(shown), { proposals: 1, decisions: 1, reach: 1 });
  assert.deepEqual(lifted(shown).map(({ id }) => id), [1]);
  assert.deepEqual(openPauses(shown).map(({ id }) => id), [5]);
  assert.equal(nearOf(shown), at(0));
  assert.deepEqual(byBuilding(shown).map(([name, rooms]) => [name, rooms.map(({ id }) => id)]), [['南楼', [1, 3]], ['北楼', [2]]]);
});

test('attempts are opened again by name, whatever was chosen before', () => {
  assert.deepEqual(scopesFor('reopen'), ['list', 'candidate']);
  const room = draft({ scope: 'room', rooms: [3], note: '误交卷' });
  assert.deepEqual(withAction(room, 'reopen'), { action: 'reopen', scope: 'candidate', entry: null });
  assert.equal(withAction(room, 'extend').scope, 'room');
  // Rooms that are clicked on the picture meanwhile do not come in by the way.
  assert.equal(missing({ ...room, action: 'reopen' }, WHERE), 'candidate');
  assert.equal(missing(draft({ action: 'reopen', scope: 'list', tickets: '1', note: '误交卷' }), WHERE), null);
});
