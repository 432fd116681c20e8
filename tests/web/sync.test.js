import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createOutbox } from '../../app/web/candidate/core/outbox.js';
import { BUFFERED_MS, KEEPALIVE_BYTES, MOST_RESPONSES, createSync } from '../../app/web/candidate/core/sync.js';
import { HEARTBEAT_MS, ONLINE_SPREAD_MS, TYPING_MS } from '../../app/web/candidate/core/pace.js';
import { Refusal } from './mock-server.mjs';
import { createWorld, held, settle } from './support.mjs';

async function sending(options = {}) {
  const world = await createWorld(options);
  const { time, store, api, ring, random } = world;
  const heard = [];
  const connection = { oks: 0, fails: [], ok: () => (connection.oks += 1), failed: (error) => connection.fails.push(error.name) };
  const outbox = createOutbox({ store, attempt: 'a-T', epoch: 1, serviceNow: () => 10_000 + time.clock.now() });
  await outbox.load();
  const note = (name) => (detail) => heard.push([name, detail]);
  const sync = createSync({
    outbox, api, ring, clock: time.clock, timers: time.timers, random, connection, holder: null, beats: options.beats,
    listener: {
      onReply: note('reply'), onSuperseded: note('superseded'), onClosed: note('closed'), onSignedOut: note('signed-out'),
      onHandInRefused: note('hand-in-refused'), onLeaseLost: note('lease-lost'), onRest: note('rest'), onFault: note('fault'),
    },
  }); // prettier-ignore
  const names = () => heard.map(([name]) => name);
  const posts = () => world.service.log.filter((call) => call.method === 'POST');
  const choose = async (item, value) => {
    await outbox.edit(item, value);
    sync.choice();
  };
  return { ...world, outbox, sync, heard, names, posts, choose, connection };
}

test('a choice goes out at once, and the item is durable after the reply', async () => {
  const { sync, time, attempt, choose, outbox } = await sending();
  sync.start();
  await time.advance(0);
  await choose(1, 'A');
  await time.advance(0);
  assert.deepEqual(held(attempt), { 1: 'A' });
  assert.equal(outbox.view(1).state, 'durable');
});

test('typing goes out within a second of its first unsent key, not of its last', async () => {
  const { sync, time, attempt, outbox } = await sending();
  sync.start();
  await time.advance(0);
  for (let key = 1; key <= 20; key += 1) {
    await outbox.edit(1, 'x'.repeat(key));
    sync.typing();
    await time.advance(100);
    if (key === 8) assert.equal(held(attempt)[1], undefined);
    if (key === 11) assert.ok(held(attempt)[1].length >= 9, 'sent while the typing goes on');
  }
  await time.advance(TYPING_MS);
  assert.equal(held(attempt)[1].length, 20);
});

test('an empty checkpoint every ten seconds at least', async () => {
  const { sync, time, posts } = await sending();
  sync.start();
  await time.advance(61_000);
  const times = posts().map((call) => call.at);
  const gaps = times.slice(1).map((at, index) => at - times[index]);
  assert.ok(times.length >= 7, `${times.length} heartbeats`);
  assert.ok(Math.max(...gaps) <= HEARTBEAT_MS && Math.min(...gaps) >= 0.9 * HEARTBEAT_MS, gaps.join());
});

test('one request is in flight at a time, and what was typed meanwhile follows at once', async () => {
  const { sync, time, network, choose, posts, attempt } = await sending();
  sync.start();
  await time.advance(0);
  network.faults.push('hang');
  await choose(1, 'A');
  await time.advance(10);
  await choose(2, 'B');
  await time.advance(100);
  assert.equal(posts().length, 2, 'the start and the one that hangs');
  await time.advance(10_000);
  assert.deepEqual(held(attempt), { 1: 'A', 2: 'B' });
});

test('I2: a lost reply is settled by the same number, with what has grown', async () => {
  const { sync, time, network, choose, posts, outbox } = await sending();
  sync.start();
  await time.advance(0);
  network.faults.push('lose', 'lose');
  await choose(1, 'A');
  await time.advance(5);
  assert.equal(outbox.view(1).state, 'local');
  await choose(2, 'B');
  await time.advance(20_000);
  const seqs = posts().slice(1, 4).map((call) => call.body.seq);
  assert.deepEqual(seqs, [2, 2, 2]);
  assert.deepEqual(posts()[3].body.responses.map((row) => row.item), [1, 2]);
  assert.deepEqual([outbox.view(1).state, outbox.view(2).state], ['durable', 'durable']);
});

