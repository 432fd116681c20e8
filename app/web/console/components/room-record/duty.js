/** Who watches the room: replaced, joined, and every change of it. */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { Outcome } from '../panel/panel.js';

/** @typedef {{username: string, name: string, role: string, rooms?: string[]}} Member */

export function Duty() {
  const app = useApp();
  const { desk, t } = app;
  const { door } = desk;
  const [joined, setJoined] = useState('');
  const [left, setLeft] = useState('');
  const [reason, setReason] = useState('');
  useEffect(() => void door.loadDuty(), []);
  const told = door.duty.value;
  if (told === null) return html`<p class="soft" role="status">${t('duty.loading')}</p>`;
  if (told.error) return html`<p class="note note-bad">${wordsFor(app, told.error)}</p>`;
  const ready = (joined !== '' || left !== '') && reason.trim() !== '' && desk.busy.value === null;

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    const body = { ...(joined && { joined }), ...(left && { left }), reason: reason.trim() };
    const done = await door.changeDuty(body);
    // Also after a refusal: somebody else may have changed it.
    await door.loadDuty();
    if (!done) return;
    setJoined('');
    setLeft('');
    setReason('');
  };
  const picked = (/** @type {(value: string) => void} */ set) => (/** @type {any} */ event) => set(event.target.value);

  return html`<section class="duty" aria-labelledby="duty-title">
    <h3 id="duty-title">${t('duty.title')}</h3>
    <p>${told.on_duty.map((/** @type {Member} */ one) => one.name).join(t('duty.comma')) || t('duty.nobody')}</p>
    <form class="move" onSubmit=${submit}>
      <div class="move-why">
        <label for="duty-joined">${t('duty.joined')}</label>
        <select class="move-field" id="duty-joined" value=${joined} onChange=${picked(setJoined)}>
          <option value="">${t('duty.none')}</option>
          ${told.available.map(
            (/** @type {Member} */ one) => html`<option key=${one.username} value=${one.username}>
              ${one.name}${one.rooms?.length ? ` (${one.rooms.join(t('duty.comma'))})` : ''}
            </option>`,
          )}
        </select>
        <label for="duty-left">${t('duty.left')}</label>
        <select class="move-field" id="duty-left" value=${left} onChange=${picked(setLeft)}>
          <option value="">${t('duty.none')}</option>
          ${told.on_duty.map(
            (/** @type {Member} */ one) => html`<option key=${one.username} value=${one.username}>${one.name}</option>`,
          )}
        </select>
        <label for="duty-reason">${t('duty.reason')}</label>
        <input class="move-field" id="duty-reason" maxlength="200" value=${reason} onInput=${picked(setReason)} />
      </div>
      <button class="button button-wide" aria-disabled=${ready ? null : 'true'}>${t('duty.confirm')}</button>
    </form>
    <${Outcome} at=${['duty']} />
    ${told.changes.length > 0
      ? html`<ul class="duty-changes soft">
          ${told.changes.map(
            (/** @type {any} */ one, /** @type {number} */ n) => html`<li key=${n}>
              ${[one.joined && `+ ${one.joined}`, one.left && `− ${one.left}`].filter(Boolean).join(' ')} · ${one.reason}
              · ${one.by}
            </li>`,
          )}
        </ul>`
      : null}
  </section>`;
}
