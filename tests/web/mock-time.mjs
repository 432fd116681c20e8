/**
 * The staff's calls about time without stores: for looking at the timing desk and for tests of its core. It keeps what
 * a page can notice (effects, digests, who may approve, what is taken back), none of the rules of the ledger.
 *
 *   node tests/web/mock-time.mjs [port]        serves the console with 47 rooms; any password signs in
 *   sign in as `office`, `second` (who may approve) or `invigilator`
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Refusal } from './mock-server.mjs';

const WEB = new URL('../../app/web/', import.meta.url);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };
const MINUTE = 60_000;
const START = Date.parse('2026-07-20T00:30:00Z'); // 08:30 in Shanghai
const CAP_MS = 60 * MINUTE;
const iso = (at) => new Date(at).toISOString();
const clock = (at) => new Date(at + 8 * 3600_000).toISOString().slice(11, 19);
export const REASONS = [
  { code: 'power', zh: '断电', en: 'power cut' }, { code: 'network', zh: '网络故障', en: 'network failure' },
  { code: 'medical', zh: '突发疾病', en: 'sudden illness' }, { code: 'other', zh: '其他', en: 'other' },
  { code: 'relog', zh: '换机', en: 'move to another seat', automatic: true },
];
const OFFICE = ['decide-stranded', 'mark-seat', 'relog', 'rounds-decide', 'time-decide', 'time-pause-one', 'time-propose', 'time-view', 'view-stranded'];
const PEOPLE = {
  office: { name: '苏望舒', role: 'office', may: OFFICE },
  second: { name: '顾行之', role: 'office', may: OFFICE },
  invigilator: { name: '高明', role: 'invigilator', may: ['mark-seat', 'relog', 'time-pause-one', 'time-propose', 'time-view'] },
};

/** `now` is wall time in ms. */
export function createTimeService({ now = () => START + 40 * MINUTE, rooms: many = 47 } = {}) {
  const buildings = ['实训楼A', '实训楼B', '现教南楼'];
  const rooms = Array.from({ length: many }, (_, n) => {
    const building = Math.floor((n * buildings.length) / many);
    return { id: n + 1, name: `第${String(n + 1).padStart(2, '0')}考室`, number: '', building: buildings[building], building_id: building + 1, exam_id: 1, candidates: 40 };
  });
  const sessions = ['第一场 综合知识', '第二场 专业实务', '第三场 案例分析'].map((name, n) => ({
    id: 7 + n, exam_id: 1, number: n + 1, name, planned_start: iso(START + n * 120 * MINUTE), duration_ms: 90 * MINUTE,
    state: n === 0 ? 'running' : 'planned', room_ids: rooms.map(({ id }) => id),
  }));
  const service = { log: [], entries: [], proposals: [], decisions: [], notices: [], held: [], outages: [], sessions, rooms, replies: new Map(), lost: new Set() };
  let ids = 0;

  const roomsOf = (scope) => {
    if (scope.kind === 'site') return rooms;
    if (scope.kind === 'building') return rooms.filter((room) => scope.buildings.includes(room.building_id));
    if (scope.kind === 'room') return rooms.filter((room) => scope.rooms.includes(room.id));
    return rooms.slice(0, 1);
  };
  const undone = (entry) => service.entries.some((one) => one.refers_id === entry.id && one.kind === 'undo' && !undone(one));
  const live = () => service.entries.filter((entry) => entry.kind !== 'undo' && !undone(entry));
  const touching = (room) => live().filter((entry) => entry.rooms.includes(room.id) && !['list', 'candidate'].includes(entry.scope));
  const resumeOf = (pause) => live().find((entry) => entry.kind === 'resume' && entry.refers_id === pause.id);
  const spansOf = (room) =>
    touching(room).filter(({ kind }) => kind !== 'resume').map((entry) => {
      const until = entry.kind === 'pause' ? (resumeOf(entry)?.to_at ?? null) : entry.to_at;
      const at = START + 90 * MINUTE;
      if (entry.amount_ms) {
        const from = entry.kind === 'postpone' ? START : at;
        return { kind: entry.kind, from_at: iso(from), to_at: iso(from + entry.amount_ms), entry: entry.id, scope: entry.scope };
      }
      return { kind: entry.kind, from_at: entry.from_at, to_at: until, entry: entry.id, scope: entry.scope };
    });
  const lostOf = (room) =>
    spansOf(room).reduce((sum, { from_at: from, to_at: to }) => sum + Math.max(0, (to ? Date.parse(to) : now()) - Date.parse(from)), 0);
  const told = (room) => {
    const spans = spansOf(room);
    const paused = spans.some(({ kind, to_at: to }) => kind === 'pause' && to === null) ? 40 : 0;
    const lost_ms = lostOf(room);
    const { id, name, building, building_id, candidates } = room;
    return { id, name, building, building_id, candidates, paused, lost_ms, spans, end_at: paused ? null : iso(START + 90 * MINUTE + lost_ms) };
  };
  const digest = () => `${service.entries.length}`;

  const effectOf = (body) => {
    const about = body.entry ? service.entries.find(({ id }) => id === body.entry) : null;
    const scoped = about ? rooms.filter(({ id }) => about.rooms.includes(id)) : roomsOf(body.scope);
    if (body.action === 'undo' && about && undone(about)) throw new Refusal(409, 'nothing-to-undo');
    const single = ['candidate', 'list'].includes(body.scope.kind) && !about;
    const people = single ? (body.scope.tickets?.length ?? 1) : scoped.reduce((sum, { candidates }) => sum + candidates, 0);
    const more = body.ms ?? (body.to_at ? Date.parse(body.to_at) - Date.parse(body.from_at) : 0);
    const lost = Math.max(0, ...scoped.map(lostOf)) + more;
    const over = lost > CAP_MS && !body.decision;
    const end = START + 90 * MINUTE + lost;
    const pausing = body.action === 'pause';
    return {
      rooms: scoped.length, candidates: people, left_out: body.action === 'pause' ? [{ code: 'handed-in', count: 2, zh: '已交卷', en: 'handed in' }] : [],
      starts: null, ends: pausing ? null : { from: iso(end), to: iso(end) },
      refused: over ? { code: 'over-cap', zh: '超过上限', en: 'over the cap' } : null,
      over_cap: over ? Array.from({ length: 12 }, (_, n) => ({ ticket: `2026000${10 + n}`, name: `考生${n + 1}`, room: scoped[0].name, seat: String(n + 1), lost_ms: lost })) : [],
      follows: body.action === 'postpone' && body.ms > 15 * MINUTE ? { session: { id: 8, number: 2, name: sessions[1].name }, candidates: people, ms: body.ms, starts: { from: sessions[1].planned_start, to: iso(START + 120 * MINUTE + body.ms) }, zh: '两场之间不足 15 分钟。', en: 'Less than 15 minutes between the sessions.' } : null,
      zh: `${scoped.length} 个考室、${people} 人，${pausing ? '时钟停住' : `新的结束时间 ${clock(end)}`}`,
      en: `${scoped.length} rooms, ${people} candidates, ${pausing ? 'clocks stop' : `new end ${clock(end)}`}`,
    };
  };
  const enter = (body, by) => {
    const about = body.entry ? service.entries.find(({ id }) => id === body.entry) : null;
    const scoped = about ? rooms.filter(({ id }) => about.rooms.includes(id)) : roomsOf(body.scope);
    const at = now();
    const buildingNames = [...new Set(scoped.map(({ building }) => building))];
    const entry = {
      id: (ids += 1), kind: body.action, scope: about?.scope ?? body.scope.kind, rooms: scoped.map(({ id }) => id),
      scope_names: about?.scope_names ?? (body.scope.kind === 'building' ? buildingNames : body.scope.kind === 'site' ? [] : scoped.map(({ name }) => name)),
      candidates: scoped.reduce((sum, { candidates }) => sum + candidates, 0), amount_ms: body.ms ?? null,
      from_at: body.action === 'pause' ? (body.from_at ?? iso(at)) : (body.from_at ?? null), to_at: body.action === 'resume' ? iso(at) : (body.to_at ?? null),
      refers_id: body.entry ?? null, reason: body.reason, note: body.note ?? '', incident: body.incident ?? '', by: by.name, decision: null, made_ms: at - START, made_at: iso(at),
    };
    service.entries.push(entry);
    const reached = Math.max(0, entry.candidates - (ids % 3) * 3);
    service.notices.push({ id: ids, zh: `${entry.kind}：${entry.note || entry.reason}`, en: entry.kind, made_at: iso(at), shown: reached, of: entry.candidates, absent: 0 });
    return entry;
  };
  service.enter = (body, by = PEOPLE.office) => enter({ scope: { kind: 'site' }, reason: 'power', ...body }, by);
  service.view = (id) => {
    const session = sessions.find((one) => one.id === Number(id));
    if (!session) throw new Refusal(404, 'not-found');
    const shown = rooms.map(told);
    const ends = shown.map(({ end_at: end }) => end);
    return {
      session: { id: session.id, name: session.name, timezone: 'Asia/Shanghai' }, cap_ms: CAP_MS,
      planned: { start_at: session.planned_start, end_at: iso(Date.parse(session.planned_start) + 90 * MINUTE) },
      actual: { start_at: iso(START), end_at: ends.includes(null) ? null : ends.sort().pop() },
      rooms: shown, outages: service.outages, held: service.held, proposals: service.proposals, decisions: service.decisions,
      entries: service.entries.map((entry) => ({ ...entry, live: !undone(entry), open: entry.kind === 'pause' && !undone(entry) && !resumeOf(entry) })),
      notices: service.notices, reasons: REASONS, now_ms: now() - START, now_at: iso(now()),
    };
  };

  /** One request by a member of staff; returns the body or throws a Refusal. */
  service.handle = (method, path, who, body, key) => {
    service.log.push({ method, path, who, body, key });
    const by = { username: who, ...PEOPLE[who] };
    const change = (act) => {
      if (!key) throw new Refusal(400, 'idempotency-key-needed');
      if (!service.replies.has(key)) service.replies.set(key, act());
      return service.replies.get(key);
    };
    let found;
    if (path === '/sessions') return { sessions };
    if (path === '/me') return { staff: { ...by, rooms } };
    if (path === '/stranded/counts') return { sessions: [] };
    if ((found = /^\/time\/sessions\/(\d+)$/.exec(path))) return service.view(found[1]);
    if ((found = /^\/rooms\/(\d+)$/.exec(path))) return picture(Number(found[1]));
    if ((found = /^\/attempts\/([\w-]+)\/time$/.exec(path))) return { explain_zh: '结束时间 10:03:12 = 10:00:00 + 考室断电 2:30 + 换机 0:42', explain_en: 'End 10:03:12 = 10:00:00 + power cut 2:30 + move 0:42', lines: [] };
    if (path.startsWith('/time/candidates')) {
      const query = new URL(path, 'http://mock').searchParams.get('query');
      return { candidates: [1, 2, 3].map((n) => ({ attempt_id: `a${n}`, ticket: `202600${n}`, name: `欧阳若水${n}`, room: '第03考室', seat: String(n) })).filter(({ name, ticket }) => name.includes(query) || ticket.includes(query)) };
    }
    if (path === '/time/preview') return { effect: effectOf(body), seen: digest() };
    if (path === '/time/actions') {
      return change(() => {
        const effect = effectOf(body);
        if (body.seen !== undefined && body.seen !== digest()) throw new Refusal(409, 'time-changed');
        if (effect.over_cap.length) throw new Refusal(409, 'over-cap');
        const entry = enter(body, by);
        return { entry, effect, notice: entry.id };
      });
    }
    if ((found = /^\/time\/notices\/(\d+)$/.exec(path))) {
      const notice = service.notices.find(({ id }) => id === Number(found[1]));
      const missing = Array.from({ length: notice.of - notice.shown }, (_, n) => ({ room: '第07考室', seat: String(n + 1), ticket: `2026007${n}`, name: `考生${n + 1}` }));
      return { shown: notice.shown, of: notice.of, absent: notice.absent, missing };
    }
    if (path === '/time/decisions') return change(() => void service.decisions.push({ id: (ids += 1), state: 'proposed', proposed_by: by.name, proposed_by_username: who, approved_by: null, scope: body.scope.kind, scope_names: roomsOf(body.scope).map(({ name }) => name), ...body }) || {});
    if ((found = /^\/time\/decisions\/(\d+)\/(approve|withdraw)$/.exec(path))) {
      return change(() => {
        const one = service.decisions.find(({ id }) => id === Number(found[1]));
        if (found[2] === 'approve' && one.proposed_by === by.name) throw new Refusal(403, 'second-person-needed');
        Object.assign(one, found[2] === 'approve' ? { state: 'approved', approved_by: by.name } : { state: 'withdrawn' });
        return {};
      });
    }
    if (path === '/time/proposals') return change(() => void service.proposals.push({ id: (ids += 1), kind: 'asked', state: 'open', scope: body.scope.kind, scope_names: ['2026001'], candidates: 1, from_at: body.from_at, to_at: body.to_at, amount_ms: Date.parse(body.to_at) - Date.parse(body.from_at), reason: body.reason, note: body.note, zh: `${by.name} 申请补时`, en: `${by.name} asks for a credit` }) || {});
    if ((found = /^\/time\/proposals\/(\d+)\/(preview|approve|dismiss)$/.exec(path))) {
      const asked = service.proposals.find(({ id }) => id === Number(found[1]));
      const amounts = { action: 'credit', scope: { kind: 'room', rooms: asked.rooms ?? [1] }, from_at: body.from_at ?? asked.from_at, to_at: body.to_at ?? asked.to_at, reason: 'power' };
      if (found[2] === 'preview') return { effect: effectOf(amounts), seen: digest() };
      return change(() => {
        if (asked.state !== 'open') throw new Refusal(409, 'proposal-decided');
        asked.state = found[2] === 'dismiss' ? 'dismissed' : body.from_at ? 'changed' : 'approved';
        return found[2] === 'approve' ? { effect: effectOf(amounts), entry: enter({ ...amounts, note: body.note }, by) } : {};
      });
    }
    if (path === '/rounds/preview') return { effect: { rooms: 1, candidates: 40, left_out: [], zh: '40 人移到第二场，空余机位 120 个', en: '40 candidates move to the second session, 120 seats are free' }, seen: digest() };
    if (path === '/rounds/actions') return change(() => ({ effect: { zh: '40 人已移到第二场', en: '40 candidates moved' } }));
    throw new Refusal(404, 'not-found');
  };

  const picture = (id) => {
    const room = rooms.find((one) => one.id === id);
    const occupant = (n) => ({
      attempt_id: `a${n}`, ticket: `2026${String(n).padStart(4, '0')}`, name: `考生${n}`, gender: '', specialty: '水工建筑', employer: '', state: n === 5 ? 'paused' : 'answering', silent_s: null,
      last_seen_s: 3, remaining_ms: 50 * MINUTE, answered: n % 30, total: 60, planned_label: String(n), planned_room: null, relog: null,
    });
    const seats = Array.from({ length: 43 }, (_, n) => ({
      seat_id: id * 100 + n, label: n < 40 ? String(n + 1) : `备${n - 39}`, ordinal: n, is_spare: n >= 40, out_of_order: null, free: n >= 40, arriving: null, occupant: n < 40 ? occupant(n + 1) : null,
    }));
    return {
      room: { ...room, exam_name: '', timezone: 'Asia/Shanghai' }, session: sessions[0], seats, spare_left: 3, suggested_seat_id: id * 100 + 40,
      clock: { service_ms: 0, state: 'running', starts_in_ms: null, remaining_ms: 50 * MINUTE, longest_ms: null },
      counts: { expected: 40, arrived: 40, not_arrived: 0, waiting: 0, answering: 39, paused: 1, silent: 0, handed_in: 0, timed_out: 0, forced: 0, deferred: 0 },
    };
  };
  service.picture = picture;
  return service;
}

