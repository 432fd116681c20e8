/** Puts the browser's own clock, network, storage and channel into the core, and renders. */
import english from '../locales/candidate.en.js';
import chinese from '../locales/candidate.zh-CN.js';
import { createI18n } from '../shared/i18n.js';
import { createRandom } from '../shared/random.js';
import { effect, html, render, signal, untracked } from '../shared/ui.js';
import { AppContext } from './app.js';
import { Page } from './components/page/page.js';
import { pictures } from './core/paper.js';
import { createSitting } from './core/sitting.js';
import { openStore } from './core/store.js';
import { createLook } from './look.js';
import { createMedia } from './media.js';

const timers = {
  /** @param {() => void} run @param {number} ms */
  setTimeout: (run, ms) => window.setTimeout(run, ms),
  /** @param {number} handle */
  clearTimeout: (handle) => window.clearTimeout(handle),
};
const clock = { now: () => performance.now() };
const random = createRandom(window.crypto);

/** `/?room=&seat=` is how a kiosk says where it stands. */
function kioskSeat() {
  const query = new URLSearchParams(window.location.search);
  const [room, seat] = [query.get('room')?.trim(), query.get('seat')?.trim()];
  return room || seat ? { ...(room ? { room } : {}), ...(seat ? { seat } : {}) } : null;
}

async function main() {
  const fault = signal(false);
  const onFault = (/** @type {unknown} */ error) => {
    console.error(error);
    fault.value = true;
  };
  const i18n = createI18n({ 'zh-CN': chinese, en: english });
  let storageLost = false;
  /** @type {import('./core/sitting.js').Sitting | null} */
  let sitting = null;
  const store = await openStore(
    { indexedDB: window.indexedDB, IDBKeyRange: window.IDBKeyRange, timers },
    (error) => {
      console.warn(error);
      storageLost = true;
      sitting?.storageLost();
    },
  );
  const state = signal(/** @type {any} */ (null));
  sitting = createSitting({
    store,
    fetch: (input, init) => window.fetch(input, init),
    clock,
    timers,
    random,
    channel: 'BroadcastChannel' in window ? /** @type {any} */ (new BroadcastChannel('holdfast')) : null,
    origin: window.location.origin,
    language: () => i18n.language.value,
    adapterUp: () => navigator.onLine,
    onChange: (next) => {
      state.value = next;
    },
    onFault,
  });
  state.value = sitting.state();
  if (storageLost) sitting.storageLost();

  const here = sitting;
  const media = createMedia({ api: here.api, token: here.token, server: here.server, random, timers });
  const look = createLook({ root: document.documentElement, i18n, store, onFault });
  let paper = state.value.work?.paper ?? null;
  effect(() => {
    /** @type {import('./core/sitting.js').SittingState} */
    const { work } = state.value;
    untracked(() => {
      look.turnTo(work?.grant.attempt ?? null).catch(onFault);
      const next = work?.paper ?? null;
      if (next === paper) return;
      paper = next;
      media.forget();
      if (next) media.prefetch(pictures(next));
    });
  });

  const app = { sitting: here, state, i18n, look, media, kiosk: kioskSeat(), fault };
  render(
    html`<${AppContext.Provider} value=${app}><${Page} /><//>`,
    /** @type {HTMLElement} */ (document.getElementById('page')),
  );

  document.addEventListener('visibilitychange', () => here.visibility(document.visibilityState === 'hidden'));
  window.addEventListener('online', () => here.adapter(true));
  window.addEventListener('offline', () => here.adapter(false));
  window.addEventListener('pagehide', () => void here.pageHide().catch(onFault));
  window.addEventListener('pageshow', (event) => event.persisted && here.start());
  window.addEventListener('unhandledrejection', (event) => onFault(event.reason));
  here.start();
}

void main();
