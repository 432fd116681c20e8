import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byBuilding, isOpen, moves } from '../../app/web/console/core/site-picture.js';
import { EVERY_MS, createSite } from '../../app/web/console/core/site.js';

const EXAM = { id: 7, code: 'A', name: '甲', timezone: 'Asia/Shanghai', is_demo: false, sessions: 0, rooms: 0, candidates: 0, items: 0 };
const job = (more) => ({ id: 3, exam_id: 7, kind: 'roster', state: 'working', faults: 0, result: null, ...more });

/** A site page with the service's replies by path; `pass()` lets the next timer ring. */
function page(replies, stored = {}) {
  const asked = [];
  const timers = [];
  const site = createSite({
    get: async (path) => {
      asked.push(path);
      const reply = replies[path];
      return typeof reply === 'function' ? reply() : reply;
    },
    send: async (at, path, body) => {
      asked.push([path, body]);
      return replies[path] ? { body: replies[path] } : { error: new Error('no') };
    },
    file: async () => new Blob([]),
    timers: { setTimeout: (run, ms) => timers.push({ run, ms }), clearTimeout: (n) => { if (n) timers[n - 1] = null; } },
    loginEnded: () => false,
    forgive: () => {},
    storage: { get: (name) => stored[name] ?? null, set: (name, value) => { stored[name] = value; } },
  });
  const settle = async () => { for (let n = 0; n < 12; n += 1) await null; };
  const pass = async () => {
    const next = timers.filter(Boolean).pop();
    timers.length = 0;
    next?.run();
    await settle();
    return next?.ms;
  };
  return { site, asked, settle, pass, stored };
}

test('a job that is worked on is asked after every second until it waits for a person, wherever it was begun', async () => {
  const states = [job(), job({ percent: 40 }), job({ state: 'checked', result: { digest: 'd' } })];
  let at = 0;
  const { site, settle, pass, asked } = page({
    '/site/exams': { exams: [EXAM] },
    '/site/exams/7': () => ({ exam: EXAM, sessions: [], rooms: [], job: states[at] }),
    '/site/jobs/3': () => ({ job: states[(at += 1)] }),
    '/site/jobs/3/confirm': { job: 3 },
  });
  site.start();
  await settle();
  assert.equal(moves(site.job.value), true);
  assert.equal(await pass(), EVERY_MS);
  assert.equal(site.job.value.percent, 40);
  await pass();
  assert.equal(site.job.value.state, 'checked');
  assert.equal(isOpen(site.job.value), true);
  assert.equal(await pass(), undefined);
  await site.confirm(site.job.value);
  assert.deepEqual(asked.find(([path]) => path === '/site/jobs/3/confirm'), ['/site/jobs/3/confirm', { seen: 'd' }]);
});

test('a page that is opened again shows the exam that was looked at', async () => {
  const other = { ...EXAM, id: 8, code: 'B' };
  const of = (exam) => ({ exam, sessions: [], rooms: [], job: null });
  const replies = { '/site/exams': { exams: [EXAM, other] }, '/site/exams/7': of(EXAM), '/site/exams/8': of(other) };
  const first = page(replies);
  first.site.start();
  await first.settle();
  assert.equal(first.site.picture.value.exam.id, 7);
  await first.site.choose(8);
  const again = page(replies, first.stored);
  again.site.start();
  await again.settle();
  assert.equal(again.site.picture.value.exam.id, 8);
});

test('what is saved says what the page showed, so that somebody else\'s change is not overwritten', async () => {
  const form = { name: '第一场', start: '2031-05-10T08:30', minutes: 90, sign_in_opens: 30, last_admission: 15, earliest_hand_in: 0 };
  const session = { ...form, id: 5, number: 1, state: 'planned', people: 0, papers: 0 };
  const { site, settle, asked } = page({
    '/site/exams': { exams: [EXAM] }, '/site/exams/7': { exam: EXAM, sessions: [session], rooms: [], job: null },
    '/site/sessions/5': { id: 5, changed: ['minutes'] },
  });
  site.start();
  await settle();
  assert.equal(await site.saveSession(session, { ...form, minutes: 60 }), true);
  assert.deepEqual(asked.find(([path]) => path === '/site/sessions/5')[1], { ...form, minutes: 60, seen: form });
});

test('rooms stand by building, in their own order', () => {
  const rooms = [[1, 1], [2, 2], [3, 1]].map(([id, building_id]) => ({ id, building_id, building: `${building_id} 号楼` }));
  assert.deepEqual(byBuilding(rooms).map(({ name, rooms: some }) => [name, some.map(({ id }) => id)]), [['1 号楼', [1, 3]], ['2 号楼', [2]]]);
});
