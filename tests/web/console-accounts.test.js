/** The accounts page without a browser: passwords to hand over, finding, and what is told of a click. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createAccounts, matching, passwordOf } from '../../app/web/console/core/accounts.js';

const account = (id, more = {}) => ({
  id, username: `u${id}`, name: `姓名${id}`, role: 'invigilator', needs_rooms: true, is_demo: false, disabled: false,
  must_change: false, created_at: '', rooms: [], logins: [], ...more,
});

/** A page with these accounts; `reply` answers every click. */
function made(reply, accounts = [account(1)]) {
  const sent = [];
  const state = createAccounts({
    get: async () => ({ accounts, timezone: 'Asia/Shanghai' }),
    send: async (at, path, body) => {
      sent.push([at, path, body]);
      return reply;
    },
    random: { hex: (n) => '1f'.repeat(n) },
    loginEnded: () => false,
    forgive: () => {},
  });
  return { state, sent };
}

test('a password to hand over has twelve letters that nobody mistakes for one another', () => {
  assert.match(passwordOf('00'.repeat(12)), /^(a{4})-(a{4})-(a{4})$/);
  const every = Array.from({ length: 32 }, (_, n) => passwordOf(n.toString(16).padStart(2, '0').repeat(12))[0]);
  assert.equal(new Set(every).size, 32);
  for (const one of ['i', 'l', 'o', '1']) assert.ok(!every.includes(one), one);
});

test('accounts are found by name, username, role and room, every word of it', () => {
  const all = [account(1, { rooms: [{ id: 7, name: '第07考室' }] }), account(2, { role: 'office' })];
  const role = (name) => ({ invigilator: '监考人员', office: '考务办公室' })[name];
  const ids = (typed) => matching(all, typed, role).map(({ id }) => id);
  assert.deepEqual([ids(''), ids('U2'), ids('监考 07'), ids('考务 07'), ids('nobody')], [[1, 2], [2], [1], [], []]);
});

test('the password that was given is told once, and a refusal tells none', async () => {
  const { state, sent } = made({ body: { username: 'u1', logins: 2 } });
  assert.equal(await state.setPassword(account(1), 'abcd-efgh-jkmn'), true);
  assert.deepEqual(sent, [['accounts password', '/accounts/1/password', { password: 'abcd-efgh-jkmn' }]]);
  assert.deepEqual(state.told.value, { what: 'password', username: 'u1', password: 'abcd-efgh-jkmn', n: 2 });
  state.putAway();
  assert.equal(state.told.value, null);
  const refused = made({ error: new Error('no') });
  assert.equal(await refused.state.setPassword(account(1), 'abcd-efgh-jkmn'), false);
  assert.equal(refused.state.told.value, null);
});

test('rooms are saved over those that were shown, and the list is read again', async () => {
  const { state, sent } = made({ body: { username: 'u1', rooms: [8] } }, [account(1, { rooms: [{ id: 8, name: '第08考室' }] })]);
  await state.setRooms(account(1, { rooms: [{ id: 7, name: '第07考室' }] }), [8]);
  assert.deepEqual(sent[0][2], { room_ids: [8], seen: [7] });
  assert.deepEqual(state.list.value[0].rooms, [{ id: 8, name: '第08考室' }]);
});

test('an account that was added is open beside the list', async () => {
  const { state } = made({ body: { id: 9, username: 'u9' } });
  state.show('new');
  await state.add({ username: 'u9', name: '姓名9', role: 'office', password: 'abcd-efgh-jkmn', room_ids: [] });
  assert.equal(state.open.value, 9);
});
