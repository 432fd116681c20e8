/** From a seat or a room straight to a new incident about it. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{ticket?: string | null, plan?: string}} props `ticket`: whom it is about; without one, the whole room */
export function IncidentHere({ ticket = null, plan = '' }) {
  const { desk, t } = useApp();
  const room = desk.roomId.value;
  if (room === null || !desk.staff.value?.may.includes('incident-open')) return null;
  const known = ticket ? { scope: /** @type {const} */ ('list'), tickets: ticket, plan } : { rooms: [room], plan };
  return html`<div class="panel-incident">
    <button class="button button-wide" onClick=${() => desk.incidents.begin(known)}>${t('incident.here')}</button>
  </div>`;
}
