/** Which notices have come to how many pages, and whose page has not shown one yet. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { useWords } from './words.js';

const SHOWN = 200;

/** @param {{view: any}} props */
export function Reach({ view }) {
  const { desk, t, i18n } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const number = (/** @type {number} */ n) => n.toLocaleString(i18n.language.value);
  const open = timing.reach.value;
  if (view.notices.length === 0) return html`<p class="soft timing-none">${t('timing.reach.none')}</p>`;
  return html`<ol class="reach">
    ${[...view.notices].reverse().map((/** @type {any} */ notice) => {
      const here = open?.id === notice.id;
      const all = notice.shown >= notice.of;
      return html`<li class="reach-one" key=${notice.id} data-all=${all ? 'yes' : null}>
        <span class="number ledger-when">${words.wall(notice.made_at)}</span>
        <span class="reach-words">${words.said(notice)}</span>
        <span class="reach-bar" aria-hidden="true"><span class="reach-done" style=${{ width: `${(100 * notice.shown) / Math.max(1, notice.of)}%` }}></span></span>
        <strong class="number reach-figure">${t('timing.reach', { shown: number(notice.shown), of: number(notice.of) })}</strong>
        ${all
          ? html`<span></span>`
          : html`<button
              class="button reach-open" aria-expanded=${here ? 'true' : 'false'}
              onClick=${() => void timing.showReach(here ? null : { id: notice.id })}
            >
              ${t('timing.reach.missing', { n: notice.of - notice.shown })}
            </button>`}
        ${here ? html`<${Missing} reach=${open} />` : null}
      </li>`;
    })}
  </ol>`;
}

/** @param {{reach: any}} props */
function Missing({ reach }) {
  const { t } = useApp();
  if (reach.missing === null) return html`<p class="soft reach-missing" role="status">${t('aside.opening')}</p>`;
  return html`<ul class="reach-missing">
    ${reach.missing.slice(0, SHOWN).map(
      (/** @type {any} */ one) => html`<li key=${one.ticket}>
        <strong>${one.room} ${one.seat}</strong> ${one.name} <span class="number soft">${one.ticket}</span>
      </li>`,
    )}
    ${reach.missing.length > SHOWN ? html`<li class="soft">${t('timing.over.more', { n: reach.missing.length - SHOWN })}</li>` : null}
  </ul>`;
}
