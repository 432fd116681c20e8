import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ASK_MS, BEAT_MS, STALE_MS, createFlusherLease } from '../../app/web/candidate/core/flusher-lease.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createSeeded, createTime } from './support.mjs';

/** Channels of one browser: each hears the others, later, never itself. */
function createBrowser(time) {
  const channels = new Set();
  return () => {
    const channel = {
      onmessage: null,
      deaf: false,
      postMessage(data) {
        for (const other of channels) {
          if (other !== channel) time.timers.setTimeout(() => !other.deaf && other.onmessage?.({ data }), 1);
        }
      },
      close: () => channels.delete(channel),
    };
    channels.add(channel);
    return channel;
  };
}

function tabs({ withChannel = true } = {}) {
  const time = createTime();
  const store = createMemoryStore();
  const open = createBrowser(time);
  let seed = 0;
  const tab = () => {
    seed += 1;
    const states = [];
    const frozen = { is: false };
    const timers = {
      setTimeout: (run, ms) => time.timers.setTimeout(() => !frozen.is && run(), ms),
      clearTimeout: time.timers.clearTimeout,
    };
    const channel = withChannel ? open() : null;
    const lease = createFlusherLease({ store, channel, timers, random: createSeeded(seed), onChange: (state) => states.push(state) });
    return {
      lease,
      states,
      freeze() {
        frozen.is = true;
        if (channel) channel.deaf = true;
      },
    };
  };
  return { time, store, tab };
}

test('the first page has the lease at once', async () => {
  const { time, tab } = tabs();
  const one = tab();
  one.lease.start();
  await time.advance(0);
  assert.deepEqual(one.states, ['asking', 'held']);
});

test('a second page waits beside a living one, for as long as it lives', async () => {
  const { time, tab } = tabs();
  const [one, two] = [tab(), tab()];
  one.lease.start();
  await time.advance(0);
  two.lease.start();
  await time.advance(600_000);
  assert.deepEqual([one.lease.state(), two.lease.state()], ['held', 'elsewhere']);
});

test('a page that is left gives the lease back', async () => {
  const { time, tab } = tabs();
  const [one, two] = [tab(), tab()];
  one.lease.start();
  await time.advance(0);
  two.lease.start();
  await time.advance(2 * ASK_MS);
  await one.lease.release();
  await time.advance(10);
  assert.equal(two.lease.state(), 'held');
});

test('after a crash the next page asks aloud, hears nothing, and goes on within a second', async () => {
  const { time, tab } = tabs();
  const dead = tab();
  dead.lease.start();
  await time.advance(0);
  dead.freeze();
  const next = tab();
  next.lease.start();
  await time.advance(ASK_MS + 10);
  assert.equal(next.lease.state(), 'held');
});

test('without BroadcastChannel a silent holder is watched for longer', async () => {
  const { time, tab } = tabs({ withChannel: false });
  const dead = tab();
  dead.lease.start();
  await time.advance(0);
  dead.freeze();
  const next = tab();
  next.lease.start();
  await time.advance(STALE_MS - BEAT_MS);
  assert.notEqual(next.lease.state(), 'held');
  await time.advance(STALE_MS + BEAT_MS);
  assert.equal(next.lease.state(), 'held');
});

test('without BroadcastChannel a living holder keeps the lease', async () => {
  const { time, tab } = tabs({ withChannel: false });
  const [one, two] = [tab(), tab()];
  one.lease.start();
  await time.advance(0);
  two.lease.start();
  await time.advance(120_000);
  assert.deepEqual([one.lease.state(), two.lease.state()], ['held', 'elsewhere']);
});

test('"go on here" takes the lease, and the other page says so', async () => {
  const { time, tab } = tabs();
  const [one, two] = [tab(), tab()];
  one.lease.start();
  await time.advance(0);
  two.lease.start();
  await time.advance(2 * ASK_MS);
  await two.lease.take();
  await time.advance(10);
  assert.deepEqual([one.lease.state(), two.lease.state()], ['elsewhere', 'held']);
});

test('a page that was frozen finds out that another has taken over', async () => {
  const { time, tab } = tabs({ withChannel: false });
  const [one, two] = [tab(), tab()];
  one.lease.start();
  await time.advance(0);
  await two.lease.take();
  one.lease.recheck();
  await time.advance(10);
  assert.equal(one.lease.state(), 'elsewhere');
});

test('two pages that start together end with one holder', async () => {
  const { time, tab } = tabs();
  const all = [tab(), tab(), tab()];
  for (const one of all) one.lease.start();
  await time.advance(10_000);
  assert.equal(all.filter((one) => one.lease.state() === 'held').length, 1);
});
