/** Puts the browser's clock, network, storage and address into the desk, and renders. */
import english from '../locales/console.en.js';
import chinese from '../locales/console.zh-CN.js';
import { createI18n } from '../shared/i18n.js';
import { createRandom } from '../shared/random.js';
import { createUpload } from '../shared/upload.js';
import { effect, html, render, signal } from '../shared/ui.js';
import { AppContext } from './app.js';
import { Page } from './components/page/page.js';
import { createDesk } from './core/desk.js';

const TICK_MS = 500;
const PREFIX = 'holdfast.console.';

const timers = {
  /** @param {() => void} run @param {number} ms */
  setTimeout: (run, ms) => window.setTimeout(run, ms),
  /** @param {number} handle */
  clearTimeout: (handle) => window.clearTimeout(handle),
};

/** @param {Storage} area */
const keep = (area) => ({
  /** @param {string} name */
  get: (name) => area.getItem(PREFIX + name),
  /** @param {string} name @param {string | null} value */
  set: (name, value) => (value === null ? area.removeItem(PREFIX + name) : area.setItem(PREFIX + name, value)),
});

const address = {
  get() {
    const asked = new URLSearchParams(window.location.hash.slice(1));
    const number = (/** @type {string} */ name) => Number(asked.get(name)) || null;
    return { room: number('room'), session: number('session') };
  },
  /** @param {number} room @param {number} session */
  set: (room, session) => window.history.replaceState(null, '', `#room=${room}&session=${session}`),
};

const look = keep(window.localStorage);
const i18n = createI18n(
  { 'zh-CN': chinese, en: english },
  { initial: look.get('language') ?? undefined, onChange: (language) => look.set('language', language) },
);
const contrast = signal(look.get('contrast') === 'yes');
// Everything that counts seconds reads this one.
const now = signal(performance.now());
window.setInterval(() => {
  now.value = performance.now();
}, TICK_MS);

effect(() => {
  document.documentElement.lang = i18n.language.value;
  document.documentElement.dataset.theme = contrast.value ? 'contrast' : 'light';
  document.title = i18n.t('app.name');
  look.set('contrast', contrast.value ? 'yes' : null);
});

const desk = createDesk({
  fetch: (input, init) => window.fetch(input, init),
  timers,
  clock: { now: () => performance.now() },
  random: createRandom(window.crypto),
  language: () => i18n.language.value,
  storage: keep(window.sessionStorage),
  upload: createUpload(window.XMLHttpRequest),
  url: { make: (body) => URL.createObjectURL(body), forget: (url) => URL.revokeObjectURL(url) },
  address,
});

window.addEventListener('online', () => desk.retryNow());
render(
  html`<${AppContext.Provider} value=${{ desk, i18n, now, contrast }}><${Page} /><//>`,
  /** @type {HTMLElement} */ (document.getElementById('page')),
);
void desk.start();
