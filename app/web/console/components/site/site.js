/** The administration: one exam at a time, its sessions, rooms, files and papers, and the job that is under way. */
import { html, useEffect, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { TABS } from '../../core/site.js';
import { Outcome } from '../panel/panel.js';
import { Draws } from './draws.js';
import { ExamForm } from './forms.js';
import { Imports } from './imports.js';
import { JobStrip } from './job.js';
import { Rooms } from './rooms.js';
import { Sessions } from './sessions.js';

const PAGES = { sessions: Sessions, rooms: Rooms, import: Imports, draw: Draws };
/** Every click of this page, for telling what became of it. */
export const CLICKS = [
  'exam', 'rename', 'session', 'session-remove', 'room', 'room-remove', 'building', 'blueprint', 'draw', 'upload',
  'confirm', 'discard', 'mark',
].map((what) => `site ${what}`);

/** Told by the job itself. */
const GOES_ON = new Set(['upload', 'confirm', 'draw']);

export function Site() {
  const app = useApp();
  const { desk, t } = app;
  const { site } = desk;
  const { exams, picture, tab, open, fault, told } = site;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    site.start();
    return () => site.stop();
  }, []);
  const exam = picture.value?.exam ?? null;
  const Page = PAGES[tab.value];
  return html`<main class="site" aria-labelledby="site-title">
    <header class="site-head">
      <h1 id="site-title" tabindex="-1" ref=${heading}>${t('site.title')}</h1>
      ${exam && exams.value
        ? html`<label class="site-exam">
            <span class="sr-only">${t('site.exam')}</span>
            <select
              class="input" value=${String(exam.id)}
              onChange=${(/** @type {any} */ event) => void site.choose(Number(event.target.value))}
            >
              ${exams.value.map((one) => html`<option key=${one.id} value=${String(one.id)}>${one.name} (${one.code})</option>`)}
            </select>
          </label>
          <button class="button" onClick=${() => site.show('exam', exam.id)}>${t('site.exam.rename')}</button>`
        : null}
      <button class="button" onClick=${() => site.show('exam')}>${t('site.exam.new')}</button>
      ${desk.staff.value?.may.includes('manage-staff')
        ? html`<button class="button button-quiet" onClick=${() => desk.views.show('accounts')}>${t('site.accounts')}</button>`
        : null}
    </header>
    ${fault.value
      ? html`<div class="note note-bad" role="alert">
          <p>${wordsFor(app, fault.value)}</p>
          <button class="button" onClick=${() => void site.reload()}>${t('accounts.again')}</button>
        </div>`
      : null}
    <${Outcome} at=${CLICKS} />
    <div role="status">${told.value && !GOES_ON.has(told.value) ? html`<p class="note note-good">${t(`site.told.${told.value}`)}</p>` : null}</div>
    ${open.value?.what === 'exam'
      ? html`<${ExamForm} key=${open.value.id} exam=${open.value.id === null ? null : exam} />`
      : null}
    ${exams.value === null
      ? fault.value
        ? null
        : html`<p class="page-wait" role="status">${t('site.opening')}</p>`
      : exam === null
        ? html`<p class="note note-info">${t('site.exam.none')}</p>`
        : html`<p class="soft number">
              ${t('site.exam.counts', { sessions: exam.sessions, rooms: exam.rooms, candidates: exam.candidates, items: exam.items })}
            </p>
            <${JobStrip} />
            <nav class="site-tabs" aria-label=${t('site.parts')}>
              ${TABS.map(
                (name) => html`<button
                  key=${name} class="site-tab" aria-current=${tab.value === name ? 'page' : null} onClick=${() => site.turn(name)}
                >
                  ${t(`site.tab.${name}`)}
                </button>`,
              )}
            </nav>
            <${Page} key=${`${exam.id} ${tab.value}`} />`}
  </main>`;
}
