/**
 * Which notices have come to how many pages, and whose page has not shown one yet.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Notice} One
 */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { useWords } from './words.js';

const SHOWN = 200;

/** @param {{view: View}} props */
export function Reach({ view }) {
  const { t } = useApp();
  if (view.notices.length === 0) return html`<p class="soft timing-none">${t('timing.reach.none')}</p>`;
  return html`<ol class="reach">
    ${[...view.notices].reverse().map((notice) => html`<${Line} key=${notice.id} notice=${notice} view=${view} />`)}
  </ol>`;
}

/** @param {{notice: One, view: View}} props */
function Line({ notice, view }) {
  const { desk, t, i18n } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const number = (/** @type {number} */ n) => n.toLocaleString(i18n.language.value);
  const { id, shown, of, absent } = notice;
  const here = timing.reach.value?.id === id;
  const all = shown >= of;
  return html`<li class="reach-one" data-all=${all ? 'yes' : null}>
    <span class="number ledger-when">${words.wall(notice.made_at)}</span>
    <span class="reach-words">${words.said(notice)}</span>
    <span class="reach-bar" aria-hidden="true">
      <span class="reach-done" style=${{ width: `${(100 * shown) / Math.max(1, of)}%` }}></span>
    </span>
    <span class="reach-figure">
      <strong class="number">${t('timing.reach', { shown: number(shown), of: number(of) })}</strong>
      ${absent > 0 ? html` <span class="soft reach-absent">${t('timing.reach.absent', { n: absent })}</span>` : null}
    </span>
    ${all && !here
      ? html`<span></span>`
      : html`<button
          class="button reach-open" aria-expanded=${here ? 'true' : 'false'}
          onClick=${() => void timing.showReach(here ? null : { id })}
        >
          ${t('timing.reach.missing', { n: of - shown })}
        </button>`}
    ${here ? html`<${Missing} reach=${timing.reach.value} />` : null}
  </li>`;
}

/** @param {{reach: any}} props */
function Missing({ reach }) {
  const { t } = useApp();
  /** @type {{room: string, seat: string, name: string, ticket: string}[] | null} */
  const missing = reach.missing;
  if (missing === null) return html`<p class="soft reach-missing" role="status">${t('aside.opening')}</p>`;
  const left = missing.length - SHOWN;
  return html`<ul class="reach-missing">
    ${missing.slice(0, SHOWN).map(
      (one) => html`<li key=${one.ticket}>
        <strong>${one.room} ${one.seat}</strong> ${one.name} <span class="number soft">${one.ticket}</span>
      </li>`,
    )}
    ${left > 0 ? html`<li class="soft">${t('timing.over.more', { n: left })}</li>` : null}
  </ul>`;
}
