/**
 * 考试时间: the office's desk for everything about time. Above, the session as a picture; below it what waits for a
 * person and what was done; beside both, the next decision.
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { lengthText, wallText } from '../../core/wall.js';
import { Decide } from './decide.js';
import { Decisions } from './decisions.js';
import { Ledger } from './ledger.js';
import { Proposals } from './proposals.js';
import { Reach } from './reach.js';
import { Standing } from './standing.js';
import { Timeline } from './timeline.js';

export const AT = 'timing';

export function Timing() {
  const app = useApp();
  const { desk, t } = app;
  const { timing } = desk;
  const { view, loading, fault, asking, open } = timing;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));

  useLayoutEffect(() => heading.current?.focus(), [open.value]);
  useEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      if (asking.value !== null) timing.unask();
      else if (timing.reach.value !== null) void timing.showReach(null);
      else timing.hide();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const shown = view.value;
  return html`<main class="timing" aria-labelledby="timing-title" aria-busy=${loading.value && !shown ? 'true' : null}>
    <header class="timing-head">
      <h1 id="timing-title" tabindex="-1" ref=${heading}>${t('timing.title')}</h1>
      <${Sessions} />
      ${shown ? html`<${Figures} view=${shown} />` : null}
      <button class="button timing-back" onClick=${() => timing.hide()}>${t('timing.back')}</button>
    </header>
    ${fault.value
      ? html`<div class="note note-bad timing-fault" role="alert">
          <p>${wordsFor(app, fault.value)}</p>
          <button class="button" onClick=${() => void timing.reload()}>${t('timing.again')}</button>
        </div>`
      : null}
    ${shown === null
      ? fault.value
        ? null
        : html`<p class="page-wait" role="status">${t('timing.opening')}</p>`
      : html`<div class="timing-desk">
          <div class="timing-main">
            <${Standing} view=${shown} />
            <${Timeline} view=${shown} />
            <${Lists} view=${shown} />
          </div>
          <${Decide} view=${shown} />
        </div>`}
  </main>`;
}

function Sessions() {
  const { desk, t } = useApp();
  const { timing, sessions } = desk;
  return html`<label>
    <span class="sr-only">${t('top.session')}</span>
    <select
      class="top-bar-select" value=${String(timing.open.value)}
      onChange=${(/** @type {any} */ event) => void timing.show(Number(event.target.value))}
    >
      ${sessions.value.map(
        ({ id, name, state }) => html`<option key=${id} value=${String(id)}>${name} · ${t(`session.${state}`)}</option>`,
      )}
    </select>
  </label>`;
}

/** When it was to be, when it is. @param {{view: any}} props */
function Figures({ view }) {
  const { t } = useApp();
  const zone = view.session.timezone;
  const { planned, actual } = view;
  const most = Math.max(0, ...view.rooms.map((/** @type {any} */ room) => room.lost_ms));
  const times = (/** @type {any} */ one) =>
    one?.start_at ? `${wallText(one.start_at, zone, false)}–${one.end_at ? wallText(one.end_at, zone, false) : t('timing.openEnd')}` : t('timing.notYet');
  return html`<dl class="timing-figures">
    <div><dt>${t('timing.planned')}</dt><dd class="number">${times(planned)}</dd></div>
    <div><dt>${t('timing.actual')}</dt><dd class="number">${times(actual)}</dd></div>
    <div><dt>${t('timing.lost')}</dt><dd class="number">${lengthText(most)}${view.cap_ms ? ` / ${lengthText(view.cap_ms)}` : ''}</dd></div>
  </dl>`;
}

/** @param {{view: any}} props */
function Lists({ view }) {
  const { t } = useApp();
  const waiting = view.proposals.filter((/** @type {any} */ one) => one.state === 'open').length;
  const proposed = view.decisions.filter((/** @type {any} */ one) => one.state === 'proposed').length;
  const short = view.notices.filter((/** @type {any} */ one) => one.shown < one.of).length;
  const [tab, setTab] = useState(waiting ? 'proposals' : 'ledger');
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  const tabs = [
    { key: 'ledger', n: view.entries.length, some: false },
    { key: 'proposals', n: waiting, some: waiting > 0 },
    { key: 'decisions', n: proposed, some: proposed > 0 },
    { key: 'reach', n: short, some: short > 0 },
  ];
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = (tabs.findIndex(({ key }) => key === tab) + step + tabs.length) % tabs.length;
    setTab(tabs[at].key);
    /** @type {HTMLElement | undefined} */ (row.current?.querySelectorAll('button')[at])?.focus();
  };
  return html`<section class="timing-lists">
    <div class="timing-tabs" role="tablist" aria-label=${t('timing.lists')} ref=${row} onKeyDown=${onKeyDown}>
      ${tabs.map(
        ({ key, n, some }) => html`<button
          key=${key} class="timing-tab" role="tab" id=${`timing-tab-${key}`} aria-controls="timing-list"
          aria-selected=${tab === key ? 'true' : 'false'} tabindex=${tab === key ? 0 : -1} data-some=${some ? 'yes' : null}
          onClick=${() => setTab(key)}
        >
          ${t(`timing.tab.${key}`)} ${n > 0 ? html`<strong class="number">${n}</strong>` : null}
        </button>`,
      )}
    </div>
    <div class="timing-list" role="tabpanel" id="timing-list" aria-labelledby=${`timing-tab-${tab}`} tabindex="0">
      ${tab === 'ledger' ? html`<${Ledger} view=${view} />` : null}
      ${tab === 'proposals' ? html`<${Proposals} view=${view} />` : null}
      ${tab === 'decisions' ? html`<${Decisions} view=${view} />` : null}
      ${tab === 'reach' ? html`<${Reach} view=${view} />` : null}
    </div>
  </section>`;
}
