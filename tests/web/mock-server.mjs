/**
 * The candidate's protocol without stores: for looking at the page and for tests of the core against a whole service.
 * It keeps the rules that a browser can notice (epochs, revisions, sequence numbers, lineage, the clock), nothing else.
 *
 *   node tests/web/mock-server.mjs [port]        serves app/web and the API; any ticket signs in with tail 123456
 *   POST /mock {"mode": "ok|503|buffered|silent", "clock": {…}, "supersede": true, "lineage": "…", "event": "paused",
 *     "notice": {"kind": …, "zh": …, "en": …}, "reopen": true, "explain": {"zh": …, "en": …}}
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { PAPER, PICTURES } from './mock-paper.mjs';

const WEB = new URL('../../app/web/', import.meta.url);
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
export const TAIL = '123456';

export class Refusal extends Error {
  constructor(status, code, params = {}) {
    super(code);
    this.status = status;
    this.code = code;
    this.params = params;
  }
}

const newer = (a, b) => a.epoch - b.epoch || a.rev - b.rev;

/** The service's side of one or many attempts, in memory. `now` is service time in ms. */
export function createService({ now }) {
  const service = {
    mode: 'ok',
    lineage: 'lineage-1',
    clock: { startsAt: 0, remainingAt: 0, remaining_ms: 90 * 60_000, state: 'running', because: [] },
    attempts: new Map(),
    /** {id, kind, zh, en} */
    notices: [],
    explain: { zh: '结束时间 10:00:00', en: 'Ends at 10:00:00' },
    earliestMs: 0,
    /** Every request that reached the service, for tests. */
    log: [],
  };

  const clock = (attempt) => {
    const { state, because } = service.clock;
    const at = now();
    if (attempt?.final) return { service_ms: at, remaining_ms: 0, state: 'final', starts_in_ms: null, ends_at: null, because };
    const paused = state === 'paused' && service.clock.startsAt > at;
    const startsIn = state === 'waiting' || paused ? Math.max(0, service.clock.startsAt - at) : null;
    const ran = state === 'running' ? at - service.clock.remainingAt : 0;
    const remaining = Math.max(0, service.clock.remaining_ms - ran);
    const now_ = state === 'running' && remaining === 0 ? 'ended' : state;
    return {
      service_ms: at,
      remaining_ms: now_ === 'ended' ? 0 : remaining,
      state: now_,
      starts_in_ms: startsIn,
      ends_at: new Date(Date.now() + remaining).toISOString(),
      because,
    };
  };

  const who = (attempt) => ({
    candidate: { name: attempt.name, ticket: attempt.ticket, id_masked: '330100********4125', gender: '女', specialty: '水利工程施工与管理' },
    exam: { name: '水利工程专业高级工程师资格考试' },
    session: { number: 1, name: '第一场 综合知识', planned_start: '2026-11-23T08:30:00+08:00', duration_ms: 5_400_000, earliest_hand_in_ms: service.earliestMs },
    seat: attempt.seat,
  });

  const byToken = (token, path) => {
    const [id, epoch] = String(token ?? '').split('/');
    const attempt = service.attempts.get(id);
    if (!attempt) throw new Refusal(401, 'bad-token');
    // Signed, and never granted here: the record was put back.
    if (Number(epoch) > attempt.epoch && !path.endsWith('/lease')) throw new Refusal(401, 'grant-lost');
    return { attempt, epoch: Number(epoch) };
  };

  const view = (attempt, extra = {}) => ({
    attempt_id: attempt.id,
    lineage: service.lineage,
    epoch: attempt.epoch,
    state: clock(attempt).state,
    clock: clock(attempt),
    position: attempt.position,
    marked: attempt.marked,
    responses: Object.fromEntries([...attempt.responses].map(([item, { epoch, rev, value }]) => [item, { epoch, rev, value, status: 'durable' }])),
    stranded: attempt.stranded,
    count: attempt.count,
    acked_seq: attempt.seq,
    elapsed_ms: attempt.elapsed_ms,
    receipt: attempt.receipt,
    ...who(attempt),
    ...extra,
  });

  const write = (attempt, epoch, body) => {
    const fenced = epoch !== attempt.epoch;
    const over = clock(attempt).state === 'ended';
    const endMs = service.clock.remainingAt + service.clock.remaining_ms;
    const buffered = service.mode === 'buffered';
    const items = body.responses.map(({ item, rev, value, at_ms }) => {
      // What is already in the record is no late write: only its reply was lost.
      const key = JSON.stringify([item, epoch, rev, value]);
      const why = fenced ? 'old_epoch' : attempt.final ? 'final' : over && at_ms >= endMs ? 'ended' : null;
      if (why && attempt.history.has(key)) return { item, rev, status: 'durable' };
      if (why) {
        attempt.stranded.push({ item, value, epoch, rev, reason: why });
        return { item, rev, status: 'stranded', code: why };
      }
      if (value === '拒绝') return { item, rev, status: 'refused', code: 'bad-value' };
      attempt.history.add(key);
      if (buffered) attempt.buffered.push({ item, rev, epoch });
      const held = attempt.responses.get(item);
      if (!held || newer({ epoch, rev }, held) > 0) {
        attempt.responses.set(item, { epoch, rev, value, at_ms });
        attempt.count += 1;
      }
      return { item, rev, status: buffered ? 'buffered' : 'durable' };
    });
    if (fenced) throw new Refusal(409, 'superseded', { seat: `${attempt.seat.room} ${attempt.seat.seat}`, items });
    if (attempt.final) throw new Refusal(409, 'closed', { items, clock: clock(attempt) });
    attempt.seq = Math.max(attempt.seq, body.seq);
    attempt.position = body.position ?? attempt.position;
    attempt.marked = body.marked ?? attempt.marked;
    attempt.elapsed_ms = Math.max(attempt.elapsed_ms, body.elapsed_ms ?? 0);
    return {
      acked_seq: attempt.seq,
      durability: buffered ? 'buffered' : 'durable',
      items,
      count: buffered ? null : attempt.count,
      lineage: service.lineage,
      epoch,
      copies: 2,
      state: clock(attempt).state,
      clock: clock(attempt),
      notices: service.notices.filter((notice) => !attempt.shown.has(notice.id)),
    };
  };

  service.clockOf = clock;
  /** The first event of a stream. */
  service.snapshotOf = (token) => {
    const { attempt } = byToken(token, '');
    const { attempt_id, epoch, state, count, lineage, clock: now_ } = view(attempt);
    return { attempt_id, epoch, state, count, lineage, clock: now_ };
  };
  /** One request; returns the body or throws a Refusal. */
  service.handle = (method, path, token, body) => {
    service.log.push({ method, path, token, body: body && JSON.parse(JSON.stringify(body)), at: now() });
    if (service.mode === '503') throw new Refusal(503, 'unavailable', { retry_after: 1 });
    if (path === '/api/v1/candidate/sign-in') return signIn(body);
    const { attempt, epoch } = byToken(token, path);
    if (path === '/api/v1/attempt/lease') return showLease(attempt, epoch, body);
    if (path === '/api/v1/attempt/event-receipts') {
      for (const id of body.notices) attempt.shown.add(id);
      attempt.receipts.push(...body.notices);
      return {};
    }
    if (path === '/api/v1/attempt/time') {
      return { lines: clock(attempt).because, explain_zh: service.explain.zh, explain_en: service.explain.en };
    }
    if (path === '/api/v1/attempt/checkpoints') return write(attempt, epoch, body);
    if (path === '/api/v1/attempt/hand-in') return handIn(attempt, epoch, body);
    if (epoch !== attempt.epoch) throw new Refusal(409, 'superseded', { seat: `${attempt.seat.room} ${attempt.seat.seat}`, items: [] });
    if (path === '/api/v1/attempt') return view(attempt);
    if (path === '/api/v1/attempt/ready') {
      const gap_ms = attempt.gap_ms;
      attempt.gap_ms = 0;
      return { clock: clock(attempt), gap_ms };
    }
    if (path === '/api/v1/attempt/paper') {
      const { state } = clock(attempt);
      if (state === 'waiting' || (state === 'paused' && service.clock.startsAt > now())) throw new Refusal(403, 'not-started');
      if (service.clock.neverRan) {
        service.clock.neverRan -= 1;
        throw new Refusal(403, 'paused-at-start');
      }
      return PAPER;
    }
    throw new Refusal(404, 'not-found');
  };

  function signIn({ ticket, id_tail, device_id, lease_secret, seat }) {
    if (id_tail !== TAIL) throw new Refusal(401, 'sign-in-failed', { attempts_left: 4 });
    if (ticket === 'EARLY') throw new Refusal(403, 'not-open', { opens_in_ms: 754_000 });
    let attempt = service.attempts.get(`a-${ticket}`);
    if (!attempt) {
      attempt = {
        id: `a-${ticket}`, ticket, name: '欧阳若水', epoch: 0, secret: null, seq: 0, count: 0, responses: new Map(), history: new Set(), stranded: [], buffered: [],
        position: 1, marked: [], elapsed_ms: 0, final: false, receipt: null, gap_ms: 0, reopenedSeq: 0, shown: new Set(), receipts: [],
        seat: { building: '实训楼A', room: '第07考室', room_number: 'A203', seat: seat?.seat ?? '12' },
      }; // prettier-ignore
      service.attempts.set(attempt.id, attempt);
    }
    const same = attempt.secret !== null && attempt.secret === lease_secret;
    if (!same) {
      if (attempt.epoch > 0 && !attempt.moved) throw new Refusal(409, 'lease-held', { seat: attempt.seat.seat, last_seen_s: 12 });
      if (attempt.moved) attempt.gap_ms = 150_000;
      attempt.moved = false;
      attempt.epoch += 1;
      attempt.secret = lease_secret;
      Object.assign(attempt, { seq: 0, reopenedSeq: 0 });
    }
    const token = `${attempt.id}/${attempt.epoch}`;
    return { ...view(attempt), token, device_id, lease_secret, next_seq: attempt.seq + 1, servers: [] };
  }

  /** The office opens it again. */
  service.reopen = (attempt) => Object.assign(attempt, { final: false, receipt: null, reopenedSeq: attempt.seq });

  /** What the drain would push now: all that is buffered has become durable. */
  service.drained = (attempt) => {
    const items = attempt.buffered.splice(0).map((one) => ({ ...one, status: 'durable' }));
    return { items, count: attempt.count, lineage: service.lineage };
  };

  function showLease(attempt, epoch, { lease_secret }) {
    if (epoch < attempt.epoch || (epoch === attempt.epoch && attempt.secret !== lease_secret)) {
      throw new Refusal(409, 'superseded', { seat: '', items: [] });
    }
    Object.assign(attempt, { epoch, secret: lease_secret });
    return view(attempt);
  }

  function handIn(attempt, epoch, body) {
    if (clock(attempt).state === 'paused') throw new Refusal(409, 'attempt-paused');
    if (service.earliestMs > 0) throw new Refusal(403, 'too-early-to-hand-in', { in_ms: service.earliestMs });
    let reply;
    try {
      reply = write(attempt, epoch, body);
    } catch (error) {
      if (error.code !== 'closed') throw error;
      reply = { items: error.params.items, clock: error.params.clock, durability: 'durable' };
    }
    const less = 'count' in reply && (reply.lineage !== (body.lineage ?? reply.lineage) || reply.count < (body.count ?? 0));
    const early = body.time_up && !['ended', 'final'].includes(clock(attempt).state);
    if (reply.durability === 'buffered' || less) return { ...reply, receipt: null };
    if (early || (!attempt.final && body.seq <= attempt.reopenedSeq)) return { ...reply, receipt: null, hand_in_void: true };
    if (!attempt.final) {
      attempt.final = true;
      const values = [...attempt.responses.values()].filter(({ value }) => value !== null);
      attempt.receipt = {
        count: attempt.count, answered: values.length, total: 100, handed_in_at: new Date().toISOString(), service_ms: now(),
        reason: body.time_up ? 'time_out' : 'hand_in', answers_hash: '4b1f 90ce 77d2', chain: 'ab12', ticket: attempt.ticket, name: attempt.name,
        session: '第一场 综合知识', seat: `${attempt.seat.room} ${attempt.seat.seat}`,
      }; // prettier-ignore
    }
    return { ...reply, receipt: attempt.receipt, state: 'final', clock: clock(attempt) };
  }

  return service;
}

