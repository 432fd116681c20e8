import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PICTURE, createDiscrepancies, decisionsOf, lacking, toBody } from '../../app/web/console/core/discrepancies.js';
import * as misconduct from '../../app/web/console/core/misconduct.js';
import { createSeeded, createTime, settle } from './support.mjs';

const DRAFT = { room: 3, ticket: ' T-1 ', claims: { name: '李雷 ' }, identified: '证件一致', note: '', toldBy: '' };
const ABOUT = { candidate: {}, fields: [], kinds: [], genders: [] };
const FIELD = (field, state = 'open', now = '旧') => ({ field, state, now });
const FILE = { name: 'p.jpg', body: { type: 'image/jpeg' } };

function createPage(make, service, replies = []) {
  const time = createTime();
  const asked = [];
  const sent = [];
  const page = make({
    get: async (path) => {
      asked.push(path);
      return service(path);
    },
    send: async (at, path, body) => {
      sent.push([path, body]);
      return replies.shift() ?? { error: null };
    },
    timers: time.timers, random: createSeeded(1), loginEnded: () => false, forgive: () => {}, show: () => {},
  });
  return { page, time, asked, sent };
}

test('a form at the door says what it lacks', () => {
  assert.equal(lacking(DRAFT, ABOUT, false), null);
  assert.equal(lacking(DRAFT, null, false), 'ticket');
  for (const [some, what] of [
    [{ claims: {} }, 'fields'], [{ claims: { name: ' ' } }, 'claimed'], [{ claims: { photo: PICTURE } }, 'photo'],
    [{ identified: ' ' }, 'identified'],
  ]) {
    assert.equal(lacking({ ...DRAFT, ...some }, ABOUT, false), what);
  }
  assert.equal(lacking({ ...DRAFT, claims: { photo: PICTURE } }, ABOUT, true), null);
});

test('a photo is claimed by the number of its file', () => {
  const body = toBody({ ...DRAFT, claims: { name: ' 李雷 ', photo: PICTURE } }, 7, [4, 5], 5);
  assert.deepEqual(body.fields, [{ field: 'name', claimed: '李雷' }, { field: 'photo', claimed: '5' }]);
  assert.deepEqual([body.ticket, body.room_id, body.session_id, body.files], ['T-1', 3, 7, [4, 5]]);
});

test('files go first; one that is refused keeps the record from being sent', async () => {
  const { page, sent } = createPage(createDiscrepancies, () => ({ discrepancies: [] }), [
    { body: { evidence: { id: 9 } } }, { body: { discrepancy: { id: 1, name: '李雷' }, checked_in: true } },
  ]);
  page.enter(7);
  page.begin(3, 'T-1');
  page.edit({ claims: { id_number: '1' }, identified: 'x' });
  assert.equal(await page.submit([FILE]), true);
  assert.deepEqual(sent.map(([path]) => path), ['/evidence?session=7&name=p.jpg', '/discrepancies']);
  assert.deepEqual(page.done.value, { name: '李雷', number: true, checkedIn: true });
  page.begin(3, 'T-2');
  assert.equal(await page.submit([FILE]), false);
  assert.equal(sent.length, 3);
  assert.equal(page.draft.value?.ticket, 'T-2', 'nothing that was typed is lost');
  page.leave();
});

test('decisions carry what was seen, and one that somebody else took is no longer chosen', async () => {
  const list = [{ id: 1, fields: [FIELD('name'), FIELD('gender', 'open', '男')] }];
  assert.deepEqual(decisionsOf(list, { '1 gender': false }, ' 说明 '), [
    { discrepancy: 1, field: 'gender', approve: false, seen: '男', note: '说明' },
  ]);
  let state = 'open';
  const { page, sent } = createPage(
    createDiscrepancies,
    () => ({ discrepancies: [{ id: 1, fields: [FIELD('name', state), FIELD('gender')] }] }),
    [{ body: {} }],
  );
  page.enter(7);
  await settle();
  page.choose(list[0], list[0].fields[0], true);
  page.choose(list[0], list[0].fields[1], true);
  page.choose(list[0], list[0].fields[1], true);
  assert.deepEqual(page.chosen.value, { '1 name': true }, 'pressed twice is not chosen');
  page.choose(list[0], list[0].fields[1], false);
  state = 'approved';
  page.enter(7);
  await settle();
  assert.deepEqual(page.chosen.value, { '1 gender': false });
  assert.equal(await page.decide(''), true);
  assert.deepEqual(sent[0][1].decisions.map(({ field }) => field), ['gender']);
  page.leave();
});

test('a record of misconduct names a second person, and nobody signs untold', async () => {
  const { page, sent } = createPage(misconduct.createMisconduct, () => ({ misconduct: [], rooms: [] }), [
    { body: { misconduct: { id: 4, newest: 2 } } },
  ]);
  page.enter(7);
  page.begin(3, 'T-1', '李雷');
  assert.equal(misconduct.lacking(page.draft.value), 'facts');
  page.edit({ facts: '纸条' });
  assert.equal(misconduct.lacking(page.draft.value), 'second');
  page.edit({ second: '赵老师', told: false, signature: 'signed', witness: ' 邻座 ' });
  assert.equal(misconduct.lacking(page.draft.value), null);
  assert.equal(await page.submit([]), true);
  const [, body] = sent[0];
  assert.deepEqual([body.signature, body.witnesses, body.minutes_ago], ['', [{ name: '邻座' }], 0]);
  assert.equal(page.openId.value, 4);
  await page.write({ id: 4, session_id: 7, newest: 2 }, { kind: 'note', text: 'x' });
  assert.equal(sent[1][1].seen, 2, 'what was seen goes with it');
  page.reset();
  assert.equal(page.list.value, null);
});
