/**
 * The incident desk: the list, the incident that is open, the plans, and the draft of a new one. Signals and calls; no
 * DOM.
 *
 * Nothing is pushed: the list and the open incident are asked for again every few seconds while the desk is on the
 * screen. What somebody is about to sign carries the newest entry they have seen.
 *
 * @typedef {{by: string, at: string, note: string}} Done
 * @typedef {{id: string, zh: string, en: string, done: Done | null}} Step
 * @typedef {{id: number, name: string, content_type: string, size: number, sha256: string}} File
 * @typedef {{
 *   id: number, kind: string, data: any, zh: string, en: string, by: string, told_by: string, at: string,
 *   at_ms: number, evidence: File | null,
 * }} Entry
 * @typedef {{source: string, id: number, kind: string, zh: string, en: string, by: string, at: string, at_ms: number}} Action
 * @typedef {{
 *   id: number, number: number, plan: string, plan_zh: string, plan_en: string, title: string, session: string | null,
 *   session_id: number | null, scope: string, names: string[], room_ids: number[], sealed: boolean,
 *   state: 'open' | 'closed' | 'signed', from: string, to: string | null, by: string, at: string,
 *   signed_by: string | null, signed_at: string | null, newest: number,
 * }} Head
 * @typedef {Head & {
 *   told_by: string, version: number, steps: Step[], entries: Entry[], actions: Action[],
 *   rooms: {id: number, name: string, building: string}[],
 *   people: {ticket: string, name: string, room: string | null, seat: string | null}[],
 *   may: {write: boolean, close: boolean, sign: boolean, seal: boolean},
 * }} Incident
 * @typedef {{
 *   plan: string, version: number, title_zh: string, title_en: string, sealed: boolean, by: string | null,
 *   steps: {id: string, zh: string, en: string}[],
 * }} Plan
 * @typedef {{
 *   plan: string, scope: 'site' | 'building' | 'room' | 'list', buildings: number[], rooms: number[], tickets: string,
 *   minutes: string, title: string, note: string, toldBy: string, sealed: boolean,
 * }} Draft
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';
import { toBody } from './incident-draft.js';

export const EVERY_MS = 6000;
export const ACTIONS_EVERY_MS = 24_000;
export const SCOPES = /** @type {const} */ (['room', 'list', 'building', 'site']);
/** As the service takes them. */
export const LARGEST_FILE = 10_485_760;
export const FILES = 'image/jpeg,image/png,image/webp,application/pdf,text/plain';

/** @returns {Draft} */
const blank = () => ({
  plan: '', scope: 'room', buildings: [], rooms: [], tickets: '', minutes: '0', title: '', note: '', toldBy: '',
  sealed: false,
});

/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *  timers: import('../../shared/api.js').Timers,
 *   clock: {now: () => number}, random: {unit: () => number}, loginEnded: (error: unknown) => boolean, forgive: () => void,
 *   show: () => void,
 *   toldBy?: () => string,
 * }} ports `send`: one click, repeated until answered; `show`: the desk comes onto the screen
 */