for (const fault of ['html', 'json', 'empty', 'cut', 'drop', 'hang', 'lose']) {
  test(`a request that ends in "${fault}" acknowledges nothing, and the answer arrives later`, async () => {
    const { sync, time, network, choose, outbox, attempt, connection } = await sending();
    sync.start();
    await time.advance(0);
    network.faults.push(fault, fault);
    await choose(1, 'A');
    await time.advance(100);
    assert.notEqual(outbox.view(1).state, 'durable');
    await time.advance(30_000);
    assert.equal(outbox.view(1).state, 'durable');
    assert.deepEqual(held(attempt), { 1: 'A' });
    assert.ok(connection.fails.length >= 2);
  });
}

test('a reply that skips a response has not answered the request', async () => {
  const { sync, time, service, choose, outbox } = await sending();
  sync.start();
  await time.advance(0);
  const real = service.handle;
  service.handle = (...call) => {
    const reply = real(...call);
    service.handle = real;
    return { ...reply, items: [] };
  };
  await choose(1, 'A');
  await time.advance(10);
  assert.equal(outbox.view(1).state, 'local');
  await time.advance(10_000);
  assert.equal(outbox.view(1).state, 'durable');
});

test('503: Retry-After is honoured, jitter comes on top, and the first real acknowledgement resets the backoff', async () => {
  const { sync, time, service, choose, posts, outbox } = await sending();
  sync.start();
  await time.advance(0);
  service.mode = '503';
  await choose(1, 'A');
  await time.advance(12_000);
  const times = posts().slice(1).map((call) => call.at);
  const gaps = times.slice(1).map((at, index) => at - times[index]);
  assert.ok(gaps.every((gap) => gap >= 1000), `never sooner than asked: ${gaps}`);
  assert.ok(new Set(gaps).size > 1, 'jittered');
  service.mode = 'ok';
  await time.advance(10_000);
  assert.equal(outbox.view(1).state, 'durable');
  assert.equal(sync.isBackingOff(), false);
});

test('without an answer the tries spread out, and never stop', async () => {
  const { sync, time, network, choose, outbox } = await sending();
  sync.start();
  await time.advance(0);
  network.mode = 'drop';
  await choose(1, 'A');
  await time.advance(600_000);
  const tries = network.calls.filter((call) => call.path.endsWith('checkpoints')).length;
  assert.ok(tries > 100 && tries < 700, `${tries} tries in ten minutes`);
  network.mode = 'ok';
  await time.advance(6000);
  assert.equal(outbox.view(1).state, 'durable');
});

test('the other server is asked at once, and kept', async () => {
  const { sync, time, services, choose, network, outbox } = await sending({ origins: ['', 'http://standby'] });
  sync.start();
  await time.advance(0);
  delete services[''];
  await choose(1, 'A');
  await time.advance(50);
  assert.equal(outbox.view(1).state, 'durable', 'without any wait');
  await choose(2, 'B');
  await time.advance(50);
  assert.deepEqual(network.calls.slice(-1).map((call) => call.origin), ['http://standby']);
});

test('with every server away the round ends in a wait, not in a circle', async () => {
  const { sync, time, network, choose, service, outbox } = await sending({ origins: ['', 'http://standby'] });
  sync.start();
  await time.advance(0);
  service.mode = '503';
  await choose(1, 'A');
  await time.advance(10_000);
  assert.ok(network.calls.length < 30, `${network.calls.length} calls in ten seconds`);
  service.mode = 'ok';
  await time.advance(10_000);
  assert.equal(outbox.view(1).state, 'durable');
});

test('buffered is asked about again when the record is back', async () => {
  const { sync, time, service, choose, outbox } = await sending();
  sync.start();
  await time.advance(0);
  service.mode = 'buffered';
  await choose(1, 'A');
  await time.advance(10);
  assert.equal(outbox.view(1).state, 'buffered');
  service.mode = 'ok';
  await time.advance(HEARTBEAT_MS + 10);
  assert.equal(outbox.view(1).state, 'durable');
});

