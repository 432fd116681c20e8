/** No seat is free here: one press asks the nearest room that has one, and its answer is told where it was asked. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { askedFor, nextRoom } from '../../core/calls.js';
import { minutesAgo } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from './panel.js';

const REASONS = ['pc_failed', 'power', 'network', 'peripheral', 'other'];

/** @param {{occupant: import('../../core/room.js').Occupant, picture: import('../../core/room.js').Picture}} props */
export function AskSpare({ occupant, picture }) {
  const { desk, t } = useApp();
  const [reason, setReason] = useState('pc_failed');
  const asked = askedFor(picture, occupant.ticket);
  const next = nextRoom(picture, occupant.ticket);
  const attempt = occupant.attempt_id;
  const busy = desk.busy.value !== null ? 'true' : null;
  if (attempt === null) return null;
  if (asked?.state === 'asked') {
    return html`<section class="pending" aria-label=${t('spare.waits')}>
      <h3 class="pending-title"><${Icon} name="waiting" size=${18} /> ${t('spare.waits')}</h3>
      <p>${t('spare.waits.for', { room: asked.to_room, name: occupant.name })}</p>
      <p class="soft">
        ${t('record.by', { name: asked.asked.by, ago: t('ago.minutes', { n: minutesAgo(picture.clock, asked.asked.ms) }) })}
      </p>
      <button class="button button-wide" aria-disabled=${busy} onClick=${() => void desk.calls.unask(asked.id)}>
        ${t('spare.unask')}
      </button>
      <${Outcome} at=${['spare']} />
    </section>`;
  }
  return html`<div class="panel-actions">
    ${asked
      ? html`<p class="note note-warn" role="status">
          ${t('spare.declined', { room: asked.to_room, name: asked.answered?.by ?? '' })}
        </p>`
      : null}
    ${next
      ? html`<label for="spare-why">${t('move.why')}</label>
          <select
            class="move-field" id="spare-why" value=${reason}
            onChange=${(/** @type {any} */ event) => setReason(event.target.value)}
          >
            ${REASONS.map((one) => html`<option key=${one} value=${one}>${t(`reason.${one}`)}</option>`)}
          </select>
          <button
            class="button button-primary button-large button-wide" aria-disabled=${busy}
            onClick=${() => void desk.calls.ask(attempt, next.room_id, reason)}
          >
            <span>
              ${t('spare.ask', { room: next.room })}
              <small class="panel-small">${t('spare.ask.left', { n: next.left })}</small>
            </span>
          </button>`
      : html`<p class="note note-warn">${t('spare.nobody')}</p>`}
    <${Outcome} at=${['spare']} />
  </div>`;
}
