import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLeave } from '../../app/web/candidate/core/leave.js';
import { createNotices } from '../../app/web/candidate/core/notices.js';

const notice = (id, kind) => ({ id, kind, zh: '…', en: '…' });

function page() {
  const changes = [];
  return { changes, leave: createLeave({ onChange: (out) => changes.push(out) }) };
}

test('a leave hides the question and a return shows it, each once', () => {
  const { changes, leave } = page();
  leave.hear([notice(4, 'pause'), notice(5, 'leave')]);
  leave.hear([notice(5, 'leave')]);
  leave.hear([notice(5, 'leave'), notice(7, 'return')]);
  assert.deepEqual(changes, [true, false]);
});

test('a notice that is repeated after a newer one hides nothing again', () => {
  const { changes, leave } = page();
  leave.hear([notice(5, 'leave'), notice(7, 'return')]);
  leave.hear([notice(5, 'leave')]);
  assert.deepEqual(changes, [true, false]);
});

test('a page that is loaded while its candidate is out shows no question until the return', () => {
  const { changes, leave } = page();
  leave.read(true, 8);
  leave.hear([notice(9, 'return')]);
  leave.read(undefined, 9);
  assert.deepEqual(changes, [true, false]);
});

test('an attempt that was read before the notice the page has heard says nothing any more', () => {
  const { changes, leave } = page();
  leave.hear([notice(5, 'leave'), notice(7, 'return')]);
  // Asked while they were out, answered after the return.
  leave.read(true, 5);
  assert.deepEqual(changes, [true, false]);
  leave.hear([notice(8, 'leave')]);
  leave.read(false, 7);
  assert.deepEqual(changes, [true, false, true]);
  // And what was read after the notice holds, though the notice comes late.
  leave.read(false, 9);
  leave.hear([notice(8, 'leave'), notice(9, 'return')]);
  assert.deepEqual(changes, [true, false, true, false]);
});

test('a record that was put back counts its notices anew', () => {
  const { changes, leave } = page();
  leave.hear([notice(70, 'leave')]);
  leave.restored();
  leave.hear([notice(12, 'return')]);
  assert.deepEqual(changes, [true, false]);
});

test('a leave is confirmed to the service and is no message: the page itself shows it', async () => {
  const said = [];
  let open = [];
  const notices = createNotices({
    send: async (ids) => said.push(...ids),
    pause: async () => {},
    random: { unit: () => 0 },
    watch: (promise) => void promise,
    onChange: (next) => (open = next),
  });
  assert.equal(notices.tell([notice(5, 'leave')]), false);
  assert.equal(notices.tell([notice(5, 'leave'), notice(6, 'pause'), notice(7, 'return')]), true);
  await new Promise(setImmediate);
  assert.deepEqual(open.map(({ kind }) => kind), ['pause']);
  assert.deepEqual(said, [5, 7]);
});
