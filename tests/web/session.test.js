import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createSession } from '../../app/web/candidate/core/session.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createApi, createServerRing } from '../../app/web/shared/api.js';
import { createService } from './mock-server.mjs';
import { createNetwork, createSeeded, createTime } from './support.mjs';

const GIVEN = { ticket: 'T', idTail: '123456', seat: null };

function browser(service, store = createMemoryStore(), seed = 1) {
  const time = createTime();
  const network = createNetwork(time, { '': service });
  network.only = '/api/';
  const api = createApi({ fetch: network.fetch, timers: time.timers });
  const session = createSession({ store, api, ring: createServerRing(), random: createSeeded(seed), origin: 'http://own' });
  return { session, network, store };
}

const newService = () => createService({ now: () => 1000 });

test('sign-in keeps what a reload needs, and never the digits of the ID', async () => {
  const { session, store } = browser(newService());
  const { grant, clock } = await session.signIn(GIVEN);
  assert.equal(clock.state, 'running');
  assert.equal((await session.current()).token, grant.token);
  for (const table of ['entries', 'grants', 'proofs', 'meta']) {
    const rows = await store.transaction('readonly', (tx) => tx.all(table));
    assert.equal(JSON.stringify(rows).includes('123456'), false, table);
  }
});

test('a sign-in whose reply was lost is settled by repeating it: nobody is locked out by himself', async () => {
  const service = newService();
  const { session, network } = browser(service);
  network.faults.push('lose');
  await assert.rejects(session.signIn(GIVEN));
  const { grant } = await session.signIn(GIVEN);
  assert.equal(grant.epoch, 1);
});

test('the proof is on the disk before the first request leaves', async () => {
  const service = newService();
  const { session, store, network } = browser(service);
  let proofs = null;
  const real = network.fetch;
  const api = createApi({
    timers: { setTimeout, clearTimeout },
    fetch: async (...call) => {
      proofs = await store.transaction('readonly', (tx) => tx.all('proofs'));
      return real(...call);
    },
  });
  await createSession({ store, api, ring: createServerRing(), random: createSeeded(1), origin: '' }).signIn(GIVEN);
  assert.equal(proofs.length, 1);
  assert.match(proofs[0].lease_secret, /^[0-9a-f]{64}$/);
  assert.ok(session);
});

test('the same device goes on under its own epoch; another one is told where the candidate sits', async () => {
  const service = newService();
  const first = browser(service);
  await first.session.signIn(GIVEN);
  assert.equal((await first.session.signIn(GIVEN)).grant.epoch, 1);
  const other = browser(service, createMemoryStore(), 2);
  await assert.rejects(other.session.signIn(GIVEN), (error) => error.code === 'lease-held' && error.params.seat === '12');
});

test('the next candidate’s sign-in turns the page away from the one before', async () => {
  const { session, store } = browser(newService());
  const one = await session.signIn(GIVEN);
  await session.leave();
  assert.equal(await session.current(), null);
  const two = await session.signIn({ ...GIVEN, ticket: 'U' });
  assert.equal((await session.current()).attempt, two.grant.attempt);
  const kept = await store.transaction('readonly', (tx) => tx.get('grants', [one.grant.attempt, 1]));
  assert.equal(kept.ticket, 'T', 'nothing is removed');
});

test('signing in again keeps the numbers of the same grant', async () => {
  const { session, store } = browser(newService());
  const { grant } = await session.signIn(GIVEN);
  await store.transaction('readwrite', (tx) => tx.put('grants', { ...grant, next_seq: 40, told: { lineage: 'lineage-1', count: 12 } }));
  const again = (await session.signIn(GIVEN)).grant;
  assert.deepEqual([again.next_seq, again.told.count], [40, 12]);
});

test('a reply that is no sign-in is not taken for one', async () => {
  const service = newService();
  const { session } = browser(service);
  service.handle = () => ({ ok: true });
  await assert.rejects(session.signIn(GIVEN), (error) => error.name === 'NotOurs');
  assert.equal(await session.current(), null);
});
