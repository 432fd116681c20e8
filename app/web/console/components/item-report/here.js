/** From a seat: the candidate says that a question is wrong. They go on with the others; the office decides later. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { beforeSignIn } from '../../core/room.js';
import { Outcome } from '../panel/panel.js';

/** @param {{occupant: import('../../core/room.js').Occupant, begun: boolean}} props `begun`: questions have been seen */
export function ItemReportHere({ occupant, begun }) {
  const { desk, t } = useApp();
  const [open, setOpen] = useState(false);
  const [position, setPosition] = useState('');
  const [text, setText] = useState('');
  const [done, setDone] = useState(0);
  const attempt = occupant.attempt_id;
  if (!attempt || !begun || beforeSignIn(occupant.state) || !desk.staff.value?.may.includes('item-report')) return null;
  if (!open) {
    return html`<div class="item-report">
      ${done ? html`<p class="note note-good" role="status">${t('item.done', { n: done })}</p>` : null}
      <button class="button button-wide" onClick=${() => setOpen(true)}>${t('item.here')}</button>
    </div>`;
  }
  const ready = /^[1-9]\d{0,3}$/.test(position.trim()) && text.trim() !== '' && desk.busy.value === null;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    const kept = await desk.itemReports.report(attempt, Number(position), text.trim());
    if (kept === null) return;
    setDone(kept.position);
    setOpen(false);
    setPosition('');
    setText('');
  };
  return html`<form class="item-report move" onSubmit=${submit}>
    <p>${t('item.goOn')}</p>
    <label for="item-position">${t('item.position')}</label>
    <input
      class="move-field number" id="item-position" inputmode="numeric" maxlength="4" value=${position}
      onInput=${(/** @type {any} */ event) => setPosition(event.target.value)}
    />
    <label for="item-text">${t('item.text')}</label>
    <textarea
      class="move-field" id="item-text" rows="3" maxlength="1000" value=${text} placeholder=${t('item.text.hint')}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
    ></textarea>
    <div class="move-buttons">
      <button class="button button-primary button-large" aria-disabled=${ready ? null : 'true'}>${t('item.confirm')}</button>
      <button class="button button-large" type="button" onClick=${() => setOpen(false)}>${t('move.cancel')}</button>
    </div>
    <${Outcome} at=${['item-report']} />
  </form>`;
}
