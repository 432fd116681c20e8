import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createTiming } from '../../app/web/console/core/timing.js';
import { Refused, Unreachable } from '../../app/web/shared/api.js';
import { Refusal } from './mock-server.mjs';
import { createTimeService, eventful } from './mock-time.mjs';
import { createSeeded, createTime, settle } from './support.mjs';

/** Somebody of the office at the timing desk, over the service in memory. */
function createOffice(service = createTimeService(), who = 'office') {
  const time = createTime();
  const ended = [];
  let key = 0;
  const faults = { get: null, post: null };
  const handle = async (method, path, body, one) => {
    const fault = faults[method === 'GET' ? 'get' : 'post'];
    if (fault) throw fault;
    try {
      // What came over the wire is nobody's to change.
      return JSON.parse(JSON.stringify(service.handle(method, path, who, body, one)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refused(error.status, { code: error.code, ...error.params }, '', null);
    }
  };
  const timing = createTiming({
    get: (path) => handle('GET', path),
    post: (path, body) => handle('POST', path, body),
    send: async (at, path, body) => {
      try {
        return { body: await handle('POST', path, body, `${who} ${(key += 1)}`) };
      } catch (error) {
        return { error };
      }
    },
    timers: time.timers,
    random: createSeeded(1),
    loginEnded: (error) => error.code === 'login-ended' && Boolean(ended.push(error)),
    forgive: () => {},
  });
  return { timing, service, time, ended, faults, asked: (path) => service.log.filter((one) => one.path === path) };
}

const pause = (rooms) => ({
  at: 'timing', path: '/time/preview', to: '/time/actions', words: 'timing.do.pause',
  body: { action: 'pause', scope: { session: 7, kind: 'room', rooms }, reason: 'power', note: '' },
});

test('an effect is shown before anything is done, and done only once it is confirmed', async () => {
  const { timing, service, asked } = createOffice();
  await timing.show(7);
  await timing.ask(pause([3, 4]));
  assert.match(timing.asking.value.effect.zh, /2 个考室、80 人/);
  assert.equal(service.entries.length, 0);
  assert.equal(await timing.confirm(), true);
  assert.equal(service.entries.length, 1);
  const [sent] = asked('/time/actions');
  assert.deepEqual(sent.body, { ...pause([3, 4]).body, seen: '0' });
  assert.ok(sent.key);
  assert.deepEqual([timing.asking.value, timing.told.value.words, timing.told.value.notice], [null, 'timing.do.pause', 1]);
  // The picture has followed by itself.
  assert.deepEqual(timing.view.value.rooms.filter(({ paused }) => paused > 0).map(({ id }) => id), [3, 4]);
});

test('nothing is confirmed that was not asked, and what was put away is not done', async () => {
  const { timing, service } = createOffice();
  await timing.show(7);
  assert.equal(await timing.confirm(), false);
  await timing.ask(pause([3]));
  timing.unask();
  assert.equal(await timing.confirm(), false);
  assert.equal(service.entries.length, 0);
});

test('when somebody else has decided meanwhile, the new effect is shown and confirmed anew', async () => {
  const service = createTimeService();
  const [one, two] = [createOffice(service), createOffice(service, 'second')];
  await one.timing.show(7);
  await two.timing.show(7);
  await one.timing.ask(pause([3]));
  await two.timing.ask(pause([4]));
  assert.equal(await two.timing.confirm(), true);
  assert.equal(await one.timing.confirm(), false);
  assert.equal(service.entries.length, 1);
  assert.deepEqual([one.timing.asking.value.changed, one.timing.asking.value.seen], [true, '1']);
  assert.equal(await one.timing.confirm(), true);
  assert.equal(service.entries.length, 2);
});

test('who would go over the cap is listed, and the refusal changes nothing', async () => {
  const { timing, service } = createOffice();
  await timing.show(7);
  const extend = pause([3]);
  extend.body = { ...extend.body, action: 'extend', ms: 70 * 60_000 };
  await timing.ask(extend);
  assert.equal(timing.asking.value.effect.over_cap.length, 12);
  assert.equal(await timing.confirm(), false);
  assert.equal(service.entries.length, 0);
});

test('an effect that cannot be had is said where it was asked for', async () => {
  const { timing, faults } = createOffice();
  await timing.show(7);
  faults.post = new Unreachable('x', '');
  await timing.ask(pause([3]));
  assert.deepEqual([timing.doubt.value.at, timing.doubt.value.error, timing.asking.value, timing.checking.value], ['timing', faults.post, null, null]);
  faults.post = null;
  await timing.ask(pause([3]));
  assert.equal(timing.doubt.value, null);
  assert.ok(timing.asking.value);
});

test('the effect of what is no longer asked is not shown', async () => {
  const { timing } = createOffice();
  await timing.show(7);
  const first = timing.ask(pause([3]));
  const second = timing.ask(pause([4]));
  await Promise.all([first, second]);
  assert.deepEqual(timing.asking.value.body.scope.rooms, [4]);
  const third = timing.ask(pause([5]));
  timing.unask();
  await third;
  assert.deepEqual([timing.asking.value, timing.checking.value], [null, null]);
});

test('taking back is an entry of its own', async () => {
  const { timing, service } = createOffice(eventful(createTimeService()));
  await timing.show(7);
  const entry = timing.view.value.entries.find(({ kind }) => kind === 'credit');
  await timing.ask({ ...pause([]), words: 'timing.do.undo', body: { action: 'undo', scope: { session: 7, kind: 'site' }, entry: entry.id, reason: '', note: '' } });
  const before = service.entries.length;
  assert.equal(await timing.confirm(), true);
  assert.equal(service.entries.length, before + 1);
  assert.equal(timing.view.value.entries.find(({ id }) => id === entry.id).live, false);
});

test('a proposal shows its effect, and what is sent is the approval', async () => {
  const { timing, service, asked } = createOffice(eventful(createTimeService()));
  await timing.show(7);
  const [path, to] = ['/time/proposals/90/preview', '/time/proposals/90/approve'];
  await timing.ask({ at: 'timing', path, to, body: { note: '属实' }, words: 'timing.proposal.approve' });
  assert.match(timing.asking.value.effect.zh, /1 个考室、40 人/);
  assert.deepEqual(asked(to), []);
  assert.equal(await timing.confirm(), true);
  assert.deepEqual(asked(to)[0].body, { note: '属实', seen: '6' });
  assert.equal(timing.view.value.proposals.find(({ id }) => id === 90).state, 'approved');
  assert.equal(await timing.decide('proposal 91', '/time/proposals/91/dismiss', { note: '未见' }, 'timing.proposal.dismiss'), true);
  assert.equal(service.proposals.find(({ id }) => id === 91).state, 'dismissed');
});

test('a decision waits for a second person', async () => {
  const service = createTimeService();
  const [one, two] = [createOffice(service), createOffice(service, 'second')];
  await one.timing.show(7);
  const body = { kind: 'lift-cap', scope: { session: 7, kind: 'room', rooms: [3] }, number: '7 号', text: '准予', limit_ms: 5_400_000 };
  assert.equal(await one.timing.decide('lift', '/time/decisions', body, 'timing.decision.lift-cap'), true);
  const [{ id }] = one.timing.view.value.decisions;
  assert.equal(await one.timing.decide(`decision ${id}`, `/time/decisions/${id}/approve`, {}, 'timing.decision.approve'), false);
  assert.equal(one.timing.told.value, null);
  await two.timing.show(7);
  assert.equal(await two.timing.decide(`decision ${id}`, `/time/decisions/${id}/approve`, {}, 'timing.decision.approve'), true);
  assert.equal(service.decisions[0].state, 'approved');
});

test('who lacks a notice is listed and kept up to date', async () => {
  const { timing, service, time } = createOffice(eventful(createTimeService()));
  await timing.show(7);
  const [notice] = timing.view.value.notices;
  await timing.showReach({ id: notice.id });
  assert.deepEqual([timing.reach.value.shown, timing.reach.value.missing.length], [1871, 9]);
  service.notices[0].shown = 1880;
  await time.advance(10_000);
  assert.deepEqual([timing.reach.value.shown, timing.reach.value.missing.length], [1880, 0]);
  await timing.showReach(null);
  assert.equal(timing.reach.value, null);
});

test('the desk looks again every few seconds while it is open, and never when it is closed', async () => {
  const { timing, service, time, asked } = createOffice();
  await timing.show(7);
  service.enter({ action: 'extend', scope: { kind: 'site' }, ms: 60_000 });
  await time.advance(10_000);
  assert.equal(timing.view.value.entries.length, 1);
  const path = '/time/sessions/7';
  const before = asked(path).length;
  await time.advance(60_000);
  assert.ok(asked(path).length >= before + 8 && asked(path).length <= before + 17, String(asked(path).length));
  timing.hide();
  const then = asked(path).length;
  await time.advance(60_000);
  assert.deepEqual([asked(path).length, timing.view.value, timing.open.value], [then, null, null]);
});

test('what was last known stays on the screen while nothing answers, and it is said', async () => {
  const { timing, time, faults } = createOffice();
  await timing.show(7);
  faults.get = new Unreachable('x', '');
  await time.advance(10_000);
  assert.ok(timing.view.value);
  assert.equal(timing.fault.value, faults.get);
  faults.get = null;
  await time.advance(10_000);
  assert.equal(timing.fault.value, null);
});

test('an answer that comes after the desk was left changes nothing; a login that ended is told', async () => {
  const { timing, faults, ended } = createOffice();
  const shown = timing.show(7);
  timing.hide();
  await shown;
  await settle();
  assert.deepEqual([timing.view.value, timing.loading.value], [null, false]);
  faults.get = new Refused(401, { code: 'login-ended' }, '', null);
  await timing.show(7);
  assert.deepEqual([ended.length, timing.fault.value], [1, null]);
});