/** A day on which something of everything has happened. */
export function eventful(service) {
  const at = (min) => iso(START + min * MINUTE);
  service.enter({ action: 'postpone', scope: { kind: 'site' }, ms: 5 * MINUTE, reason: 'network', note: '交换机重启' });
  service.enter({ action: 'credit', scope: { kind: 'room', rooms: [3, 4] }, from_at: at(12), to_at: at(14.5), note: '插座跳闸' });
  service.enter({ action: 'pause', scope: { kind: 'room', rooms: [20] }, from_at: at(31), reason: 'other', note: '烟感报警' });
  service.enter({ action: 'extend', scope: { kind: 'building', buildings: [3] }, ms: 10 * MINUTE, note: '供电不稳' });
  const mistaken = service.enter({ action: 'extend', scope: { kind: 'room', rooms: [9] }, ms: 3 * MINUTE, note: '点错考室' });
  service.enter({ action: 'undo', scope: { kind: 'site' }, entry: mistaken.id, note: '' });
  service.outages.push({ from_at: at(22), to_at: at(23.4) });
  service.held.push({ scope: 'room', scope_names: ['第31考室'], rooms: [31], candidates: 40, lost_ms: 60 * MINUTE, entry: null, members: [{ ticket: '20260031', name: '考生', room: '第31考室', seat: '1', lost_ms: 60 * MINUTE }] });
  service.proposals.push(
    { id: 90, kind: 'room-loss', state: 'open', scope: 'room', scope_names: ['第12考室'], rooms: [12], candidates: 40, from_at: at(33.5), to_at: at(36), amount_ms: 2.5 * MINUTE, reason: '', note: '', zh: '考室断联 09:03:30–09:06:00，40 台中 38 台无响应，建议补时 2:30', en: 'Room lost 09:03:30–09:06:00, 38 of 40 seats silent, proposed credit 2:30' },
    { id: 91, kind: 'asked', state: 'open', scope: 'candidate', scope_names: ['20260007 林秋实'], candidates: 1, from_at: at(20), to_at: at(21), amount_ms: MINUTE, reason: 'network', note: '键盘失灵', zh: '高明 申请补时 08:50:00–08:51:00，1:00', en: '高明 asks for a credit 08:50:00–08:51:00, 1:00' },
  );
  service.decisions.push({ id: 95, kind: 'lift-cap', state: 'proposed', scope: 'room', scope_names: ['第31考室'], candidates: 40, number: '考务〔2026〕7 号', text: '第31考室断电超过一小时，准予继续作答。', limit_ms: 90 * MINUTE, proposed_by: '顾行之', proposed_by_username: 'second', approved_by: null });
  service.notices[0].shown = 1871;
  return service;
}

