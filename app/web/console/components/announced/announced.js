/** What the office has said to the staff of this room, over whatever is open, until one of them has acknowledged it. */
import { html } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';

export function Announced() {
  const app = useApp();
  const { desk, t, i18n } = app;
  const { busy, fault, hall, staff } = desk;
  const zh = i18n.language.value.startsWith('zh');
  // Beside the whole hall the room's picture stands still, and the office knows what it has said.
  const said = hall.session.value === null ? (/** @type {any} */ (desk.picture.value)?.announcements ?? []) : [];
  const may = staff.value?.may.includes('acknowledge') ?? false;
  return html`<div class="announced" role="status">
    ${said.map(
      (/** @type {{id: number, zh: string, en: string, by: string}} */ one) => html`<div class="announced-line" key=${one.id}>
        <p><strong>${t('hall.announced.from', { by: one.by })}</strong> ${zh || !one.en ? one.zh : one.en}</p>
        ${may
          ? html`<button
              class="button" aria-disabled=${busy.value !== null ? 'true' : null}
              onClick=${() => busy.value === null && void desk.acknowledge(one.id)}
            >
              ${t('hall.announced.known')}
            </button>`
          : null}
        ${fault.value?.at === `acknowledge ${one.id}` && fault.value.error ? html`<p class="note note-bad" role="alert">${wordsFor(app, fault.value.error)}</p>` : null}
      </div>`,
    )}
  </div>`;
}