test('while the record is away a buffered answer is not sent over and over', async () => {
  const { sync, time, service, choose, posts } = await sending();
  sync.start();
  await time.advance(0);
  service.mode = 'buffered';
  await choose(1, 'A');
  await time.advance(60_000);
  const withAnswer = posts().filter((call) => call.body.responses.length > 0).length;
  assert.ok(withAnswer <= 2 + 60_000 / BUFFERED_MS, `${withAnswer} times`);
});

test('I1: a restored service is sent everything again, once', async () => {
  const { sync, time, service, choose, attempt, posts } = await sending();
  sync.start();
  await time.advance(0);
  for (const item of [1, 2, 3, 4]) await choose(item, 'A');
  await time.advance(100);
  attempt.responses.clear();
  attempt.count = 0;
  service.lineage = 'lineage-2';
  await time.advance(2 * HEARTBEAT_MS);
  assert.deepEqual(held(attempt), { 1: 'A', 2: 'A', 3: 'A', 4: 'A' });
  const before = posts().length;
  await time.advance(60_000);
  assert.ok(posts().slice(before).every((call) => call.body.responses.length === 0));
});

test('two stores that disagree about the count do not make a browser echo', async () => {
  const { sync, time, service, choose, posts } = await sending();
  const real = service.handle;
  let flip = 0;
  service.handle = (...call) => {
    const reply = real(...call);
    flip += 1;
    return reply.count > 0 && flip % 2 ? { ...reply, count: reply.count - 1 } : reply;
  };
  sync.start();
  for (const item of [1, 2, 3]) await choose(item, 'A');
  await time.advance(120_000);
  const resent = posts().filter((call) => call.body.responses.length > 0).length;
  assert.ok(resent <= 3 + 120 / 30 + 1, `${resent} requests with answers`);
});

test('superseded: what is left is handed over, item by item, and nothing is sent any more', async () => {
  const { sync, time, network, choose, attempt, outbox, names, posts } = await sending();
  sync.start();
  await time.advance(0);
  network.mode = 'drop';
  for (let item = 1; item <= MOST_RESPONSES + 20; item += 1) await outbox.edit(item, 'A');
  await choose(1, 'B');
  await time.advance(500);
  attempt.epoch += 1;
  network.mode = 'ok';
  await time.advance(20_000);
  assert.equal(attempt.stranded.length, MOST_RESPONSES + 20);
  assert.equal(attempt.responses.size, 0, 'nothing of an old epoch is applied');
  assert.ok(outbox.views().every((view) => view.state === 'stranded'));
  assert.deepEqual(names().filter((name) => name !== 'reply'), ['superseded', 'rest']);
  assert.equal((await outbox.grant()).state, 'superseded');
  const before = posts().length;
  await time.advance(120_000);
  assert.equal(posts().length, before);
});

test('superseded without a word about the items: they stay here and are offered again, slowly', async () => {
  const { sync, time, service, choose, outbox, posts } = await sending();
  service.handle = (method, path, token, body) => {
    service.log.push({ method, path, token, body, at: time.clock.now() });
    throw new Refusal(409, 'superseded', { seat: '备1' });
  };
  sync.start();
  await choose(1, 'A');
  await time.advance(600_000);
  assert.equal(outbox.view(1).state, 'local');
  assert.ok(posts().length > 5 && posts().length < 120, `${posts().length} offers in ten minutes`);
});

test('closed: stranded as final, kept, and asked no more', async () => {
  const { sync, time, attempt, choose, outbox, names } = await sending();
  sync.start();
  await time.advance(0);
  attempt.final = true;
  await choose(1, 'A');
  await time.advance(10_000);
  assert.deepEqual([outbox.view(1).state, outbox.view(1).code, outbox.view(1).value], ['stranded', 'final', 'A']);
  assert.ok(names().includes('closed'));
});

test('a token that is not honoured stops the sending and keeps everything', async () => {
  const { sync, time, service, choose, outbox, names } = await sending();
  sync.start();
  await time.advance(0);
  service.attempts.clear();
  await choose(1, 'A');
  await time.advance(60_000);
  assert.deepEqual(names().slice(-1), ['signed-out']);
  assert.equal(outbox.view(1).value, 'A');
  assert.equal((await outbox.grant()).state, 'signed-out');
});

