import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNotices } from '../../app/web/candidate/core/notices.js';

const later = () => new Promise((done) => setTimeout(done, 0));

function page() {
  /** @type {number[][]} */
  const said = [];
  const notices = createNotices({
    send: async (ids) => said.push(ids),
    pause: async () => {},
    random: { unit: () => 0 },
    watch: (promise) => promise.catch(assert.ifError),
    onChange: () => {},
  });
  notices.tell([
    { id: 7, kind: 'reopen', zh: '', en: '' },
    { id: 8, kind: 'notice', zh: '', en: '' },
  ]);
  return { notices, said };
}

test('why a page comes back is confirmed by the page that goes on, not by the receipt it comes from', async () => {
  const { notices, said } = page();
  notices.shown([7, 8], true);
  await later();
  assert.deepEqual(said, [[8]]);
});

test('on a page that goes on it is confirmed, once', async () => {
  const { notices, said } = page();
  notices.shown([7, 8], true);
  await later();
  notices.shown([7, 8]);
  notices.shown([7, 8]);
  await later();
  assert.deepEqual(said, [[8], [7]]);
});
