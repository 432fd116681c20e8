import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keyAction } from '../../app/web/candidate/components/exam/keyboard.js';
import { filled, isAnswered, letter, picked, pictures, readPaper, storable } from '../../app/web/candidate/core/paper.js';
import { phaseOf } from '../../app/web/candidate/core/phase.js';
import { PAPER } from './mock-paper.mjs';

test('a paper is read whole or not at all', () => {
  const paper = readPaper(PAPER);
  assert.equal(paper.items.length, 100);
  assert.deepEqual(paper.items.map((item) => item.position), Array.from({ length: 100 }, (_unused, at) => at + 1));
  assert.equal(paper.sectionOf.get(paper.items[99].item), 4);
  assert.deepEqual(pictures(paper).sort(), ['/api/v1/attempt/media/curve', '/api/v1/attempt/media/dam']);
  for (const body of [null, {}, { sections: 1 }, { sections: [{}] }, { sections: [] }]) assert.equal(readPaper(body), null);
});

test('picking: one for single, a set for multiple, nothing left is a cleared answer', () => {
  const single = { type: 'single' };
  const multiple = { type: 'multiple' };
  assert.equal(picked(single, 'A', 'C'), 'C');
  assert.deepEqual(picked(multiple, null, 'C'), ['C']);
  assert.deepEqual(picked(multiple, ['C'], 'A'), ['A', 'C']);
  assert.deepEqual(picked(multiple, ['A', 'C'], 'A'), ['C']);
  assert.equal(picked(multiple, ['C'], 'C'), null);
});

test('blanks keep their places; all empty is a cleared answer', () => {
  const item = { type: 'blank', blanks: 3 };
  assert.deepEqual(filled(item, null, 1, '渗流'), ['', '渗流', '']);
  assert.deepEqual(filled(item, ['a', 'b', 'c'], 0, ''), ['', 'b', 'c']);
  assert.equal(filled(item, ['', 'b', ''], 1, ''), null);
});

test('half-filled is not answered', () => {
  const blank = { type: 'blank', blanks: 2 };
  assert.equal(isAnswered(blank, ['a', ' ']), false);
  assert.equal(isAnswered(blank, ['a', 'b']), true);
  assert.equal(isAnswered({ type: 'text' }, '  \n'), false);
  assert.equal(isAnswered({ type: 'multiple' }, []), false);
  assert.equal(isAnswered({ type: 'single' }, null), false);
  assert.equal(isAnswered({ type: 'single' }, 'A'), true);
});

test('text is typed as it can be stored: no NUL, no half of an emoji, rare characters whole', () => {
  assert.equal(storable('a\0b'), 'ab');
  assert.equal(storable('\ud83d'), '');
  assert.equal(storable('𠮷\ude00好😀'), '𠮷好😀');
});

const key = (name, change = {}) => ({ key: name, ctrlKey: false, altKey: false, metaKey: false, ...change });
const at = (change = {}) => ({ inText: false, options: 4, trueFalse: false, ...change });

test('keys: digits and letters pick by what is shown, in upper case, lower case and full width', () => {
  assert.equal(letter(0), 'A');
  for (const name of ['2', 'b', 'B', 'Ｂ', '２']) assert.deepEqual(keyAction(key(name), at()), { kind: 'pick', index: 1 });
  assert.equal(keyAction(key('5'), at()), null);
  assert.equal(keyAction(key('e'), at()), null);
  assert.deepEqual(keyAction(key('f'), at({ options: 2, trueFalse: true })), { kind: 'pick', index: 1 });
  assert.deepEqual(keyAction(key('m'), at()), { kind: 'mark' });
});

test('keys: left and right change the question, up and down walk without choosing', () => {
  assert.deepEqual(keyAction(key('ArrowRight'), at()), { kind: 'move', by: 1 });
  assert.deepEqual(keyAction(key('ArrowUp'), at()), { kind: 'walk', by: -1 });
  assert.equal(keyAction(key('ArrowDown'), at({ options: 0 })), null);
});

test('keys: in a text field only the page keys are ours, and nothing ever leaves the page', () => {
  for (const name of ['a', '1', 'm', 'ArrowLeft', 'Backspace']) assert.equal(keyAction(key(name), at({ inText: true })), null);
  assert.deepEqual(keyAction(key('PageDown'), at({ inText: true })), { kind: 'move', by: 1 });
  assert.deepEqual(keyAction(key('ArrowLeft', { altKey: true }), at({ inText: true })), { kind: 'swallow' });
  assert.deepEqual(keyAction(key('Backspace'), at()), { kind: 'swallow' });
  assert.equal(keyAction(key('a', { ctrlKey: true }), at()), null);
  assert.equal(keyAction(key('a', { isComposing: true }), at()), null);
});

const live = { state: 'live', receipt: null, who: { confirmed: true } };
const facts = (change = {}) => ({ lease: 'held', loaded: true, grant: live, merged: true, clockState: 'running', hasPaper: true, handingIn: false, ...change });

test('which screen is true', () => {
  assert.equal(phaseOf(facts()), 'exam');
  assert.equal(phaseOf(facts({ clockState: 'paused' })), 'exam');
  assert.equal(phaseOf(facts({ clockState: 'waiting', hasPaper: false })), 'notice');
  assert.equal(phaseOf(facts({ hasPaper: false })), 'notice');
  assert.equal(phaseOf(facts({ grant: { ...live, who: { confirmed: false } } })), 'identity');
  assert.equal(phaseOf(facts({ merged: false })), 'resuming');
  assert.equal(phaseOf(facts({ clockState: 'ended' })), 'time-up');
  assert.equal(phaseOf(facts({ handingIn: true })), 'handing-in');
  assert.equal(phaseOf(facts({ grant: { ...live, state: 'superseded' } })), 'replaced');
  assert.equal(phaseOf(facts({ grant: { ...live, state: 'closed' } })), 'closed');
  assert.equal(phaseOf(facts({ grant: { ...live, state: 'superseded', receipt: {} } })), 'receipt');
  assert.equal(phaseOf(facts({ grant: { ...live, state: 'signed-out' } })), 'sign-in');
  assert.equal(phaseOf(facts({ grant: null })), 'sign-in');
  assert.equal(phaseOf(facts({ loaded: false })), 'starting');
  assert.equal(phaseOf(facts({ lease: 'elsewhere' })), 'elsewhere');
});
