/**
 * What the core is given instead of a browser: virtual time, a network with faults over the mock service, and stores
 * that can die at any step. Real parts wherever they run: the stores are the real memory store and (store.test.js) a
 * real IndexedDB implementation; the service keeps the real rules.
 */
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createApi, createServerRing } from '../../app/web/shared/api.js';
import { Refusal, createService } from './mock-server.mjs';

/** Lets everything that is already decided happen. fake-indexeddb answers in macrotasks, hence the many turns. */
export async function settle(turns = 12) {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

/** A monotonic clock and timers that move only by `advance`. */
export function createTime() {
  let now = 0;
  let ids = 0;
  const waiting = new Map();
  const time = {
    clock: { now: () => now },
    timers: {
      setTimeout(run, ms) {
        ids += 1;
        waiting.set(ids, { run, at: now + Math.max(0, ms), id: ids });
        return ids;
      },
      clearTimeout: (id) => void waiting.delete(id),
    },
    async advance(ms) {
      const until = now + ms;
      await settle();
      for (;;) {
        let next = null;
        for (const one of waiting.values()) if (!next || one.at < next.at || (one.at === next.at && one.id < next.id)) next = one;
        if (!next || next.at > until) break;
        waiting.delete(next.id);
        now = Math.max(now, next.at);
        next.run();
        await settle();
      }
      now = until;
      await settle();
    },
  };
  return time;
}

/** Reproducible numbers in [0, 1): mulberry32. */
export function createSeeded(seed) {
  let state = seed >>> 0;
  const unit = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const hex = (bytes) => Array.from({ length: bytes * 2 }, () => Math.floor(unit() * 16).toString(16)).join('');
  return { unit, hex, pick: (list) => list[Math.floor(unit() * list.length)] };
}

/**
 * `fetch` over services by origin. `faults` is used up one per request, then `mode` holds:
 * ok · drop (never arrives) · lose (done, reply lost) · hang (no answer, no error) · late (slow both ways) · html · json ·
 * empty · cut
 */
export function createNetwork(time, services) {
  const network = {
    mode: 'ok',
    faults: [],
    calls: [],
    /** Open event streams, oldest first: `push(event, data)`, `end()`. */
    streams: [],
    /** Before the service sees a call: `refuse(path)` may return {status, retry_after} to answer in its place. */
    refuse: () => null,
    /** Only requests whose path has this meet faults. */
    only: '/api/v1/attempt/',
    async fetch(address, init = {}) {
      const url = new URL(address, 'http://own');
      const service = services[url.origin === 'http://own' ? '' : url.origin];
      const call = { path: url.pathname, origin: url.origin, at: time.clock.now(), init };
      network.calls.push(call);
      const touched = url.pathname.includes(network.only) || url.pathname === '/livez';
      const fault = touched ? (url.pathname === '/livez' ? network.mode : (network.faults.shift() ?? network.mode)) : 'ok';
      call.fault = fault;
      if (fault === 'drop' || !service) throw new TypeError('Failed to fetch');
      if (fault === 'html') return new Response('<html>portal</html>', { status: 200 });
      if (fault === 'json') return new Response('{"ok": true, "items": []}', { status: 200 });
      if (fault === 'empty') return new Response('', { status: 200 });
      if (url.pathname === '/livez') {
        if (fault === 'hang') return hang(init.signal);
        return new Response('{}', { status: 200 });
      }
      const refusal = network.refuse(url.pathname);
      if (refusal) {
        const body = JSON.stringify({ code: 'overloaded', status: refusal.status, retry_after: refusal.retry_after });
        return new Response(body, { status: refusal.status, headers: { 'Retry-After': String(refusal.retry_after) } });
      }
      if (url.pathname.endsWith('/events')) return opened(service, init);
      const slow = () => (fault === 'late' ? new Promise((resolve) => void time.timers.setTimeout(resolve, 1500)) : null);
      await slow();
      const token = (init.headers?.Authorization ?? '').replace('Bearer ', '');
      let answer;
      try {
        const body = service.handle(init.method ?? 'GET', url.pathname, token, init.body ? JSON.parse(init.body) : undefined);
        answer = new Response(JSON.stringify(body), { status: 200 });
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const { retry_after } = error.params;
        answer = new Response(JSON.stringify({ code: error.code, status: error.status, ...error.params }), {
          status: error.status,
          headers: retry_after === undefined ? {} : { 'Retry-After': String(retry_after) },
        });
      }
      await slow();
      if (init.signal?.aborted) throw new DOMException('aborted', 'AbortError');
      if (fault === 'lose') throw new TypeError('Failed to fetch');
      if (fault === 'cut') return new Response((await answer.text()).slice(0, 40), { status: 200 });
      if (fault === 'hang') return hang(init.signal);
      return answer;
    },
  };

  /** A stream that begins with the snapshot and stays open until the test or the page ends it. */
  function opened(service, init) {
    const token = (init.headers?.Authorization ?? '').replace('Bearer ', '');
    let first;
    try {
      first = service.snapshotOf(token);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return new Response(JSON.stringify({ code: error.code }), { status: error.status });
    }
    const stream = { token, open: true };
    const body = new ReadableStream({
      start(controller) {
        const bytes = new TextEncoder();
        stream.push = (event, data) => controller.enqueue(bytes.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
        stream.end = () => {
          if (!stream.open) return;
          stream.open = false;
          network.streams.splice(network.streams.indexOf(stream), 1);
          controller.close();
        };
        init.signal?.addEventListener('abort', () => {
          if (!stream.open) return;
          stream.open = false;
          network.streams.splice(network.streams.indexOf(stream), 1);
          controller.error(new DOMException('aborted', 'AbortError'));
        });
      },
    });
    stream.push('snapshot', first);
    network.streams.push(stream);
    return new Response(body, { status: 200, headers: { 'Content-Type': 'text/event-stream' } });
  }

  return network;
}

function hang(signal) {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
  });
}

