/** 电话代办: who is calling, said once; then a line on every page that says on whose word one acts, until the call ends. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';

/** Those whom a room telephones. @param {import('../../core/desk.js').Desk} desk */
const answers = (desk) => ['office', 'admin'].includes(desk.staff.value?.role ?? '');

/** @param {import('../../core/desk.js').Desk} desk */
const roomName = (desk) => desk.staff.value?.rooms.find(({ id }) => id === desk.roomId.value)?.name ?? '';

export function TelephoneLine() {
  const { desk, t } = useApp();
  const { telephone } = desk;
  if (!answers(desk) || desk.picture.value === null) return null;
  const name = telephone.toldBy.value;
  if (name === '') return telephone.asking.value ? html`<${Caller} />` : null;
  return html`<div class="telephone" role="status">
    <${Receiver} />
    <p><strong>${t('phone.on', { room: roomName(desk), name })}</strong> <span>${t('phone.on.more')}</span></p>
    <button class="button telephone-end" onClick=${() => telephone.end()}>${t('phone.end')}</button>
  </div>`;
}

function Caller() {
  const { desk, t } = useApp();
  const { telephone } = desk;
  const [name, setName] = useState('');
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    telephone.begin(name);
  };
  return html`<form class="telephone" onSubmit=${submit}>
    <${Receiver} />
    <label for="telephone-name">${t('phone.who', { room: roomName(desk) })}</label>
    <input
      class="input" id="telephone-name" maxlength="100" autocomplete="off" ref=${field} value=${name}
      placeholder=${t('phone.who.hint')} onInput=${(/** @type {any} */ event) => setName(event.target.value)}
    />
    <button class="button button-primary" aria-disabled=${name.trim() === '' ? 'true' : null}>${t('phone.begin')}</button>
    <button class="button" type="button" onClick=${() => telephone.end()}>${t('phone.cancel')}</button>
  </form>`;
}

/** Begins a call, for whoever answers the rooms' telephone. */
export function TelephoneButton() {
  const { desk, t } = useApp();
  const { telephone } = desk;
  if (!answers(desk) || desk.picture.value === null || telephone.toldBy.value !== '' || telephone.asking.value) return null;
  return html`<button class="button telephone-begin" onClick=${() => telephone.ask()}><${Receiver} /> ${t('phone.open')}</button>`;
}

/** What was done for the room that way, in its record. */
export function ByTelephone() {
  const app = useApp();
  const { desk, t, i18n } = app;
  const { telephone } = desk;
  useEffect(() => void telephone.load(), [desk.roomId.value, desk.sessionId.value, desk.busy.value]);
  const done = telephone.done.value;
  if (done === null) return null;
  if (!Array.isArray(done)) return html`<p class="note note-bad">${wordsFor(app, done.error)}</p>`;
  if (done.length === 0) return null;
  const hour = (/** @type {string} */ at) =>
    new Date(at).toLocaleTimeString(i18n.language.value, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: desk.picture.value?.room.timezone });
  return html`<section class="telephone-done" aria-labelledby="telephone-done">
    <h3 id="telephone-done"><${Receiver} /> ${t('phone.done', { n: done.length })}</h3>
    <ul>
      ${done.map(
        (one, n) => html`<li key=${n}>
          <span class="number">${hour(one.at)}</span>
          <span>${i18n.language.value.startsWith('zh') ? one.zh : one.en}${one.ticket ? html` <span class="number">${one.ticket}</span>` : null}</span>
          <span class="soft">${t('phone.done.by', { name: one.told_by, by: one.by })}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

function Receiver() {
  return html`<svg class="icon" width="18" height="18" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    <path
      d="M3.200 1.500h2.600l1 3.300-1.700 1.300a9.500 9.500 0 0 0 4.800 4.800l1.300-1.700 3.300 1v2.600c0 1-.8 1.700-1.700 1.700C6.900 14.500 1.500 9.100 1.500 3.200c0-.9.7-1.700 1.700-1.700Z"
      fill="currentColor"
    />
  </svg>`;
}
