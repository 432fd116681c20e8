/** The second click: what will happen, in a sentence, and room for a reason. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{sentence: string}} props */
export function Confirm({ sentence }) {
  const { desk, t } = useApp();
  const { aside } = desk;
  const [note, setNote] = useState('');
  const confirm = useRef(/** @type {HTMLElement | null} */ (null));
  const how = aside.asking.value?.how ?? 'adopt';
  const busy = desk.busy.value !== null;

  useLayoutEffect(() => confirm.current?.focus(), []);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!busy) void aside.decide(note);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    // A key that is held down asked the question; it must not answer it as well.
    if (event.key === 'Enter' && event.repeat) event.preventDefault();
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    if (!busy) aside.ask(null);
  };

  return html`<form class="aside-confirm" onSubmit=${submit} onKeyDown=${onKeyDown}>
    <p class="aside-sure">${sentence}</p>
    <label class="aside-note">
      <span>${t('aside.note')}</span>
      <input
        class="move-field" maxlength="200" placeholder=${t('aside.note.hint')} value=${note}
        onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
      />
    </label>
    <div class="aside-buttons">
      <button class="button button-primary" ref=${confirm} aria-disabled=${busy ? 'true' : null}>
        ${t(`aside.confirm.${how}`)}
      </button>
      <button class="button" type="button" onClick=${() => !busy && aside.ask(null)}>${t('move.cancel')}</button>
    </div>
  </form>`;
}
