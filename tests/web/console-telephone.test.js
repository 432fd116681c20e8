import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createActs } from '../../app/web/console/core/act.js';
import { createFaces } from '../../app/web/console/core/faces.js';
import { createPhotos } from '../../app/web/console/core/photos.js';
import { createTelephone } from '../../app/web/console/core/telephone.js';
import { createUpload } from '../../app/web/shared/upload.js';
import { createSeeded, createTime, settle } from './support.mjs';

const signalOf = (value) => ({ value });

test('whatever is done in a call says on whose word, and nothing after it', async () => {
  const toldBy = signalOf('');
  const telephone = createTelephone({ get: async () => ({ entries: [] }), loginEnded: () => false, toldBy, room: signalOf(1), session: signalOf(2) });
  const sent = [];
  const time = createTime();
  const act = createActs({
    api: { post: async (path, body, { headers }) => (sent.push(headers['Told-By']), { body: {} }) },
    timers: time.timers, random: createSeeded(1), clock: time.clock, token: () => 't', toldBy: () => toldBy.value,
  });
  telephone.ask();
  telephone.begin('  ');
  assert.equal(telephone.asking.value, true);
  await act('/before', {});
  telephone.begin(' 王老师 ');
  assert.equal(telephone.asking.value, false);
  await act('/meanwhile', {});
  telephone.end();
  await act('/after', {});
  assert.deepEqual(sent, [undefined, '%E7%8E%8B%E8%80%81%E5%B8%88', undefined]);
});

test('a repeated request keeps the word it was clicked under', async () => {
  let name = '王老师';
  const sent = [];
  const time = createTime();
  const act = createActs({
    api: {
      post: async (path, body, { headers }) => {
        sent.push(decodeURIComponent(headers['Told-By'] ?? ''));
        name = '';
        if (sent.length === 1) {
          const { Unreachable } = await import('../../app/web/shared/api.js');
          throw new Unreachable('', '');
        }
        return { body: {} };
      },
    },
    timers: time.timers, random: createSeeded(1), clock: time.clock, token: () => 't', toldBy: () => name,
  });
  const done = act('/one', {});
  await time.advance(5000);
  await done;
  assert.deepEqual(sent, ['王老师', '王老师']);
});

test('a photo is fetched once while the room is open, and nothing of it stays after', async () => {
  const asked = [];
  const forgotten = [];
  const faces = createFaces({
    file: async (path) => {
      asked.push(path);
      return path.includes('T2') ? { size: 0 } : { size: 1, path };
    },
    url: { make: (body) => `blob:${body.path}`, forget: (url) => forgotten.push(url) },
  });
  const one = faces.of(7, 'T1');
  one.look();
  one.look();
  faces.of(7, 'T1').look();
  faces.of(7, 'T2').look();
  await settle();
  assert.deepEqual(asked, ['/candidates/T1/photo?session=7', '/candidates/T2/photo?session=7']);
  assert.equal(one.face.value.state, 'ready');
  assert.equal(faces.of(7, 'T2').face.value.state, 'none');
  const late = faces.of(7, 'T3');
  late.look();
  faces.reset();
  await settle();
  assert.deepEqual(forgotten, ['blob:/candidates/T1/photo?session=7']);
  assert.equal(late.face.value.url, null);
});

/** The old request object, played by hand. */
class Request {
  upload = {};
  status = 0;
  responseText = '';
  headers = {};
  open(method, path) {
    Request.last = this;
    this.path = path;
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  send(body) {
    this.body = body;
  }
  getResponseHeader() {
    return null;
  }
  /** Some of the reply has come. */
  comes(text) {
    this.status = 200;
    this.responseText += text;
    this.onprogress();
  }
}

const photosOf = () =>
  createPhotos({
    get: async () => ({ exam: 'e', name: '考试', people: 2, missing: [] }),
    upload: createUpload(Request), random: createSeeded(1), headers: () => ({ Authorization: 'Bearer t' }), loginEnded: () => false,
  });

test('an archive tells how far it is, also where a line comes in pieces, and ends with a report', async () => {
  const photos = photosOf();
  const sent = photos.send(3, { name: '照片.zip', body: { size: 100 } }, { dryRun: true, skipFaulty: false });
  Request.last.upload.onprogress({ loaded: 40 });
  assert.deepEqual(photos.way.value, { phase: 'sending', done: 40, total: 100 });
  assert.match(Request.last.path, /exam=3&name=%E7%85%A7%E7%89%87\.zip&dry_run=true&skip_faulty=false/);
  assert.ok(Request.last.headers['Idempotency-Key']);
  Request.last.comes('{"done": 1, "to');
  assert.equal(photos.way.value.phase, 'sending');
  Request.last.comes('tal": 2}\n');
  assert.deepEqual(photos.way.value, { phase: 'reading', done: 1, total: 2 });
  Request.last.comes('{"report": {"state": "would-import"}}\n');
  Request.last.onload();
  await sent;
  assert.equal(photos.report.value.state, 'would-import');
  assert.equal(photos.way.value, null);
  assert.equal(photos.exam.value.people, 2);
});

test('a reply that is cut before its last line is not taken for success', async () => {
  const photos = photosOf();
  const sent = photos.send(3, { name: 'a.zip', body: { size: 1 } }, { dryRun: false, skipFaulty: false });
  Request.last.comes('{"done": 1, "total": 2}\n');
  Request.last.onload();
  await sent;
  assert.ok(photos.fault.value);
  const again = photos.send(3, { name: 'a.zip', body: { size: 1 } }, { dryRun: false, skipFaulty: false });
  Request.last.status = 422;
  Request.last.responseText = '{"code": "photos-encrypted"}';
  Request.last.onload();
  await again;
  assert.equal(photos.fault.value.code, 'photos-encrypted');
});

test('an import is stopped while the service reads too, and that is no fault', async () => {
  const photos = photosOf();
  const sent = photos.send(3, { name: 'a.zip', body: { size: 1 } }, { dryRun: false, skipFaulty: false });
  Request.last.comes('{"done": 1, "total": 2}\n');
  Request.last.abort = () => Request.last.onabort();
  photos.stop();
  await sent;
  assert.deepEqual([photos.stopped.value, photos.fault.value, photos.report.value, photos.way.value], [true, null, null, null]);
  photos.forget();
  assert.equal(photos.stopped.value, false);
});
