/** The words on which a candidate acts, in both languages. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import english from '../../app/web/locales/candidate.en.js';
import chinese from '../../app/web/locales/candidate.zh-CN.js';
import { endTexts } from '../../app/web/candidate/core/receipt.js';
import { saveWord, tally } from '../../app/web/candidate/core/state.js';

test('buffered is never shown as saved, in either language', () => {
  const word = (...states) => saveWord(tally(states.map((state) => ({ state }))));
  assert.equal(word('durable', 'buffered', 'durable'), 'buffered');
  assert.equal(word('durable', 'stranded'), 'saved');
  assert.equal(chinese['save.buffered'], '已缓存');
  assert.equal(chinese['save.saved'], '已保存');
  for (const texts of [chinese, english]) {
    const words = ['empty', 'local', 'sending', 'buffered', 'saved'].map((one) => texts[`save.${one}`]);
    assert.equal(new Set(words).size, words.length, words.join());
    for (const one of ['local', 'sending', 'buffered', 'saved']) assert.ok(texts[`save.about.${one}`], one);
  }
});

test('the server is away: nothing to do. This PC is offline: raise your hand. Never both', () => {
  for (const [texts, hand, nothing] of [
    [chinese, /举手/, /不需要任何操作/],
    [english, /raise your hand/i, /nothing to do/i],
  ]) {
    const away = `${texts['connection.away']} ${texts['connection.away.more']}`;
    const offline = `${texts['connection.offline']} ${texts['connection.offline.more']}`;
    assert.match(away, nothing);
    assert.doesNotMatch(away, hand);
    assert.match(offline, hand);
    assert.doesNotMatch(offline, nothing);
    assert.match(texts['connection.unsure'], hand);
  }
});

test('a receipt says when the candidate handed in only to who did', () => {
  const whole = (texts, reason) => ['title', 'time'].map((part) => texts[endTexts(reason)[part]]);
  for (const [texts, handedIn] of [
    [chinese, /交卷/],
    [english, /handed in/i],
  ]) {
    const reasons = ['hand_in', 'time_out', 'forced', 'deferred'];
    const times = reasons.map((reason) => whole(texts, reason)[1]);
    assert.equal(new Set(times).size, reasons.length, times.join());
    assert.match(times[0], handedIn);
    for (const time of times.slice(1)) assert.doesNotMatch(time, handedIn);
    assert.equal(new Set(reasons.map((reason) => whole(texts, reason)[0])).size, reasons.length);
  }
});
