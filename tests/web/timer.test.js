import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createCountdown } from '../../app/web/candidate/core/countdown.js';
import { createExamTimer, digits, spokenThreshold } from '../../app/web/candidate/core/timer.js';
import { createTime } from './support.mjs';

const message = (change = {}) => ({ service_ms: 1000, remaining_ms: 600_000, state: 'running', starts_in_ms: null, ends_at: null, because: [], ...change });

test('remaining is what the service said minus the monotonic clock since', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  assert.equal(timer.remaining(), null);
  timer.sync(message());
  await time.advance(60_000);
  assert.equal(timer.remaining(), 540_000);
  assert.equal(timer.serviceNow(), 61_000);
});

test('only a running clock runs', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  for (const state of ['paused', 'waiting', 'ended']) {
    timer.sync(message({ state }));
    await time.advance(60_000);
    assert.equal(timer.remaining(), 600_000);
  }
});

test('it stops at zero and asks; it never ends anything', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  timer.sync(message({ remaining_ms: 1000 }));
  await time.advance(999);
  assert.equal(timer.mustAsk(), false);
  await time.advance(5000);
  assert.deepEqual([timer.remaining(), timer.mustAsk(), timer.state()], [0, true, 'running']);
  timer.sync(message({ service_ms: 8000, remaining_ms: 0, state: 'ended' }));
  assert.equal(timer.mustAsk(), false);
});

test('time given back is shown, and said how much', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  timer.sync(message());
  await time.advance(30_000);
  const jump = timer.sync(message({ service_ms: 1500, remaining_ms: 599_500 }));
  assert.equal(jump, 29_500);
  assert.equal(timer.remaining(), 599_500);
});

test('an older word that was overtaken is dropped; a restored service is believed', () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  timer.sync(message({ service_ms: 50_000, state: 'paused' }));
  timer.sync(message({ service_ms: 49_000, state: 'running' }));
  assert.equal(timer.state(), 'paused');
  timer.sync(message({ service_ms: 2000, state: 'running' }));
  assert.equal(timer.state(), 'running');
});

test('the countdown to the start', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  timer.sync(message({ state: 'waiting', starts_in_ms: null }));
  assert.deepEqual([timer.startsIn(), timer.mustAskStart()], [null, false]);
  timer.sync(message({ service_ms: 2000, state: 'waiting', starts_in_ms: 5000 }));
  await time.advance(2000);
  assert.equal(timer.startsIn(), 3000);
  await time.advance(4000);
  assert.deepEqual([timer.startsIn(), timer.mustAskStart()], [0, true]);
});

test('thresholds speak on both sides of every boundary, once, the nearest only', () => {
  const minute = 60_000;
  assert.equal(spokenThreshold(null, 5 * minute), null);
  assert.equal(spokenThreshold(5 * minute + 1, 5 * minute), 5);
  assert.equal(spokenThreshold(5 * minute, 5 * minute - 1), null);
  assert.equal(spokenThreshold(31 * minute, 4 * minute), 5);
  assert.equal(spokenThreshold(4 * minute, 20 * minute), null, 'time given back says nothing');
  assert.equal(spokenThreshold(16 * minute, 15 * minute), 15);
});

test('digits', () => {
  assert.equal(digits(5_400_000), '1:30:00');
  assert.equal(digits(3_599_001), '1:00:00');
  assert.equal(digits(3_599_000), '59:59');
  assert.equal(digits(1), '00:01');
  assert.equal(digits(0), '00:00');
});

test('at zero the service is asked again and again, but not in a rush', async () => {
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  let asked = 0;
  const spoken = [];
  const countdown = createCountdown({ timer, clock: time.clock, timers: time.timers, onAsk: () => (asked += 1), onSpoken: (minutes) => spoken.push(minutes) });
  timer.sync(message({ remaining_ms: 61_000 }));
  countdown.working(true);
  countdown.tick();
  await time.advance(61_000);
  assert.deepEqual(spoken, [1]);
  await time.advance(10_000);
  assert.ok(asked >= 4 && asked <= 7, `${asked} times in ten seconds`);
  countdown.stop();
});

test('working time counts the minutes in which the paper was there and the clock ran', async () => {
  const time = createTime();
  const countdown = createCountdown({ timer: createExamTimer({ clock: time.clock }), clock: time.clock, timers: time.timers, onAsk() {}, onSpoken() {} });
  countdown.workedBefore(60_000);
  await time.advance(5000);
  assert.equal(countdown.worked(), 60_000);
  countdown.working(true);
  await time.advance(5000);
  countdown.working(true);
  await time.advance(5000);
  countdown.working(false);
  await time.advance(5000);
  assert.equal(countdown.worked(), 70_000);
});
