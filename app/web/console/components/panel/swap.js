/** Two seats exchanged before the start: one action that names both. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { whoAt } from './attendance.js';

/** @param {{seat: import('../../core/room.js').Seat, picture: import('../../core/room.js').Picture}} props */
export function Swap({ seat, picture }) {
  const { desk, t } = useApp();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState('');
  const others = picture.seats.filter((one) => one.occupant && one.seat_id !== seat.seat_id && !one.occupant.relog);
  const other = others.find((one) => String(one.seat_id) === chosen) ?? null;
  if (!open) {
    return html`<button class="button button-wide" onClick=${() => setOpen(true)}>${t('swap.open')}</button>`;
  }
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (other && (await desk.door.swap([seat, other], t('swap.reason')))) setOpen(false);
  };
  return html`<form class="move" onSubmit=${submit}>
    <label for="swap-with">${t('swap.with')}</label>
    <select
      class="move-field" id="swap-with" value=${chosen}
      onChange=${(/** @type {any} */ event) => setChosen(event.target.value)}
    >
      <option value="">${t('swap.choose')}</option>
      ${others.map((one) => html`<option key=${one.seat_id} value=${String(one.seat_id)}>${whoAt(t, one)}</option>`)}
    </select>
    ${other
      ? html`<p class="note">
          ${t('swap.says', { a: whoAt(t, seat), b: whoAt(t, other), x: other.label, y: seat.label })}
        </p>`
      : null}
    <div class="move-buttons">
      <button class="button button-primary button-large" aria-disabled=${other ? null : 'true'}>
        ${t('swap.confirm')}
      </button>
      <button class="button button-large" type="button" onClick=${() => setOpen(false)}>${t('move.cancel')}</button>
    </div>
  </form>`;
}