/** HTTP around the service. */
export function createMockServer(service = eventful(createTimeService())) {
  return createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    const send = (status, type, body) => {
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'Content-Security-Policy': "default-src 'self'; img-src 'self' blob:; object-src 'none'; base-uri 'none'" });
      response.end(body);
    };
    const json = (status, value) => send(status, 'application/json', JSON.stringify(value));
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : undefined;
    const who = (request.headers.authorization ?? '').replace(/^Bearer /, '');
    if (url.pathname === '/readyz') return json(200, { postgres: true, redis: true });
    const path = url.pathname.replace(/^\/api\/v1\/staff/, '');
    if (path === '/sign-in') return json(200, { token: body.username, ...service.handle('GET', '/me', body.username) });
    if (/^\/rooms\/\d+\/events$/.test(path)) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      const push = () => response.write(`event: room\ndata: ${JSON.stringify(service.picture(Number(path.split('/')[2])))}\n\n`);
      push();
      const timer = setInterval(push, 4000);
      return response.on('close', () => clearInterval(timer));
    }
    if (url.pathname.startsWith('/api/')) {
      try {
        return json(200, service.handle(request.method, path + url.search, who, body, request.headers['idempotency-key']));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return json(error.status, { code: error.code, detail_zh: error.code, detail_en: error.code, ...error.params });
      }
    }
    const file = url.pathname === '/console' ? 'console/index.html' : normalize(url.pathname).replace(/^\/web\//, '');
    try {
      return send(200, TYPES[extname(file)] ?? 'application/octet-stream', await readFile(new URL(file, WEB)));
    } catch {
      return send(404, 'text/plain', 'not here');
    }
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = createMockServer();
  server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
    process.stdout.write(`http://127.0.0.1:${server.address().port}/console\n`);
  });
}
