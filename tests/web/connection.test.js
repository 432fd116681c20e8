import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FAST_MS, GRACE_MS, PROMISE_MS, PROOF_MS, UNSURE_AFTER_MS, createConnection, judge } from '../../app/web/candidate/core/connection.js';
import { NotOurs, Refused, TimedOut, Unreachable } from '../../app/web/shared/api.js';
import { createTime } from './support.mjs';

const facts = (change = {}) => ({ adapterUp: true, failingSince: 0, failures: 3, pathProvenAt: null, fastRefusal: false, promisedUntil: null, ...change });

test('no failure is online, and a short one is nobody’s business', () => {
  assert.equal(judge(facts({ failingSince: null, adapterUp: false }), 9999).state, 'online');
  assert.equal(judge(facts({ adapterUp: false }), GRACE_MS - 1).state, 'trouble');
});

test('a server that answers anything proves the path, whatever the browser says about its adapter', () => {
  assert.equal(judge(facts({ adapterUp: false, pathProvenAt: 5000 }), 6000).state, 'server-away');
  assert.equal(judge(facts({ adapterUp: false, pathProvenAt: 5000 }), 5000 + PROOF_MS).state, 'pc-offline');
});

test('an answer from before the failure proves nothing about it', () => {
  assert.equal(judge(facts({ adapterUp: false, failingSince: 5000, pathProvenAt: 4999 }), 9000).state, 'pc-offline');
});

test('no adapter is this PC; a refusal at once is the server', () => {
  assert.equal(judge(facts({ adapterUp: false }), GRACE_MS).state, 'pc-offline');
  assert.deepEqual(judge(facts({ fastRefusal: true }), 10 * UNSURE_AFTER_MS), { state: 'server-away', unsure: false });
});

test('silence with the adapter up says "server", and after a while points to the neighbours', () => {
  assert.deepEqual(judge(facts(), UNSURE_AFTER_MS - 1), { state: 'server-away', unsure: false });
  assert.deepEqual(judge(facts(), UNSURE_AFTER_MS), { state: 'server-away', unsure: true });
});

function watching({ livez = () => Promise.reject(new TypeError('no')), adapter = true } = {}) {
  const time = createTime();
  const said = [];
  const world = { livez, adapter };
  const connection = createConnection({
    clock: time.clock,
    timers: time.timers,
    fetch: () => world.livez(),
    adapterUp: () => world.adapter,
    onChange: (verdict) => said.push(verdict.state),
  });
  return { time, said, connection, world };
}

test('the server is killed: connections are refused at once', async () => {
  const { time, said, connection } = watching();
  connection.failed(new Unreachable('refused', ''), 5);
  await time.advance(GRACE_MS + 1000);
  assert.deepEqual(said, ['trouble', 'server-away']);
  connection.ok();
  assert.deepEqual(said.slice(-1), ['online']);
});

test('the cable is pulled: the adapter says so', async () => {
  const { time, said, connection, world } = watching();
  connection.ok();
  world.adapter = false;
  connection.adapterChanged();
  connection.failed(new Unreachable('offline', ''), 5);
  await time.advance(GRACE_MS + 1000);
  assert.deepEqual(said, ['trouble', 'pc-offline']);
});

test('checkpoints fail but the page’s own server answers /livez: the service is away, not this PC', async () => {
  const { time, said, connection } = watching({ livez: async () => ({}), adapter: false });
  connection.failed(new TimedOut('slow', ''), 4000);
  await time.advance(1000);
  assert.deepEqual(said.slice(-1), ['server-away']);
});

test('a 503 and a portal’s page are both answers of something that is reachable', async () => {
  for (const error of [new Refused(503, { code: 'unavailable' }, '', null), new NotOurs(200, '')]) {
    const { time, said, connection } = watching({ adapter: false });
    connection.failed(error, 10);
    await time.advance(GRACE_MS + 500);
    assert.deepEqual(said.slice(-1), ['server-away']);
  }
});

test('a switch behind the adapter dies: slow silence, then the advice to look at the neighbours', async () => {
  const { time, connection } = watching({ livez: () => new Promise(() => {}) });
  connection.failed(new TimedOut('slow', ''), 4000);
  await time.advance(FAST_MS + GRACE_MS);
  assert.deepEqual(connection.verdict(), { state: 'server-away', unsure: false });
  await time.advance(UNSURE_AFTER_MS);
  assert.deepEqual(connection.verdict(), { state: 'server-away', unsure: true });
  connection.stop();
});

test('"come again in 3 s", said once, is told to nobody; said twice it is; and silence keeps its grace', async () => {
  const busy = (seconds) => new Refused(503, { code: 'unavailable', retry_after: seconds }, '', null);
  const states = async (...errors) => {
    const time = createTime();
    const seen = [];
    const connection = createConnection({
      clock: time.clock, timers: time.timers, adapterUp: () => true, fetch: async () => new Response('{}'),
      onChange: ({ state }) => seen.push([time.clock.now(), state]),
    }); // prettier-ignore
    for (const error of errors) {
      connection.failed(error, 0);
      await time.advance(3000);
    }
    await time.advance(PROMISE_MS + 2000);
    connection.stop();
    return seen;
  };
  const once = await states(busy(3));
  assert.deepEqual(once[0], [0, 'trouble']);
  assert.ok(once[1][0] >= 7000 && once[1][1] === 'server-away', JSON.stringify(once));
  const twice = await states(busy(3), busy(3));
  assert.ok(twice[1][0] <= 3000 && twice[1][1] === 'server-away', JSON.stringify(twice));
  const long = await states(busy(60));
  assert.ok(long[1][0] <= PROMISE_MS + 1000, JSON.stringify(long));
  const silent = await states(new Unreachable('down', ''));
  assert.ok(silent[1][0] <= GRACE_MS + 1000, JSON.stringify(silent));
});
