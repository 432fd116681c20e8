/** One question and its answer, by type. The value goes to the core with every change; nothing is kept here. */
import { html, useEffect, useRef } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { filled, isAnswered, letter, picked, storable } from '../../core/paper.js';
import { Check, Cross } from '../icons/icons.js';
import { Picture } from '../picture/picture.js';
import { Formula } from './formula.js';

/** Longest answers a page lets one type; the service's own limits are above. */
const LONGEST = { blank: 500, text: 20000 };

/**
 * @param {{item: import('../../core/paper.js').Item, headingRef: {current: HTMLElement | null}}} props
 */
export function Question({ item, headingRef }) {
  const { t, state, sitting } = useApp();
  const scroller = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (scroller.current) scroller.current.scrollTop = 0;
  }, [item.item]);
  const work = state.value.work;
  const view = sitting.work()?.view(item.item) ?? null;
  const value = view?.value ?? null;
  const total = work?.paper?.items.length ?? 0;

  /** @param {any} next @param {'choice' | 'typing'} how */
  const answer = (next, how) => sitting.work()?.answer(item.item, next, how);
  const clearable = item.options.length > 0 && isAnswered(item, value);

  return html`
    <section class="question" data-scroll="question" ref=${scroller} aria-labelledby="question-title">
      <header class="question-head">
        <h1 id="question-title" tabindex="-1" data-place="heading" ref=${headingRef}>
          <span class="question-number">${t('exam.question', { n: item.position })}</span>
          <span class="soft">${t('exam.of', { total })}</span>
        </h1>
        <span class="question-type">${t(`exam.type.${item.type}`)}</span>
        <span class="soft">${t('exam.points', { n: item.points })}</span>
        ${clearable &&
        html`
          <button type="button" class="question-clear" data-place="clear" onClick=${() => answer(null, 'choice')}>
            ${t('exam.clear')}
          </button>
        `}
      </header>
      <div class=${item.media.length ? 'question-body question-pictured' : 'question-body'}>
        <div class="question-read">
          <p class="question-stem" id="question-stem"><${Formula} text=${item.stem} /></p>
          <${Answer} item=${item} value=${value} answer=${answer} />
          <${Told} view=${view} />
        </div>
        ${item.media.length > 0 &&
        html`
          <div class="question-pictures">
            ${item.media.map(
              (address, index) => html`
                <${Picture} key=${address} address=${address} label=${t('exam.picture', { n: item.position, k: index + 1 })} />
              `,
            )}
          </div>
        `}
      </div>
    </section>
  `;
}

/**
 * @param {{item: import('../../core/paper.js').Item, value: any,
 *   answer: (value: any, how: 'choice' | 'typing') => void}} props
 */
function Answer({ item, value, answer }) {
  if (item.type === 'blank') return html`<${Blanks} item=${item} value=${value} answer=${answer} />`;
  if (item.type === 'text') return html`<${Text} value=${value} answer=${answer} />`;
  return html`<${Options} item=${item} value=${value} answer=${answer} />`;
}

/**
 * Large rows in the drawn order. One stop for the Tab key; arrows walk, Space or Enter chooses (`exam/keyboard.js`).
 *
 * @param {{item: import('../../core/paper.js').Item, value: any,
 *   answer: (value: any, how: 'choice' | 'typing') => void}} props
 */
function Options({ item, value, answer }) {
  const { t } = useApp();
  const many = item.type === 'multiple';
  const side = item.type === 'true_false';
  const chosen = (/** @type {string} */ id) => (many ? Array.isArray(value) && value.includes(id) : value === id);
  const first = item.options.find((option) => chosen(option.id)) ?? item.options[0];
  return html`
    <p class="question-hint soft" id="question-hint">${t(`exam.hint.${item.type}`)}</p>
    <div
      class=${side ? 'options options-side' : 'options'}
      role=${many ? 'group' : 'radiogroup'}
      aria-labelledby="question-stem question-hint"
    >
      ${item.options.map((option, index) => {
        const on = chosen(option.id);
        return html`
          <div
            key=${option.id}
            class=${on ? 'option option-on' : 'option'}
            data-option=${option.id}
            data-place=${`option-${option.id}`}
            role=${many ? 'checkbox' : 'radio'}
            aria-checked=${String(on)}
            tabindex=${many || option === first ? 0 : -1}
            onClick=${() => answer(picked(item, value, option.id), 'choice')}
            onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
              if (event.key !== ' ' && event.key !== 'Enter') return;
              event.preventDefault(); // and so not taken again by the page's own keys
              answer(picked(item, value, option.id), 'choice');
            }}
          >
            <span class=${many ? 'option-letter option-square' : 'option-letter'} aria-hidden=${String(side)}>
              ${side ? (index === 0 ? html`<${Check} />` : html`<${Cross} />`) : letter(index)}
            </span>
            <span class="option-text">
              <${Formula} text=${option.text} />
              ${option.media && html`<${Picture} address=${option.media} label=${letter(index)} small />`}
            </span>
            <span class="option-sign" aria-hidden="true">${on && html`<${Check} />`}</span>
          </div>
        `;
      })}
    </div>
  `;
}

/**
 * @param {{item: import('../../core/paper.js').Item, value: any,
 *   answer: (value: any, how: 'choice' | 'typing') => void}} props
 */
function Blanks({ item, value, answer }) {
  const { t } = useApp();
  const parts = Array.isArray(value) ? value : [];
  return html`
    <p class="question-hint soft">${t('exam.hint.blank')}</p>
    <div class="blanks">
      ${Array.from(
        { length: item.blanks },
        (_unused, index) => html`
          <label class="blank" key=${index}>
            <span class="blank-label">${t('exam.blank', { n: index + 1 })}</span>
            <input
              class="input"
              data-place=${`blank-${index}`}
              autocomplete="off"
              spellcheck=${false}
              maxlength=${LONGEST.blank}
              value=${parts[index] ?? ''}
              aria-describedby="question-stem"
              onInput=${(/** @type {any} */ event) => answer(filled(item, value, index, event.target.value), 'typing')}
            />
          </label>
        `,
      )}
    </div>
  `;
}

/** @param {{value: any, answer: (value: any, how: 'choice' | 'typing') => void}} props */
function Text({ value, answer }) {
  const { t } = useApp();
  const text = value ?? '';
  return html`
    <label class="longtext">
      <span class="question-hint soft">${t('exam.hint.text')}</span>
      <textarea
        class="input longtext-input"
        data-place="text"
        spellcheck=${false}
        maxlength=${LONGEST.text}
        value=${text}
        aria-label=${t('exam.text')}
        aria-describedby="question-stem"
        onInput=${(/** @type {any} */ event) => {
          const typed = storable(event.target.value);
          answer(typed === '' ? null : typed, 'typing');
        }}
      ></textarea>
      <span class="longtext-count soft number">${t('exam.chars', { n: Array.from(text).length })}</span>
    </label>
  `;
}

/** What the service said about this answer, when it is not simply kept. @param {{view: any}} props */
function Told({ view }) {
  const { t, i18n } = useApp();
  if (view?.state === 'refused') {
    const known = `exam.refused.${view.code}`;
    const reason = t(i18n.has(known) ? known : 'exam.refused.other');
    return html`<p class="note note-bad question-told" role="alert">${t('exam.refused', { reason })}</p>`;
  }
  if (view?.state === 'stranded') return html`<p class="note note-warn question-told">${t('exam.stranded')}</p>`;
  return null;
}
