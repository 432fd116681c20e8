/** An export as the page takes it: progress and file out of one reply, wherever the network cuts it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createExports } from '../../app/web/console/core/exports.js';

const bytes = (text) => new TextEncoder().encode(text);
const FILE = '考号,姓名\n1,张三\n';
const SIZE = bytes(FILE).length;
const HEAD = `{"done": 0, "total": 2}\n{"done": 2, "total": 2}\n{"name": "a.csv", "type": "text/csv", "rows": 2, "size": ${SIZE}, "sha256": "ab"}\n`;

function desk(parts, status = 200) {
  const asked = [];
  const exports = createExports({
    fetch: async (path, options) => {
      asked.push([path, options.headers.Authorization]);
      const body = new ReadableStream({
        start(controller) {
          parts.forEach((part) => controller.enqueue(part));
          controller.close();
        },
      });
      return new Response(body, { status });
    },
    token: () => 'T', language: () => 'zh-CN', loginEnded: () => false,
  });
  return { exports, asked };
}

test('a reply cut anywhere gives the same progress and the same file', async () => {
  const whole = bytes(HEAD + FILE);
  for (const size of [1, 7, whole.length]) {
    const parts = [];
    for (let at = 0; at < whole.length; at += size) parts.push(whole.slice(at, at + size));
    const { exports, asked } = desk(parts);
    const seen = [];
    exports.running.subscribe((now) => now && seen.push(now.done));
    const file = await exports.start({ kind: 'answers', form: 'csv', exam: 3, session: 7 });
    assert.equal(await file.text(), FILE);
    assert.deepEqual([seen.at(0), seen[seen.length - 1], exports.running.value, exports.made.value.rows], [0, 2, null, 2]);
    assert.deepEqual(asked, [['/api/v1/staff/exports/answers?session=7&format=csv&language=zh&progress=1', 'Bearer T']]);
  }
});

test('a file that stopped half way is no file, and a refusal on the way is told', async () => {
  const short = desk([bytes(HEAD + FILE.slice(0, 4))]);
  assert.equal(await short.exports.start({ kind: 'answers', form: 'csv', exam: 3 }), null);
  assert.equal(short.exports.fault.value.name, 'NotOurs');
  assert.equal(short.asked[0][0].includes('exam=3'), true);
  const away = desk([bytes('{"done": 0, "total": 2}\n{"refused": {"code": "record-away", "detail_zh": "稍候"}}\n')]);
  assert.equal(await away.exports.start({ kind: 'answers', form: 'csv', exam: 3 }), null);
  assert.equal(away.exports.fault.value.code, 'record-away');
  const busy = desk([bytes('{"code": "export-under-way"}')], 409);
  assert.equal(await busy.exports.start({ kind: 'times', form: 'xlsx', exam: 3 }), null);
  assert.deepEqual([busy.exports.fault.value.status, busy.exports.made.value], [409, null]);
});
