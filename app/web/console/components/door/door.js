/**
 * Check-in mode: a field that is always ready for the next scan, what became of the last one in large letters, and how
 * many are still expected. A tap on a seat that nobody has come to checks in too (`seat-map.js`).
 */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp, wordsFor } from '../../app.js';
import { missing } from '../../core/door.js';
import { Icon } from '../icons/icons.js';
import { Photo } from '../photo/photo.js';

export function Door() {
  const { desk, t } = useApp();
  const { door } = desk;
  const [text, setText] = useState('');
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const picture = desk.picture.value;
  useLayoutEffect(() => field.current?.focus(), []);
  if (!picture) return null;
  const { numbers } = picture;
  const left = missing(picture).length;

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (door.enter(text)) setText('');
    else field.current?.select();
    field.current?.focus();
  };

  return html`<section class="door" aria-label=${t('door.title')}>
    <form class="door-form" onSubmit=${submit}>
      <label class="door-label" for="door-field">${t('door.field')}</label>
      <input
        id="door-field" class="door-field" ref=${field} value=${text} autocomplete="off" spellcheck=${false}
        placeholder=${t('door.hint')} onInput=${(/** @type {any} */ event) => setText(event.target.value)}
      />
      <button class="button button-primary button-large">${t('door.checkIn')}</button>
    </form>
    <${Last} />
    <p class="door-count">
      <strong class="number">${numbers.present}</strong> <span class="soft number">/ ${numbers.expected}</span>
      <span>${left > 0 ? t('door.left', { n: left }) : t('door.all')}</span>
    </p>
    <button class="button door-close" onClick=${() => door.toggle()}>${t('door.close')}</button>
  </section>`;
}

const ICONS = { waits: 'waiting', done: 'handed_in', again: 'handed_in', undone: 'not_arrived' };

/** What became of the last one. */
function Last() {
  const app = useApp();
  const { desk, t } = app;
  const { door, busy, fault } = desk;
  const told = door.told.value;
  const failed = fault.value?.at === 'check-in-undo' ? fault.value.error : null;
  /** @type {'good' | 'warn' | 'bad' | 'none'} */
  const tone = !told
    ? 'none'
    : failed || told.kind === 'refused'
      ? 'bad'
      : told.kind === 'done'
        ? 'good'
        : told.kind === 'waits' || told.kind === 'undone'
          ? 'none'
          : 'warn';
  const who = told && told.seat ? `${seatText(t, told.seat)} ${told.name}` : (told?.name ?? '');
  return html`<div class="door-last" data-tone=${tone}>
    ${told?.ticket && told.seat ? html`<${Photo} key=${told.ticket} ticket=${told.ticket} name=${told.name} />` : null}
    <p role="status" aria-live="assertive">
      ${told
        ? html`<${Icon} name=${ICONS[/** @type {keyof typeof ICONS} */ (told.kind)] ?? 'silent'} size=${22} />
            <strong>${who}</strong>
            <span>
              ${failed
                ? wordsFor(app, failed)
                : told.kind === 'refused'
                  ? wordsFor(app, told.error)
                  : t(`door.told.${told.kind}`, { n: told.n ?? 0, name: told.by ?? '' })}
            </span>`
        : html`<span class="soft">${t('door.ready')}</span>`}
    </p>
    ${told?.kind === 'done'
      ? html`<button
          class="button" aria-disabled=${busy.value !== null ? 'true' : null}
          onClick=${() => void door.undo(told.ticket, t('door.undo.reason'))}
        >
          ${t('door.undo')}
        </button>`
      : null}
  </div>`;
}
