/** From a seat straight to the form about who sits there. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{ticket: string, name: string}} props */
export function CasesHere({ ticket, name }) {
  const { desk, t } = useApp();
  const room = desk.roomId.value;
  const may = desk.staff.value?.may ?? [];
  if (room === null) return null;
  return html`<div class="case-here">
    ${may.includes('discrepancy-open')
      ? html`<button class="button" onClick=${() => desk.discrepancies.begin(room, ticket)}>${t('discrepancy.here')}</button>`
      : null}
    ${may.includes('misconduct-open')
      ? html`<button class="button" onClick=${() => desk.misconduct.begin(room, ticket, name)}>${t('misconduct.here')}</button>`
      : null}
  </div>`;
}
