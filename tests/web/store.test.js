import assert from 'node:assert/strict';
import { test } from 'node:test';

import { IDBFactory, IDBKeyRange } from 'fake-indexeddb';

import { createOutbox } from '../../app/web/candidate/core/outbox.js';
import { openStore, withFallback } from '../../app/web/candidate/core/store.js';
import { NAME, STEPS, StoreFailed, openIdbStore } from '../../app/web/candidate/core/store-idb.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { GRANT, createTime, settle } from './support.mjs';

const realTimers = { setTimeout, clearTimeout };
const ports = (indexedDB, change = {}) => ({ indexedDB, IDBKeyRange, timers: realTimers, ...change });
const ROW = { attempt: 'a', epoch: 1, item: 1, value: 'A' };

const KINDS = { memory: async () => createMemoryStore(), indexeddb: async () => openIdbStore(ports(new IDBFactory())) };

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind}: rows come back by key and by the beginning of a key`, async () => {
    const store = await open();
    await store.transaction('readwrite', async (tx) => {
      for (const [attempt, epoch, item] of [['a', 1, 1], ['a', 1, 12], ['a', 2, 1], ['ab', 1, 1], ['b', 1, 1]]) {
        await tx.put('entries', { attempt, epoch, item, value: '值' });
      }
    });
    const all = (prefix) => store.transaction('readonly', (tx) => tx.all('entries', prefix));
    assert.equal((await all(['a', 1])).length, 2);
    assert.equal((await all(['a'])).length, 3);
    assert.equal((await all()).length, 5);
    assert.equal((await store.transaction('readonly', (tx) => tx.get('entries', ['ab', 1, 1]))).value, '值');
    assert.equal(await store.transaction('readonly', (tx) => tx.get('entries', ['z', 1, 1])), undefined);
  });

  test(`${kind}: work that throws leaves nothing behind, and the store goes on`, async () => {
    const store = await open();
    const broken = store.transaction('readwrite', async (tx) => {
      await tx.put('entries', ROW);
      throw new Error('in the middle');
    });
    await assert.rejects(broken, /in the middle/);
    assert.deepEqual(await store.transaction('readonly', (tx) => tx.all('entries')), []);
    await store.transaction('readwrite', (tx) => tx.put('entries', ROW));
    assert.equal((await store.transaction('readonly', (tx) => tx.all('entries'))).length, 1);
  });

  test(`${kind}: read, then write, is alone: a hundred counters end at a hundred`, async () => {
    const store = await open();
    const once = () =>
      store.transaction('readwrite', async (tx) => {
        const row = (await tx.get('meta', 'n')) ?? { name: 'n', value: 0 };
        await tx.put('meta', { ...row, value: row.value + 1 });
      });
    await Promise.all(Array.from({ length: 100 }, once));
    assert.equal((await store.transaction('readonly', (tx) => tx.get('meta', 'n'))).value, 100);
  });
}

test('indexeddb: what one page wrote the next page reads', async () => {
  const factory = new IDBFactory();
  const first = await openIdbStore(ports(factory));
  const outbox = createOutbox({ store: first, attempt: 'a', epoch: 1, serviceNow: () => 5 });
  await outbox.edit(1, ['甲', '乙']);
  first.close();
  const second = createOutbox({ store: await openIdbStore(ports(factory)), attempt: 'a', epoch: 1, serviceNow: () => 5 });
  await second.load();
  assert.deepEqual([second.view(1).value, second.view(1).state], [['甲', '乙'], 'local']);
});

test('indexeddb: two tabs share one order of revisions', async () => {
  const factory = new IDBFactory();
  const tabs = await Promise.all([1, 2].map(async () => createOutbox({ store: await openIdbStore(ports(factory)), attempt: 'a', epoch: 1, serviceNow: () => 5 })));
  await Promise.all(tabs.flatMap((tab, index) => ['x', 'y', 'z'].map((value) => tab.edit(1, value + index))));
  await tabs[0].edit(1, 'last');
  await tabs[1].load();
  assert.equal(tabs[1].view(1).value, 'last');
  assert.ok(tabs[1].view(1).rev >= 3);
});

test('indexeddb: a page writes strictly, a lease beat need not', async () => {
  const factory = new IDBFactory();
  const store = await openIdbStore(ports(factory));
  const asked = [];
  const opened = await new Promise((resolve) => {
    const request = factory.open(NAME);
    request.onsuccess = () => resolve(request.result);
  });
  const prototype = Object.getPrototypeOf(opened);
  const real = prototype.transaction;
  prototype.transaction = function spy(names, mode, options) {
    asked.push(options);
    return real.call(this, names, mode);
  };
  try {
    await store.transaction('readwrite', (tx) => tx.put('entries', ROW));
    await store.transaction('readwrite', (tx) => tx.put('entries', ROW), { durability: 'relaxed' });
  } finally {
    prototype.transaction = real;
  }
  assert.deepEqual(asked, [{ durability: 'strict' }, { durability: 'relaxed' }]);
});

test('indexeddb: every upgrade keeps every row', async () => {
  const factory = new IDBFactory();
  const old = await openIdbStore(ports(factory));
  await old.transaction('readwrite', async (tx) => {
    await tx.put('entries', ROW);
    await tx.put('grants', GRANT);
  });
  // The old page stays open, as the tab of a candidate would while the next page brings a newer schema.
  const later = [...STEPS, (db) => db.createObjectStore('later', { keyPath: 'id' })];
  const fresh = await openIdbStore(ports(factory, { steps: later }));
  assert.deepEqual(await fresh.transaction('readonly', (tx) => tx.all('entries')), [ROW]);
  assert.deepEqual(await fresh.transaction('readonly', (tx) => tx.all('grants')), [GRANT]);
  // And the old page goes on with the upgraded database.
  await old.transaction('readwrite', (tx) => tx.put('entries', { ...ROW, item: 2 }));
  assert.equal((await fresh.transaction('readonly', (tx) => tx.all('entries'))).length, 2);
});

test('indexeddb: no step of the schema deletes or renames', () => {
  for (const step of STEPS) {
    const calls = [];
    step(new Proxy({}, { get: (_target, name) => (...given) => calls.push([name, given]) }));
    assert.ok(calls.length > 0 && calls.every(([name]) => name === 'createObjectStore'), JSON.stringify(calls));
  }
});

test('without IndexedDB, with one that refuses, with one that hangs: the page goes on in memory and says so', async () => {
  const refusing = { open: () => { throw new DOMException('denied', 'SecurityError'); } }; // prettier-ignore
  const hanging = { open: () => ({}) };
  const time = createTime();
  for (const [indexedDB, timers] of [[undefined, realTimers], [refusing, realTimers], [hanging, time.timers]]) {
    const said = [];
    const opening = openStore({ indexedDB, IDBKeyRange, timers }, (error) => said.push(error));
    if (timers !== realTimers) await time.advance(5000);
    const store = await opening;
    assert.equal(store.kind, 'memory');
    assert.ok(said[0] instanceof StoreFailed);
    await store.transaction('readwrite', (tx) => tx.put('entries', ROW));
    assert.equal((await store.transaction('readonly', (tx) => tx.all('entries'))).length, 1);
  }
});

test('a disk that fills up in the middle of an exam: everything this page knows goes on in memory', async () => {
  const base = createMemoryStore();
  let full = false;
  const failing = {
    ...base,
    kind: 'indexeddb',
    transaction: (mode, work, options) => (full ? Promise.reject(new StoreFailed('QuotaExceeded')) : base.transaction(mode, work, options)),
  };
  const said = [];
  const store = withFallback(failing, (error) => said.push(error.message));
  await store.transaction('readwrite', (tx) => tx.put('grants', GRANT));
  const outbox = createOutbox({ store, attempt: 'a-T', epoch: 1, serviceNow: () => 5 });
  await outbox.edit(1, 'A');
  full = true;
  await outbox.edit(2, 'B');
  await outbox.edit(3, 'C');
  assert.deepEqual([store.kind, said.length], ['memory', 1]);
  const claim = await outbox.claim({ withBuffered: false, holder: null, most: 9, mostBytes: 99_999 });
  assert.deepEqual(claim.body.responses.map((row) => row.value), ['A', 'B', 'C']);
  assert.ok((await outbox.grant()).token);
});

test('an error of our own code is not taken for a failing disk', async () => {
  const said = [];
  const store = withFallback(createMemoryStore(), (error) => said.push(error));
  await assert.rejects(
    store.transaction('readwrite', async () => {
      throw new RangeError('a bug');
    }),
    RangeError,
  );
  await settle();
  assert.deepEqual(said, []);
});