test('one response that cannot be taken is refused by name and its neighbours go through', async () => {
  const { sync, time, service, choose, outbox, attempt } = await sending();
  const real = service.handle;
  service.handle = (method, path, token, body) => {
    if (body?.responses?.some((row) => row.item === 37)) throw new Refusal(422, 'bad-body');
    return real(method, path, token, body);
  };
  for (let item = 1; item <= 60; item += 1) await outbox.edit(item, 'A');
  sync.start();
  await choose(61, 'A');
  await time.advance(30_000);
  assert.deepEqual([outbox.view(37).state, outbox.view(37).code, outbox.view(37).value], ['refused', 'bad-body', 'A']);
  assert.equal(attempt.responses.size, 60);
});

test('a body that is too large is halved', async () => {
  const { sync, time, service, outbox, attempt } = await sending();
  const real = service.handle;
  service.handle = (method, path, token, body) => {
    if ((body?.responses?.length ?? 0) > 10) throw new Refusal(413, 'body-too-large');
    return real(method, path, token, body);
  };
  for (let item = 1; item <= 33; item += 1) await outbox.edit(item, 'A');
  sync.start();
  await time.advance(5000);
  assert.equal(attempt.responses.size, 33);
});

test('a response refused by itself is shown, kept, and sent again when it is changed', async () => {
  const { sync, time, choose, outbox, attempt } = await sending();
  sync.start();
  await choose(1, '拒绝');
  await choose(2, 'B');
  await time.advance(1000);
  assert.deepEqual([outbox.view(1).state, outbox.view(1).code], ['refused', 'bad-value']);
  await choose(1, 'A');
  await time.advance(1000);
  assert.deepEqual(held(attempt), { 1: 'A', 2: 'B' });
});

test('not started is a refusal for now: the answer stays', async () => {
  const { sync, time, service, choose, outbox, connection } = await sending();
  const real = service.handle;
  service.handle = () => {
    throw new Refusal(403, 'not-started');
  };
  sync.start();
  await choose(1, 'A');
  await time.advance(5000);
  assert.equal(outbox.view(1).state, 'local');
  assert.deepEqual(connection.fails, [], 'the service is there');
  service.handle = real;
  await time.advance(10_000);
  assert.equal(outbox.view(1).state, 'durable');
});

test('hiding the page sends at once, whatever the backoff says, in a body that outlives the page', async () => {
  const { sync, time, network, outbox, attempt } = await sending();
  sync.start();
  await time.advance(0);
  network.mode = 'drop';
  for (let item = 1; item <= 40; item += 1) await outbox.edit(item, '字'.repeat(900));
  sync.choice();
  await time.advance(20_000);
  network.mode = 'ok';
  network.calls.length = 0;
  sync.leaving();
  await settle();
  const [call] = network.calls;
  assert.equal(call.init.keepalive, true);
  assert.ok(Buffer.byteLength(call.init.body) <= KEEPALIVE_BYTES, `${Buffer.byteLength(call.init.body)} bytes`);
  assert.ok(attempt.responses.size > 0);
});

test('after "online" the page comes back spread over a moment, not at the end of its backoff', async () => {
  const { sync, time, network, choose, outbox } = await sending();
  sync.start();
  await time.advance(0);
  network.mode = 'drop';
  await choose(1, 'A');
  await time.advance(120_000);
  network.mode = 'ok';
  sync.online();
  await time.advance(ONLINE_SPREAD_MS + 100);
  assert.equal(outbox.view(1).state, 'durable');
});

test('the hand-in carries what is left and brings the receipt', async () => {
  const { sync, time, outbox, posts, heard } = await sending();
  sync.start();
  await time.advance(0);
  await outbox.edit(1, 'A');
  sync.handIn();
  await time.advance(100);
  assert.equal(posts().slice(-1)[0].path, '/api/v1/attempt/hand-in');
  assert.deepEqual(posts().slice(-1)[0].body.responses.map((row) => row.value), ['A']);
  assert.equal(heard.slice(-1)[0][1].receipt.answered, 1);
  assert.equal(outbox.view(1).state, 'durable');
});