export function createIncidents({ get, send, timers, clock, random, loginEnded, forgive, show, toldBy = () => '' }) {
  const session = signal(/** @type {number | null} */ (null));
  const list = signal(/** @type {Head[] | null} */ (null));
  const one = signal(/** @type {Incident | null} */ (null));
  const plans = signal(/** @type {Plan[]} */ ([]));
  /** What the right side shows. */
  const at = signal(/** @type {{kind: 'none' | 'draft' | 'plans'} | {kind: 'one', id: number}} */ ({ kind: 'none' }));
  const draft = signal(blank());
  const fault = signal(/** @type {unknown} */ (null));

  /** @type {any} */
  let timer = null;
  let round = 0;
  let seenAt = -Infinity;

  const openId = () => (at.value.kind === 'one' ? at.value.id : null);

  async function load() {
    const mine = (round += 1);
    const of = session.value;
    const id = openId();
    if (of === null) return;
    try {
      const heads = await get(`/incidents?session=${of}`);
      const newest = heads.incidents.find((/** @type {Head} */ head) => head.id === id)?.newest;
      // What was done in the system makes no entry: seen again now and then, which costs the service more than the list.
      const stale = one.value?.id !== id || one.value?.newest !== newest || clock.now() - seenAt > ACTIONS_EVERY_MS;
      const told = id !== null && stale ? await get(`/incidents/${id}`) : null;
      if (mine !== round) return;
      if (told) seenAt = clock.now();
      batch(() => {
        list.value = heads.incidents;
        if (told) one.value = told.incident;
        fault.value = null;
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === round && !loginEnded(error)) fault.value = error;
    }
  }

  function keep() {
    timers.clearTimeout(timer);
    timer = timers.setTimeout(async () => {
      const mine = timer;
      await load();
      if (timer === mine) keep();
    }, EVERY_MS * (0.75 + random.unit() / 2));
  }

  async function loadPlans() {
    const of = session.value;
    if (of === null) return;
    try {
      const body = await get(`/plans?session=${of}`);
      if (session.value === of) plans.value = body.plans;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!loginEnded(error)) fault.value = error;
    }
  }

  /** The service's word on the incident, as the reply of a change brings it. @param {Incident} told */
  function take(told) {
    round += 1;
    batch(() => {
      one.value = told;
      if (list.value?.some(({ id }) => id === told.id)) {
        list.value = list.value.map((head) => (head.id === told.id ? told : head));
      } else list.value = [told, ...(list.value ?? [])];
    });
  }

  /**
   * One click on the open incident; afterwards what there is now is shown, also after a refusal.
   *
   * @param {string} at @param {string} path @param {unknown} body
   */
  async function change(at, path, body) {
    const reply = await send(at, path, body);
    if ('body' in reply) take(reply.body.incident);
    else {
      seenAt = -Infinity;
      void load();
    }
    return 'body' in reply;
  }

  /** @param {number} id */
  function open(id) {
    forgive();
    batch(() => {
      if (one.value?.id !== id) one.value = null;
      at.value = { kind: 'one', id };
    });
    void load();
  }

  return {
    session, list, one, plans, at, draft, fault, open,

    /** On the screen, for a session. @param {number} of */
    enter(of) {
      if (session.value !== of) {
        batch(() => {
          session.value = of;
          list.value = null;
          plans.value = [];
          if (at.value.kind === 'one') at.value = { kind: 'none' };
          one.value = null;
        });
      }
      void load();
      if (plans.value.length === 0) void loadPlans();
      keep();
    },

    leave() {
      timers.clearTimeout(timer);
      timer = null;
    },

    reset() {
      timers.clearTimeout(timer);
      timer = null;
      round += 1;
      batch(() => {
        session.value = null;
        list.value = null;
        one.value = null;
        plans.value = [];
        at.value = { kind: 'none' };
        draft.value = blank();
        fault.value = null;
      });
    },

    /** A new one, with what is known already; nothing is sent. @param {Partial<Draft>} [known] */
    begin(known = {}) {
      forgive();
      batch(() => {
        draft.value = { ...blank(), toldBy: toldBy(), ...known };
        at.value = { kind: 'draft' };
      });
      show();
    },

    /** @param {Partial<Draft>} some */
    edit(some) {
      draft.value = { ...draft.value, ...some };
    },

    close() {
      forgive();
      at.value = { kind: 'none' };
    },

    showPlans() {
      forgive();
      at.value = { kind: 'plans' };
      void loadPlans();
    },

    async submit() {
      const reply = await send('incident', '/incidents', toBody(draft.value, session.value ?? 0));
      if (!('body' in reply)) return false;
      const told = reply.body.incident;
      batch(() => {
        draft.value = blank();
        at.value = { kind: 'one', id: told.id };
      });
      take(told);
      return true;
    },

    /** @param {number} id @param {string} click @param {Record<string, unknown>} body */
    write: (id, click, body) => change(click, `/incidents/${id}/entries`, body),

    /** @param {Incident} of @param {'close' | 'reopen' | 'sign'} how @param {string} note */
    turn: (of, how, note) => change(`incident ${how}`, `/incidents/${of.id}/${how}`, { seen: of.newest, note }),

    /**
     * Files first, each under its own key; then they are attached together.
     *
     * @param {Incident} of @param {{name: string, body: Blob}[]} files @param {string} text
     */
    async attach(of, files, text) {
      const ids = [];
      for (const { name, body } of files) {
        const where = `/evidence?session=${of.session_id ?? session.value}&name=${encodeURIComponent(name)}`;
        const reply = await send('incident file', where, body);
        if (!('body' in reply)) return false;
        ids.push(reply.body.evidence.id);
      }
      return change('incident file', `/incidents/${of.id}/entries`, { kind: 'evidence', files: ids, text });
    },

    /** @param {Plan} plan as edited; `version` is the one that was seen */
    async savePlan(plan) {
      const { title_zh, title_en, steps, version } = plan;
      const body = { session: session.value, title_zh, title_en, seen: version, steps: steps.map(({ id, zh, en }) => ({ id, zh, en })) };
      const reply = await send('plan', `/plans/${plan.plan}`, body);
      await loadPlans();
      return 'body' in reply;
    },
  };
}

/** @typedef {ReturnType<typeof createIncidents>} Incidents */
