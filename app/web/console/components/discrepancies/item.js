/** One discrepancy: both values of every field, what became of it, and for the office the two buttons. */
import { html } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { Icon } from '../icons/icons.js';
import { EvidenceFile } from '../incidents/file.js';
import { hour } from '../incidents/incidents.js';

const SHAPES = { open: 'silent', approved: 'handed_in', rejected: 'timed_out' };

/** @param {{of: import('../../core/discrepancies.js').Discrepancy, decides: boolean}} props */
export function Item({ of, decides }) {
  const { t } = useApp();
  return html`<li class="case" data-open=${of.open ? 'yes' : null}>
    <header>
      <h2>${of.name} <span class="number">${of.ticket}</span></h2>
      <p>
        <span>${of.room}${of.seat ? ` ${seatText(t, of.seat)}` : ''}</span>
        <span class="soft">${t('case.by', { by: of.by })} <span class="number">${hour(of.at)}</span>${of.told_by ? t('incident.told', { who: of.told_by }) : ''}</span>
        <span class="soft">${t('discrepancy.identified')}${t('case.colon')}${of.identified}</span>
      </p>
      ${of.note ? html`<p>${of.note}</p>` : null}
    </header>
    <table class="case-fields">
      <thead>
        <tr>
          <th scope="col">${t('discrepancy.field')}</th>
          <th scope="col">${t('discrepancy.recorded')}</th>
          <th scope="col">${t('discrepancy.claimed')}</th>
          <th scope="col">${t('discrepancy.state')}</th>
        </tr>
      </thead>
      <tbody>
        ${of.fields.map((field) => html`<${Row} key=${field.field} of=${of} field=${field} decides=${decides} />`)}
      </tbody>
    </table>
    ${of.files.length > 0 ? html`<div class="case-evidence">${of.files.map((file) => html`<${EvidenceFile} key=${file.id} file=${file} />`)}</div>` : null}
  </li>`;
}

/**
 * @param {{
 *   of: import('../../core/discrepancies.js').Discrepancy, field: import('../../core/discrepancies.js').Field,
 *   decides: boolean,
 * }} props
 */
function Row({ of, field, decides }) {
  const { desk, t, i18n } = useApp();
  const zh = i18n.language.value.startsWith('zh');
  const chosen = desk.discrepancies.chosen.value[`${of.id} ${field.field}`];
  const name = zh ? field.zh : field.en;
  const button = (/** @type {boolean} */ approve) => html`<button
    class="chip" aria-pressed=${chosen === approve ? 'true' : 'false'}
    aria-label=${`${t(approve ? 'discrepancy.approve' : 'discrepancy.reject')} ${of.name} ${name}`}
    onClick=${() => desk.discrepancies.choose(of, field, approve)}
  >
    ${t(approve ? 'discrepancy.approve' : 'discrepancy.reject')}
  </button>`;
  // What was recorded when it was written down; said beside it when it is something else by now.
  const moved = field.state === 'open' && field.now !== field.recorded;
  return html`<tr>
    <th scope="row">${name}</th>
    <td>
      ${zh ? field.recorded_zh : field.recorded_en}
      ${moved ? html`<span class="note note-warn">${t('discrepancy.now', { now: zh ? field.now_zh : field.now_en })}</span>` : null}
    </td>
    <td><strong>${zh ? field.claimed_zh : field.claimed_en}</strong></td>
    <td>
      ${field.state === 'open' && decides
        ? html`<span class="case-choice">${of.own ? html`<span class="soft">${t('discrepancy.own')}</span>` : button(true)}${button(false)}</span>`
        : html`<span class="case-state" data-state=${field.state}>
            <${Icon} name=${SHAPES[field.state]} size=${14} /> ${zh ? field.state_zh : field.state_en}
          </span>
          ${field.by ? html`<span class="soft">${field.by} <span class="number">${hour(field.at)}</span> ${field.note}</span>` : null}`}
    </td>
  </tr>`;
}
