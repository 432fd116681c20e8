/**
 * The PC's wall clock: hours off from the start, or moved in the middle of the exam. Nothing of an exam may depend on it.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { afterEach, test } from 'node:test';

import { createCountdown } from '../../app/web/candidate/core/countdown.js';
import { createExamTimer } from '../../app/web/candidate/core/timer.js';
import { createTime } from './support.mjs';

const HOUR = 3_600_000;
const TrueDate = Date;

/** This PC's wall clock is `offset.ms` from the truth, and may be moved at any moment. */
function lie(offset) {
  globalThis.Date = class extends TrueDate {
    constructor(...given) {
      if (given.length) super(...given);
      else super(TrueDate.now() + offset.ms);
    }
    static now() {
      return TrueDate.now() + offset.ms;
    }
  };
}

afterEach(() => {
  globalThis.Date = TrueDate;
});

/** Everything a page shows of the time over an hour and a half, while its wall clock does what `move` says. */
async function sitThrough(move) {
  const offset = { ms: 0 };
  lie(offset);
  const time = createTime();
  const timer = createExamTimer({ clock: time.clock });
  const shown = [];
  let asked = 0;
  const countdown = createCountdown({ timer, clock: time.clock, timers: time.timers, onAsk: () => (asked += 1), onSpoken: (minutes) => shown.push(['spoken', minutes]) });
  timer.sync({ service_ms: 0, remaining_ms: 90 * 60_000, state: 'running', starts_in_ms: null, ends_at: null, because: [] });
  countdown.working(true);
  countdown.tick();
  for (let minute = 1; minute <= 90; minute += 1) {
    offset.ms = move(minute);
    await time.advance(60_000);
    shown.push([timer.remaining(), timer.serviceNow(), timer.mustAsk(), countdown.worked()]);
  }
  countdown.stop();
  return { shown, asked };
}

test('a wall clock that is hours off, or is moved during the exam, changes nothing of the time', async () => {
  const truth = await sitThrough(() => 0);
  assert.equal(truth.shown.at(-1)[0], 0);
  assert.ok(truth.asked > 0, 'at zero it asks');
  for (const move of [() => 9 * HOUR, () => -9 * HOUR, (minute) => (minute > 30 ? -2 * HOUR : HOUR), (minute) => (minute % 2 ? 1 : -1) * 40 * HOUR, () => -TrueDate.now()]) {
    assert.deepEqual(await sitThrough(move), truth);
  }
});

test('no module of the candidate\'s page asks the PC what time it is', async () => {
  const root = new URL('../../app/web/', import.meta.url);
  const found = [];
  for (const folder of ['candidate/', 'shared/']) {
    for (const file of await readdir(new URL(folder, root), { recursive: true })) {
      if (!file.endsWith('.js')) continue;
      const source = (await readFile(new URL(folder + file, root), 'utf8')).replace(/\/\*[^]*?\*\/|\/\/.*/g, '');
      if (/\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\btimeOrigin\b|\bTemporal\b/.test(source)) found.push(folder + file);
    }
  }
  assert.deepEqual(found, []);
});
