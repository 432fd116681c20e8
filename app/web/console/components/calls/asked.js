/** Another room has run out of spare seats and asks this one: who, from where, and one press for each answer. */
import { html } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { askedHere } from '../../core/calls.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from '../panel/panel.js';

export function Asked() {
  const { desk, t } = useApp();
  const picture = desk.picture.value;
  if (!picture) return null;
  const may = desk.staff.value?.may.includes('relog') ?? false;
  const busy = desk.busy.value !== null ? 'true' : null;
  const waits = askedHere(picture);
  return html`<div class="asked" aria-live="assertive" data-some=${waits.length > 0 ? 'yes' : null}>
    ${waits.map(
      (one) => html`<section class="asked-one" key=${one.id} aria-label=${t('spare.asked')}>
        <${Icon} name="kept" size=${22} />
        <p>
          <strong>${t('spare.asked.for', { room: one.from_room, name: one.name })}</strong>
          <span class="soft number">
            ${seatText(t, one.from_seat)} · ${one.ticket} · ${t('spare.asked.by', { name: one.asked.by })}
          </span>
        </p>
        ${may
          ? html`<button
                class="button button-primary button-large" aria-disabled=${busy}
                onClick=${() => void desk.calls.answer(one.id, 'yes')}
              >
                ${t('spare.yes')}
              </button>
              <button
                class="button button-large" aria-disabled=${busy}
                onClick=${() => void desk.calls.answer(one.id, 'no')}
              >
                ${t('spare.no')}
              </button>`
          : null}
        <${Outcome} at=${[`spare ${one.id}`]} />
      </section>`,
    )}
  </div>`;
}
