/** 弃考: somebody says that they leave for good. The reason, and one confirmation that says what it does. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { minutesAgo } from '../../core/room.js';
import { Outcome } from './panel.js';

const OVER = new Set(['handed_in', 'timed_out', 'forced', 'deferred', 'not_arrived', 'checked_in', 'absent']);

/** @param {{occupant: import('../../core/room.js').Occupant, picture: import('../../core/room.js').Picture}} props */
export function LeaveForGood({ occupant, picture }) {
  const { desk, t } = useApp();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const attempt = occupant.attempt_id;
  const { withdrew } = occupant;
  if (withdrew && occupant.state === 'forced') {
    const ago = t('ago.minutes', { n: minutesAgo(picture.clock, withdrew.ms) });
    return html`<p class="note">${t('withdraw.done', { name: withdrew.by, ago, reason: withdrew.reason })}</p>`;
  }
  if (attempt === null || OVER.has(occupant.state)) return null;
  if (!open) {
    return html`<button class="button button-wide" onClick=${() => setOpen(true)}>${t('withdraw.open')}</button>`;
  }
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (reason.trim() !== '' && (await desk.calls.leaveForGood(attempt, reason.trim()))) setOpen(false);
  };
  return html`<form class="move" onSubmit=${submit}>
    <p class="note note-warn">${t('withdraw.means', { name: occupant.name })}</p>
    <label for="withdraw-reason">${t('withdraw.reason')}</label>
    <input
      class="move-field" id="withdraw-reason" maxlength="200" required value=${reason}
      onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
    />
    <${Outcome} at=${['withdraw-exam']} />
    <div class="move-buttons">
      <button
        class="button button-primary button-large"
        aria-disabled=${reason.trim() === '' || desk.busy.value !== null ? 'true' : null}
      >
        ${t('withdraw.confirm')}
      </button>
      <button class="button button-large" type="button" onClick=${() => setOpen(false)}>${t('move.cancel')}</button>
    </div>
  </form>`;
}
