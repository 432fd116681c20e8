/** What is done about one candidate's presence: check-in, late admission, out of the room and back, a wrong seat. */
import { html, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { minutesAgo } from '../../core/room.js';
import { LeaveForGood } from './leave-for-good.js';
import { Outcome } from './panel.js';
import { Swap } from './swap.js';

/**
 * @typedef {import('../../core/room.js').Seat} Seat
 * @typedef {import('../../core/room.js').Occupant} Occupant
 * @typedef {import('../../core/room.js').Picture} Picture
 * @typedef {{seat: Seat, occupant: Occupant, picture: Picture, may: (action: string) => boolean}} Props
 */

const AT = ['check-in', 'check-in-undo', 'admit', 'leave', 'swap'];
const KINDS = /** @type {const} */ (['toilet', 'medical', 'other']);

/** @param {Props} props */
export function Attendance(props) {
  const { occupant, picture, seat, may } = props;
  const { clock } = picture;
  const before = clock.state === 'waiting' || clock.state === 'planned';
  return html`<div class="panel-actions">
    <${Seen} ...${props} />
    ${may('leave') && occupant.attempt_id ? html`<${Leave} occupant=${occupant} />` : null}
    ${may('withdraw') ? html`<${LeaveForGood} occupant=${occupant} picture=${picture} />` : null}
    ${may('swap-seats') && before && !occupant.relog
      ? html`<${Swap} key=${seat.seat_id} seat=${seat} picture=${picture} />`
      : null}
    <${Outcome} at=${AT} />
  </div>`;
}

/** Whether they are here, and what brings them in. @param {Props} props */
function Seen({ occupant, picture, may }) {
  const { desk, t } = useApp();
  const { state, ticket, checked_in: seen, admission } = occupant;
  const busy = desk.busy.value !== null ? 'true' : null;
  const closed = (picture.door.last_admission_in_ms ?? 0) < 0;
  const ago = (/** @type {number} */ ms) => t('ago.minutes', { n: minutesAgo(picture.clock, ms) });
  return html`${admission
      ? html`<p class="note note-warn">
          ${t('admit.done', { name: admission.by, ago: ago(admission.ms), reason: admission.reason })}
        </p>`
      : null}
    ${occupant.provisional ? html`<p class="note note-warn">${t('admit.provisional')}</p>` : null}
    ${state === 'checked_in' && seen
      ? html`<p class="panel-hint">${t('checkIn.done', { name: seen.by, ago: ago(seen.ms) })}</p>
          ${may('check-in')
            ? html`<button
                class="button button-wide" aria-disabled=${busy}
                onClick=${() => void desk.door.undo(ticket, t('door.undo.reason'))}
              >
                ${t('checkIn.undo')}
              </button>`
            : null}`
      : null}
    ${state === 'not_arrived' && !closed && may('check-in')
      ? html`<button
            class="button button-primary button-large button-wide"
            onClick=${() => void desk.door.checkIn(ticket, desk.picture.value?.seats.find((one) => one.occupant?.ticket === ticket) ?? null)}
          >
            ${t('checkIn.open')}
          </button>
          <${Refusal} ticket=${ticket} />`
      : null}
    ${(state === 'not_arrived' && closed) || state === 'absent'
      ? may('admit-late')
        ? html`<${Admit} ticket=${ticket} />`
        : html`<p class="note">${t('admit.chief')}</p>`
      : null}`;
}

/** What the door said of this candidate. @param {{ticket: string}} props */
function Refusal({ ticket }) {
  const { desk, i18n } = useApp();
  const told = desk.door.told.value;
  if (told?.kind !== 'refused' || told.ticket !== ticket) return null;
  const error = /** @type {any} */ (told.error);
  return html`<p class="note note-bad" role="alert">${error.text?.(i18n.language.value) ?? i18n.t('error.unknown')}</p>`;
}

/** @param {{ticket: string}} props */
function Admit({ ticket }) {
  const { desk, t } = useApp();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  if (!open) {
    return html`<button class="button button-primary button-large button-wide" onClick=${() => setOpen(true)}>
      ${t('admit.open')}
    </button>`;
  }
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (reason.trim() !== '' && (await desk.door.admit(ticket, reason.trim()))) setOpen(false);
  };
  return html`<form class="move" onSubmit=${submit}>
    <p>${t('admit.lost')}</p>
    <label for="admit-reason">${t('admit.reason')}</label>
    <input
      class="move-field" id="admit-reason" maxlength="200" required value=${reason}
      onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
    />
    <div class="move-buttons">
      <button class="button button-primary button-large" aria-disabled=${reason.trim() === '' ? 'true' : null}>
        ${t('admit.confirm')}
      </button>
      <button class="button button-large" type="button" onClick=${() => setOpen(false)}>${t('move.cancel')}</button>
    </div>
  </form>`;
}

/** @param {{occupant: Occupant}} props */
function Leave({ occupant }) {
  const { desk, t } = useApp();
  const [open, setOpen] = useState(false);
  const attempt = /** @type {string} */ (occupant.attempt_id);
  const busy = desk.busy.value !== null ? 'true' : null;
  if (occupant.leave) {
    const { kind, away_s: away } = occupant.leave;
    return html`<p class="note note-warn">
        ${t('leave.out', { kind: t(`leave.${kind}`), n: Math.floor(away / 60) })}
      </p>
      <button
        class="button button-primary button-large button-wide" aria-disabled=${busy}
        onClick=${() => void desk.door.comeBack(attempt)}
      >
        ${t('leave.back')}
      </button>`;
  }
  if (!['answering', 'silent', 'waiting'].includes(occupant.state)) return null;
  if (!open) {
    return html`<button class="button button-wide" onClick=${() => setOpen(true)}>${t('leave.open')}</button>`;
  }
  return html`<fieldset class="leave">
    <legend>${t('leave.why')}</legend>
    <div class="move-reasons">
      ${KINDS.map(
        (kind) => html`<button
          class="button" key=${kind} aria-disabled=${busy}
          onClick=${async () => {
            if (await desk.door.leave(attempt, kind, '')) setOpen(false);
          }}
        >
          ${t(`leave.${kind}`)}
        </button>`,
      )}
      <button class="button button-quiet" onClick=${() => setOpen(false)}>${t('move.cancel')}</button>
    </div>
    <p class="panel-hint soft">${t('leave.hint')}</p>
  </fieldset>`;
}

/** @param {import('../../../shared/i18n.js').I18n['t']} t @param {Seat} seat */
export function whoAt(t, seat) {
  return `${seatText(t, seat.label)} ${seat.occupant?.name ?? ''}`;
}