/** A store that dies before its n-th transaction commits: that one is lost, and nothing answers ever after. */
export function createMortal(base) {
  let left = Infinity;
  let dead = false;
  return {
    kind: base.kind,
    dieBefore: (n) => (left = n),
    isDead: () => dead,
    kill: () => (dead = true),
    transaction(mode, work, options) {
      if (!dead && mode === 'readwrite') {
        left -= 1;
        if (left <= 0) dead = true;
      }
      if (dead) return new Promise(() => {});
      return base.transaction(mode, work, options);
    },
    close() {},
  };
}

export const GRANT = {
  attempt: 'a-T',
  epoch: 1,
  lineage: 'lineage-1',
  token: 'a-T/1',
  ticket: 'T',
  servers: [],
  state: 'live',
  next_seq: 1,
  told: { lineage: 'lineage-1', count: 0 },
  registers: { position: 1, marked: [], elapsed_ms: 0 },
  registers_told: 'untold',
  who: { confirmed: true },
  receipt: null,
  hand_in_asked: false,
  superseded_by: null,
};

/** A world with one service, one attempt that is signed in, its store and a network. */
export async function createWorld({ store = createMemoryStore(), origins = [''], seed = 7 } = {}) {
  const time = createTime();
  const services = {};
  const service = createService({ now: () => 10_000 + time.clock.now() });
  for (const origin of origins) services[origin] = service;
  const network = createNetwork(time, services);
  const api = createApi({ fetch: network.fetch, timers: time.timers });
  const ring = createServerRing(origins.slice(1));
  const random = createSeeded(seed);
  service.handle('POST', '/api/v1/candidate/sign-in', '', { ticket: 'T', id_tail: '123456', lease_secret: 's', device_id: 'd' });
  service.log.length = 0;
  await store.transaction('readwrite', (tx) => tx.put('grants', GRANT));
  return { time, service, services, network, api, ring, random, store, attempt: service.attempts.get('a-T') };
}

/** Values by item, as the service holds them. */
export function held(attempt) {
  return Object.fromEntries([...attempt.responses].map(([item, { value }]) => [item, value]));
}

export const quietConnection = () => ({ ok() {}, failed() {} });
