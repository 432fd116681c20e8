/**
 * 考试时间: the office's desk for everything about time. Above, the session as a picture; below it what waits for a
 * person and what was done; beside both, the next decision.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { waitingIn } from '../../core/timing-view.js';
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
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      // What is under way is seen to its end.
      if (event.key !== 'Escape' || event.defaultPrevented || desk.busy.value !== null) return;
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
        ({ id, name, state }) => html`<option key=${id} value=${String(id)}>
          ${name} · ${t(`session.${state}`)}
        </option>`,
      )}
    </select>
  </label>`;
}

/** When it was to be, when it is. @param {{view: View}} props */
function Figures({ view }) {
  const { t } = useApp();
  const zone = view.session.timezone;
  const most = Math.max(0, ...view.rooms.map(({ lost_ms: lost }) => lost));
  const times = (/** @type {import('../../core/timing-view.js').Times} */ { start_at: start, end_at: end }) => {
    if (!start) return t('timing.notYet');
    return `${wallText(start, zone, false)}–${end ? wallText(end, zone, false) : t('timing.openEnd')}`;
  };
  const figures = [
    ['timing.planned', times(view.planned)],
    ['timing.actual', times(view.actual)],
    ['timing.lost', `${lengthText(most)} / ${lengthText(view.cap_ms)}`],
  ];
  return html`<dl class="timing-figures">
    ${figures.map(([key, value]) => html`<div key=${key}><dt>${t(key)}</dt><dd class="number">${value}</dd></div>`)}
  </dl>`;
}

/** @param {{view: View}} props */
function Lists({ view }) {
  const { t } = useApp();
  const waits = waitingIn(view);
  const [tab, setTab] = useState(waits.proposals ? 'proposals' : 'ledger');
  const row = useRef(/** @type {HTMLElement | null} */ (null));
  const tabs = [
    { key: 'ledger', n: view.entries.length, some: false },
    { key: 'proposals', n: waits.proposals, some: waits.proposals > 0 },
    { key: 'decisions', n: waits.decisions, some: waits.decisions > 0 },
    { key: 'reach', n: waits.reach, some: waits.reach > 0 },
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
          aria-selected=${tab === key ? 'true' : 'false'} tabindex=${tab === key ? 0 : -1}
          data-some=${some ? 'yes' : null} onClick=${() => setTab(key)}
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