test('a hand-in whose reply is lost is repeated and gets the same receipt', async () => {
  const { sync, time, network, outbox, heard, attempt } = await sending();
  sync.start();
  await time.advance(0);
  await outbox.edit(1, 'A');
  network.faults.push('lose');
  sync.handIn();
  await time.advance(20_000);
  assert.equal(attempt.final, true);
  assert.deepEqual(heard.find(([, detail]) => detail?.receipt)[1].receipt, attempt.receipt);
});

test('more than one body holds is sent before the hand-in', async () => {
  const { sync, time, outbox, posts, attempt } = await sending();
  for (let item = 1; item <= MOST_RESPONSES + 30; item += 1) await outbox.edit(item, 'A');
  sync.start();
  sync.handIn();
  await time.advance(1000);
  assert.deepEqual(posts().map((call) => call.path.split('/').pop()), ['checkpoints', 'hand-in']);
  assert.equal(attempt.receipt.answered, MOST_RESPONSES + 30);
});

test('a hand-in while the record is away is asked again until there is a receipt', async () => {
  const { sync, time, service, outbox, heard, posts } = await sending();
  sync.start();
  await time.advance(0);
  service.mode = 'buffered';
  await outbox.edit(1, 'A');
  sync.handIn();
  await time.advance(20_000);
  assert.equal(outbox.view(1).state, 'buffered');
  assert.ok(posts().length < 15, 'not a circle');
  service.mode = 'ok';
  await time.advance(20_000);
  assert.ok(heard.some(([, detail]) => detail?.receipt));
  assert.equal(outbox.view(1).state, 'durable');
});

test('a hand-in brings what was only buffered: it is the last that the record hears of it', async () => {
  const { sync, time, service, choose, outbox, posts } = await sending();
  sync.start();
  await time.advance(0);
  service.mode = 'buffered';
  await choose(1, 'A');
  await time.advance(100);
  assert.equal(outbox.view(1).state, 'buffered');
  service.mode = 'ok';
  sync.handIn();
  await time.advance(100);
  const handIns = posts().filter((call) => call.path.endsWith('hand-in'));
  assert.deepEqual(handIns.map((call) => call.body.responses.map((row) => row.value)), [['A']]);
  assert.equal(outbox.view(1).state, 'durable');
});

test('too early to hand in: said once, and answering goes on', async () => {
  const { sync, time, service, choose, names, attempt, outbox } = await sending();
  service.earliestMs = 60_000;
  sync.start();
  await time.advance(0);
  await outbox.mark({ hand_in_asked: true });
  sync.handIn();
  await time.advance(5000);
  assert.equal(names().filter((name) => name === 'hand-in-refused').length, 1);
  assert.equal((await outbox.grant()).hand_in_asked, false);
  await choose(1, 'A');
  await time.advance(10);
  assert.deepEqual(held(attempt), { 1: 'A' });
});

test('losing the flusher lease stops this page before it sends', async () => {
  const world = await createWorld();
  const { time, store, api, ring, random } = world;
  const outbox = createOutbox({ store, attempt: 'a-T', epoch: 1, serviceNow: () => 0 });
  let lost = 0;
  const connection = { ok() {}, failed() {} };
  const sync = createSync({ outbox, api, ring, clock: time.clock, timers: time.timers, random, connection, holder: 'me', listener: { onLeaseLost: () => (lost += 1) } });
  await store.transaction('readwrite', (tx) => tx.put('meta', { name: 'flusher', holder: 'other', beat: 1 }));
  await outbox.edit(1, 'A');
  sync.start();
  await time.advance(60_000);
  assert.deepEqual([lost, world.service.log.length], [1, 0]);
});

test('a fault of our own is said aloud and does not spin', async () => {
  const { sync, time, outbox, names } = await sending();
  const real = outbox.claim;
  let calls = 0;
  outbox.claim = () => {
    calls += 1;
    return Promise.reject(new Error('a bug'));
  };
  sync.start();
  await time.advance(10_000);
  assert.ok(names().includes('fault'));
  assert.ok(calls < 30, `${calls} calls`);
  outbox.claim = real;
});
