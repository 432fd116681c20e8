/** The whole core as pages over one service, in virtual time. */
import { createSitting } from '../../app/web/candidate/core/sitting.js';
import { createMemoryStore } from '../../app/web/candidate/core/store-memory.js';
import { createService } from './mock-server.mjs';
import { createNetwork, createSeeded, createTime } from './support.mjs';

export const GIVEN = { ticket: 'T', idTail: '123456', seat: null };

export function createHall(seed = 3) {
  const time = createTime();
  const service = createService({ now: () => 10_000 + time.clock.now() });
  const network = createNetwork(time, { '': service });
  const faults = [];
  const open = (store, pageSeed = seed) => {
    const frozen = { is: false };
    const timers = {
      setTimeout: (run, ms) => time.timers.setTimeout(() => !frozen.is && run(), ms),
      clearTimeout: time.timers.clearTimeout,
    };
    const sitting = createSitting({
      store, fetch: (...call) => (frozen.is ? new Promise(() => {}) : network.fetch(...call)), clock: time.clock, timers,
      random: createSeeded(pageSeed), channel: null, origin: 'http://own', language: () => 'zh-CN', adapterUp: () => true,
      onChange() {}, onFault: (error) => faults.push(error),
    }); // prettier-ignore
    sitting.start();
    return { sitting, die: () => (frozen.is = true), phase: () => sitting.state().phase };
  };
  return { time, service, network, faults, open, attempt: (ticket = 'T') => service.attempts.get(`a-${ticket}`) };
}

/** A page with the paper before it. */
export async function seated(hall, store = createMemoryStore()) {
  const page = hall.open(store);
  await hall.time.advance(10);
  await page.sitting.signIn(GIVEN);
  await hall.time.advance(100);
  await page.sitting.work()?.confirm();
  await hall.time.advance(1000);
  return { ...page, store };
}

/** An attempt as the record has it now, to be put back later. */
export function remembered(attempt) {
  const { epoch, secret, seq, count, position, marked, elapsed_ms, final, receipt, seat, moved } = attempt;
  const kept = { epoch, secret, seq, count, position, marked, elapsed_ms, final, receipt, seat, moved };
  return { ...kept, responses: new Map(attempt.responses), history: new Set(attempt.history), buffered: [] };
}

/** The record is back at an earlier moment. */
export function putBack(attempt, then) {
  Object.assign(attempt, then, { responses: new Map(then.responses), history: new Set(then.history) });
}
