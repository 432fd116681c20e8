import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lacking, ticketsIn, timeline, toBody } from '../../app/web/console/core/incident-draft.js';
import { ACTIONS_EVERY_MS, EVERY_MS, createIncidents } from '../../app/web/console/core/incidents.js';
import { ApiError } from '../../app/web/shared/api.js';
import { createSeeded, createTime, settle } from './support.mjs';

const DRAFT = {
  plan: '11', scope: 'room', buildings: [], rooms: [3], tickets: '', minutes: '5', title: '', note: '停电', toldBy: '',
  sealed: false,
};

/** A desk whose service answers `told(path)`; what was sent is in `sent`. */
function createDesk(told, replies = []) {
  const time = createTime();
  const asked = [];
  const sent = [];
  const shown = [];
  const incidents = createIncidents({
    get: async (path) => {
      asked.push(path);
      return told(path);
    },
    send: async (at, path, body) => {
      sent.push([at, path, body]);
      return replies.shift() ?? { error: null };
    },
    timers: time.timers, clock: time.clock, random: createSeeded(1), loginEnded: () => false, forgive: () => {},
    show: () => shown.push('incidents'),
  });
  return { incidents, time, asked, sent, shown };
}

const head = (id, state = 'open') => ({ id, number: id, state, newest: 9 });
const one = (id, newest = 9) => ({ ...head(id), newest, session_id: 7, entries: [], actions: [] });
const service = (path) => {
  if (path.startsWith('/incidents?')) return { incidents: [head(2), head(1)] };
  return path.startsWith('/plans') ? { plans: [{ plan: '11' }] } : { incident: one(Number(path.split('/')[2])) };
};

test('tickets come by line, comma or blank, each once', () => {
  assert.deepEqual(ticketsIn(' A-1，A-2\nA-1 A-3;A-4、'), ['A-1', 'A-2', 'A-3', 'A-4']);
});

test('a draft says what it lacks before anything is sent', () => {
  assert.equal(lacking(DRAFT), null);
  for (const [some, field] of [
    [{ plan: '' }, 'plan'], [{ rooms: [] }, 'rooms'], [{ scope: 'building' }, 'buildings'],
    [{ scope: 'list', tickets: ' , ' }, 'tickets'], [{ minutes: '' }, 'minutes'], [{ minutes: '601' }, 'minutes'],
    [{ minutes: '-1' }, 'minutes'],
  ]) {
    assert.equal(lacking({ ...DRAFT, ...some }), field);
  }
  assert.equal(lacking({ ...DRAFT, scope: 'site' }), null);
});

test('only what belongs to the scope is sent, and one ticket is one candidate', () => {
  const body = toBody({ ...DRAFT, scope: 'list', tickets: 'A-1', buildings: [9] }, 7);
  assert.deepEqual(body.scope, { kind: 'candidate', buildings: [], rooms: [], tickets: ['A-1'] });
  assert.deepEqual([body.session, body.minutes_ago, body.sealed], [7, 5, null]);
  assert.deepEqual(toBody(DRAFT, 7).scope, { kind: 'room', buildings: [], rooms: [3], tickets: [] });
  assert.equal(toBody({ ...DRAFT, sealed: true }, 7).sealed, true);
});

test('what people wrote and what was done stand together, newest first', () => {
  const of = {
    entries: [{ id: 1, at_ms: 10, kind: 'opened' }, { id: 3, at_ms: 30, kind: 'note' }],
    actions: [{ id: 1, at_ms: 20, source: 'time' }, { id: 2, at_ms: 30, source: 'relog' }],
  };
  assert.deepEqual(timeline(of).map(({ id, at_ms: at }) => [id, at]), [[2, 30], [3, 30], [1, 20], [1, 10]]);
});

test('the list and the open incident are asked for again while the desk is on the screen, and no longer', async () => {
  const { incidents, time, asked } = createDesk(service);
  incidents.enter(7);
  await settle();
  assert.deepEqual(incidents.list.value.map(({ id }) => id), [2, 1]);
  incidents.open(2);
  await settle();
  assert.equal(incidents.one.value.id, 2);
  asked.length = 0;
  await time.advance(EVERY_MS * 1.5);
  await settle();
  // Nothing was written since: the list says so, and the incident itself is seen again now and then.
  assert.deepEqual(asked, ['/incidents?session=7']);
  await time.advance(ACTIONS_EVERY_MS * 1.5);
  await settle();
  assert.ok(asked.includes('/incidents/2'));
  incidents.leave();
  asked.length = 0;
  await time.advance(EVERY_MS * 3);
  assert.deepEqual(asked, []);
});

test('closing carries the newest entry that was seen, and a refusal shows what there is now', async () => {
  const { incidents, sent, asked } = createDesk(service, [{ error: new ApiError('409', '') }, { body: { incident: one(2, 12) } }]);
  incidents.enter(7);
  incidents.open(2);
  await settle();
  assert.equal(await incidents.turn(incidents.one.value, 'close', '来电'), false);
  await settle();
  assert.deepEqual(sent[0], ['incident close', '/incidents/2/close', { seen: 9, note: '来电' }]);
  assert.equal(asked.filter((path) => path === '/incidents/2').length, 2);
  assert.equal(await incidents.turn(incidents.one.value, 'close', ''), true);
  assert.equal(incidents.one.value.newest, 12);
});

test('files are sent one by one and attached together; without all of them nothing is attached', async () => {
  const photo = { name: '走廊.jpg', body: new Blob(['x']) };
  const { incidents, sent } = createDesk(service, [
    { body: { evidence: { id: 41 } } }, { body: { evidence: { id: 42 } } }, { body: { incident: one(2) } },
    { error: new ApiError('422', '') },
  ]);
  incidents.enter(7);
  assert.equal(await incidents.attach(one(2), [photo, photo], '配电箱'), true);
  assert.equal(sent[0][1], `/evidence?session=7&name=${encodeURIComponent('走廊.jpg')}`);
  assert.deepEqual(sent[2].slice(1), ['/incidents/2/entries', { kind: 'evidence', files: [41, 42], text: '配电箱' }]);
  assert.equal(await incidents.attach(one(2), [photo], ''), false);
  assert.equal(sent.length, 4);
});

test('from a seat the draft knows whom it is about, and the new incident is open at once', async () => {
  const { incidents, shown } = createDesk(service, [{ body: { incident: one(5) } }]);
  incidents.enter(7);
  await settle();
  incidents.begin({ scope: 'list', tickets: 'A-1', plan: '10' });
  assert.deepEqual([incidents.draft.value.tickets, incidents.at.value.kind, shown.length], ['A-1', 'draft', 1]);
  assert.equal(await incidents.submit(), true);
  assert.deepEqual(incidents.list.value.map(({ id }) => id), [5, 2, 1]);
  assert.deepEqual(incidents.at.value, { kind: 'one', id: 5 });
});
