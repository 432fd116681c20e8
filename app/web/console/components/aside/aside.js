/** Answers kept aside, by candidate: what counts beside what was kept aside, and the decision. */
import { html, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { seatText, useApp, wordsFor } from '../../app.js';
import { newest } from '../../core/aside.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from '../panel/panel.js';
import { Confirm } from './confirm.js';
import { AsideItem } from './item.js';

/** @typedef {import('../../core/aside.js').Attempt} Attempt */

export function Aside() {
  const app = useApp();
  const { desk, t } = app;
  const { aside } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const { open, list, loading, fault, asking, told } = aside;
  const decided = open.value?.decided ?? false;
  const session = open.value?.session;

  useLayoutEffect(() => heading.current?.focus(), [session]);
  // What was under the keyboard is gone with the decision: it goes on where the next one begins.
  useLayoutEffect(() => {
    if (told.value) heading.current?.focus({ preventScroll: true });
  }, [told.value]);
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape' && !event.defaultPrevented && asking.value === null) aside.hide();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const shown = list.value;
  return html`<main class="aside" aria-labelledby="aside-title" aria-busy=${loading.value ? 'true' : null}>
    <header class="aside-head">
      <div class="aside-heading">
        <h1 id="aside-title" tabindex="-1" ref=${heading}>${t('aside.title')}</h1>
        <p class="soft">${t('aside.what')}</p>
      </div>
      <${Sessions} />
      <div class="aside-views" role="group" aria-label=${t('aside.views')}>
        ${[false, true].map(
          (one) => html`<button
            class="chip" key=${String(one)} aria-pressed=${one === decided ? 'true' : 'false'}
            onClick=${() => session !== undefined && void aside.show(session, one)}
          >
            ${t(one ? 'aside.decided' : 'aside.waiting')}
            ${!one && shown ? html`<strong class="number">${shown.kept}</strong>` : null}
          </button>`,
        )}
      </div>
      <button class="button aside-back" onClick=${() => aside.hide()}>${t('aside.back')}</button>
    </header>
    <div class="aside-told" role="status">
      ${told.value ? html`<p class="note note-good">${t(`aside.told.${told.value.how}`, { n: told.value.n })}</p>` : null}
    </div>
    ${fault.value
      ? html`<div class="note note-bad aside-fault" role="alert">
          <p>${wordsFor(app, fault.value)}</p>
          <button class="button" onClick=${() => void aside.reload()}>${t('aside.again')}</button>
        </div>`
      : null}
    <${Outcome} at=${[desk.fault.value?.at ?? desk.busy.value?.at ?? ''].filter((at) => at.startsWith('aside'))} />
    ${shown === null
      ? fault.value
        ? null
        : html`<p class="page-wait" role="status">${t('aside.opening')}</p>`
      : shown.attempts.length === 0
        ? html`<p class="aside-none">
            <${Icon} name="handed_in" size=${22} /> ${t(decided ? 'aside.none.decided' : 'aside.none')}
          </p>`
        : html`<ul class="aside-people">
              ${shown.attempts.map((attempt) => html`<${Person} key=${attempt.attempt_id} attempt=${attempt} />`)}
            </ul>
            ${shown.next !== null
              ? html`<button
                  class="button aside-more" aria-disabled=${loading.value ? 'true' : null}
                  onClick=${() => !loading.value && void aside.more()}
                >
                  ${t('aside.more')}
                </button>`
              : null}`}
  </main>`;
}

/** Of which session, where more than one has something to show. */
function Sessions() {
  const { desk, t } = useApp();
  const { aside, sessions } = desk;
  const now = aside.open.value?.session;
  const some = sessions.value.filter(({ id }) => id === now || (aside.counts.value.get(id) ?? 0) > 0);
  if (some.length < 2) return html`<p class="aside-session">${some[0]?.name ?? ''}</p>`;
  return html`<label class="aside-session">
    <span class="sr-only">${t('top.session')}</span>
    <select
      class="top-bar-select" value=${String(now)}
      onChange=${(/** @type {any} */ event) => void aside.show(Number(event.target.value))}
    >
      ${some.map(
        ({ id, name }) => html`<option key=${id} value=${String(id)}>${name} · ${aside.counts.value.get(id) ?? 0}</option>`,
      )}
    </select>
  </label>`;
}

/** @param {{attempt: Attempt}} props */
function Person({ attempt }) {
  const { desk, t } = useApp();
  const may = desk.staff.value?.may.includes('decide-stranded') ?? false;
  const all = newest(attempt);
  const key = `all ${attempt.attempt_id}`;
  const confirming = desk.aside.asking.value?.key === key;
  return html`<li class="card aside-person">
    <header class="aside-person-head">
      <h2>${attempt.name}</h2>
      <span class="number soft">${attempt.ticket}</span>
      <span>${t('aside.now', { seat: seatText(t, attempt.seat, attempt.room) })}</span>
      <span class="aside-state" data-state=${attempt.state}>${t(`aside.state.${attempt.state}`)}</span>
      ${may && all.length > 1 && !confirming
        ? html`<button
            class="button aside-all" aria-disabled=${desk.busy.value ? 'true' : null}
            onClick=${() => desk.aside.ask({ how: 'adopt', key, choices: all })}
          >
            ${t('aside.all', { n: all.length })}
          </button>`
        : null}
    </header>
    ${confirming ? html`<${Confirm} sentence=${t('aside.sure.all', { n: all.length, name: attempt.name })} />` : null}
    <ul class="aside-items">
      ${attempt.items.map(
        (item) => html`<${AsideItem} key=${item.item} attempt=${attempt} item=${item} may=${may} />`,
      )}
    </ul>
  </li>`;
}