const WORDS = {
  'sign-in-failed': ['准考证号或证件后六位不正确，请核对后重试。', 'Ticket or ID digits are wrong. Check and try again.'],
  'lease-held': ['您已在 12 号机位登录（12 秒前仍在线）。需要换机请举手，由监考人员操作。', 'You are signed in at seat 12 (seen 12 s ago). To move, raise your hand.'],
  'not-open': ['本场考试尚未开放登录，请稍候。', 'Sign-in for this session is not open yet. Please wait.'],
};

function problem(error) {
  const [zh, en] = WORDS[error.code] ?? [error.code, error.code];
  return { type: `urn:holdfast:${error.code}`, title: error.code, status: error.status, code: error.code, detail: zh, detail_zh: zh, detail_en: en, ...error.params };
}

/** HTTP around the service. */
export function createMockServer() {
  const began = performance.now();
  const service = createService({ now: () => Math.round(performance.now() - began) + 1000 });
  const streams = new Set();

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    const send = (status, type, body, headers = {}) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
      response.end(body);
    };
    const json = (status, value, headers) => send(status, 'application/json', JSON.stringify(value), headers);
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;

    if (url.pathname === '/livez') return service.mode === 'silent' ? request.socket.destroy() : json(200, { ok: true });
    if (url.pathname === '/mock') {
      if (body.mode) service.mode = body.mode;
      if (body.lineage) service.lineage = body.lineage;
      if (body.notice) service.notices.push({ id: service.notices.length + 1, kind: 'notice', ...body.notice });
      if (body.explain) service.explain = body.explain;
      if (body.reopen) for (const attempt of service.attempts.values()) service.reopen(attempt);
      if (body.earliestMs !== undefined) service.earliestMs = body.earliestMs;
      if (body.clock) {
        const at = service.clockOf(null).service_ms;
        service.clock = { ...service.clock, remainingAt: at, ...body.clock };
        if (body.clock.startsInMs) service.clock.startsAt = at + body.clock.startsInMs;
      }
      for (const attempt of service.attempts.values()) {
        if (body.supersede) Object.assign(attempt, { epoch: attempt.epoch + 1, secret: null, seat: { ...attempt.seat, seat: '备2' } });
        if (body.relog) Object.assign(attempt, { moved: true, secret: null });
      }
      const told = { clock: service.clockOf(null), ...(body.notice ? { notice: service.notices[service.notices.length - 1] } : {}) };
      for (const stream of streams) stream.write(`event: ${body.event ?? 'clock'}\ndata: ${JSON.stringify(told)}\n\n`);
      return json(200, { ok: true });
    }
    if (url.pathname.startsWith('/api/')) {
      if (service.mode === 'silent') return request.socket.destroy();
      const token = (request.headers.authorization ?? '').replace(/^Bearer /, '');
      try {
        if (url.pathname === '/api/v1/attempt/events') {
          service.handle('GET', '/api/v1/attempt', token);
          response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
          response.write(`event: snapshot\ndata: ${JSON.stringify(service.snapshotOf(token))}\n\n`);
          streams.add(response);
          response.on('close', () => streams.delete(response));
          return undefined;
        }
        // Nobody of the mock has a photo.
        if (url.pathname === '/api/v1/attempt/photo') return send(204, 'text/plain', '');
        const sha = /^\/api\/v1\/attempt\/media\/(\w+)$/.exec(url.pathname)?.[1];
        if (sha && PICTURES[sha]) return send(200, 'image/svg+xml', PICTURES[sha]);
        return json(200, service.handle(request.method, url.pathname, token, body));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const headers = error.params.retry_after ? { 'Retry-After': String(error.params.retry_after) } : {};
        return send(error.status, 'application/problem+json', JSON.stringify(problem(error)), headers);
      }
    }
    const path = url.pathname === '/' ? 'candidate/index.html' : normalize(url.pathname).replace(/^\/web\//, '');
    try {
      const file = await readFile(new URL(path, WEB));
      return send(200, TYPES[extname(path)] ?? 'application/octet-stream', file, {
        'Content-Security-Policy': "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'",
      });
    } catch {
      return send(404, 'text/plain', 'not here');
    }
  });
  return { server, service };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { server } = createMockServer();
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${server.address().port}/\n`);
  });
}
