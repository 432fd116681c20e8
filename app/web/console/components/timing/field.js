/** Fields as the desk's forms have them: the word and the control in one line. */
import { html } from '../../../shared/ui.js';

/**
 * @param {{
 *   name: string, label: string, value: string, onInput: (value: string) => void, hint?: string, most?: number,
 *   digits?: boolean,
 * }} props
 */
export function TextField({ name, label, value, onInput, hint = '', most = 200, digits = false }) {
  return html`<label class="decide-field">
    <span>${label}</span>
    <input
      class=${digits ? 'move-field number' : 'move-field'} name=${name} value=${value} placeholder=${hint}
      maxlength=${most} autocomplete="off" spellcheck=${false}
      onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
    />
  </label>`;
}

/**
 * @param {{
 *   name: string, label: string, value: string, onChange: (value: string) => void,
 *   options: {value: string, words: string}[],
 * }} props
 */
export function SelectField({ name, label, value, onChange, options }) {
  return html`<label class="decide-field">
    <span>${label}</span>
    <select
      class="move-field" name=${name} value=${value}
      onChange=${(/** @type {any} */ event) => onChange(event.target.value)}
    >
      ${options.map((one) => html`<option key=${one.value} value=${one.value}>${one.words}</option>`)}
    </select>
  </label>`;
}

/**
 * One of a few, as buttons that are radios.
 *
 * @param {{
 *   name: string, value: string, onChange: (value: string) => void, options: {value: string, words: string}[],
 * }} props
 */
export function Choice({ name, options, value, onChange }) {
  return html`<div class="choice" data-of=${name}>
    ${options.map(
      (one) => html`<label class="choice-one" key=${one.value}>
        <input
          type="radio" name=${name} value=${one.value} checked=${one.value === value}
          onChange=${() => onChange(one.value)}
        />
        <span>${one.words}</span>
      </label>`,
    )}
  </div>`;
}

/** What is still missing, once somebody has tried to go on without it. @param {{words: string | null}} props */
export function Lacks({ words }) {
  return html`<div class="outcome" aria-live="polite">
    ${words !== null ? html`<p class="note note-warn">${words}</p>` : null}
  </div>`;
}
