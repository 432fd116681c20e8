import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { STATES } from '../../app/web/console/core/room.js';
import english from '../../app/web/locales/console.en.js';
import chinese from '../../app/web/locales/console.zh-CN.js';

const ROOT = new URL('../../app/web/console/', import.meta.url).pathname;
const sources = readdirSync(ROOT, { recursive: true })
  .filter((name) => String(name).endsWith('.js'))
  .map((name) => readFileSync(join(ROOT, String(name)), 'utf8'));
const places = (message) => {
  const forms = typeof message === 'string' ? [message] : Object.values(message);
  return forms.map((form) => [...form.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort().join());
};

test('both languages have the same keys, in the same order, with the same places', () => {
  assert.deepEqual(Object.keys(chinese), Object.keys(english));
  for (const key of Object.keys(chinese)) {
    for (const form of places(english[key])) assert.equal(form, places(chinese[key])[0], key);
  }
});

test('every key that the console names exists', () => {
  const named = sources.flatMap((source) => [...source.matchAll(/['"`]([a-z]\w*(?:\.[\w-]+)+)['"`]/g)].map((match) => match[1]));
  const areas = new Set(Object.keys(chinese).map((key) => key.split('.')[0]));
  const keys = named.filter((name) => areas.has(name.split('.')[0]));
  assert.ok(keys.length > 60);
  for (const key of keys) assert.ok(key in chinese, key);
});

test('every key is used', () => {
  const all = sources.join('\n');
  const built = ['timing.kind.', 'timing.one.', 'timing.rooms.', 'timing.tab.', 'timing.mode.', 'timing.scope.', 'timing.do.', 'timing.field.', 'timing.reason.', 'timing.lacks.', 'timing.proposal.', 'timing.decision.', 'aside.state.', 'aside.type.', 'aside.verdict.', 'aside.told.', 'aside.confirm.', 'stores.', 'kind.', 'role.', 'session.', 'clock.', 'link.', 'reason.', 'spare.fault.', 'notice.', 'signIn.', 'discrepancy.identified.', 'discrepancy.lacks.', 'misconduct.', 'case.', 'misconduct.measure.', 'misconduct.kind.', 'misconduct.lacks.', 'incident.state.', 'incident.scope.', 'incident.lacks.', 'incident.write.', 'incident.turn.', 'door.told.', 'leave.', 'record.stands.', 'halt.', 'goOn.', 'views.', 'audit.head.', 'audit.key.', 'accounts.head.', 'accounts.state.', 'accounts.told.', 'hall.', 'password.wrong.', 'photos.', 'item.head.', 'print.', 'records.', 'site.tab.', 'site.session.', 'site.room.', 'site.told.', 'site.outcome.', 'site.count.', 'site.job.', 'site.stage.', 'site.faults.', 'site.import.'];
  for (const key of Object.keys(chinese)) {
    if (built.some((prefix) => key.startsWith(prefix))) continue;
    assert.ok(all.includes(`'${key}'`), key);
  }
});

test('what the service can say has words', () => {
  for (const state of STATES) assert.ok(`kind.${state}` in chinese, state);
  for (const role of ['invigilator', 'chief', 'office', 'admin', 'auditor', 'inspector']) assert.ok(`role.${role}` in chinese);
  for (const state of ['planned', 'waiting', 'running', 'ended', 'held']) assert.ok(`session.${state}` in chinese);
  for (const type of ['single', 'multiple', 'true_false', 'blank', 'text']) assert.ok(`aside.type.${type}` in chinese);
  for (const state of ['open', 'ended', 'final']) assert.ok(`aside.state.${state}` in chinese);
});

test('no text stands in a component: everything visible is in the catalogues', () => {
  for (const source of sources) {
    const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
    assert.doesNotMatch(code, /[\u4e00-\u9fff]/);
  }
});

test('the page holds no inline script or style', () => {
  const page = readFileSync(join(ROOT, 'index.html'), 'utf8');
  assert.doesNotMatch(page, /<style|style=|onclick=|<script(?![^>]*\bsrc=)/i);
});
