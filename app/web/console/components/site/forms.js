/** Fields of the administration's forms, and the form of an exam. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/**
 * @param {{
 *   label: string, hint?: string, name: string, value: any, onValue: (value: string) => void, type?: string,
 *   required?: boolean, min?: number, max?: number, maxlength?: number, list?: string, disabled?: boolean,
 * }} props
 */
export function Field({ label, hint, name, value, onValue, type = 'text', ...rest }) {
  return html`<label class="field">
    <span class="field-label">${label}</span>
    ${hint ? html`<span class="field-hint">${hint}</span>` : null}
    <input
      class="input" name=${name} type=${type} value=${value} autocomplete="off" ...${rest}
      onInput=${(/** @type {any} */ event) => onValue(event.target.value)}
    />
  </label>`;
}

/** The heading of what opens: brought into sight and read aloud; whatever opened it has the focus again afterwards. */
export function useHeading() {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    heading.current?.focus();
    return () => {
      if (before?.isConnected) before.focus();
    };
  }, []);
  return heading;
}

/**
 * A form beside the list, its heading read aloud as it opens.
 *
 * @param {{title: string, onSubmit: () => void, onClose: () => void, save: string, children?: any, more?: any, busy: boolean}} props
 */
export function Sheet({ title, onSubmit, onClose, save, children, more, busy }) {
  const { t } = useApp();
  const heading = useHeading();
  return html`<form
    class="site-sheet" aria-labelledby="site-sheet-title"
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      onSubmit();
    }}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') onClose();
    }}
  >
    <h2 id="site-sheet-title" tabindex="-1" ref=${heading}>${title}</h2>
    <div class="site-fields">${children}</div>
    <div class="site-buttons">
      <button class="button button-primary" aria-disabled=${busy ? 'true' : null}>${save}</button>
      <button class="button" type="button" onClick=${onClose}>${t('site.cancel')}</button>
      ${more}
    </div>
  </form>`;
}

/** Asked twice before it is gone. @param {{label: string, sure: string, onSure: () => void}} props */
export function Remove({ label, sure, onSure }) {
  const [asking, setAsking] = useState(false);
  return html`<button
    class=${asking ? 'button button-danger' : 'button button-quiet'} type="button"
    onClick=${() => (asking ? onSure() : setAsking(true))}
  >
    ${asking ? sure : label}
  </button>`;
}

/** @param {{exam: import('../../core/site.js').Exam | null}} props */
export function ExamForm({ exam }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const [fields, setFields] = useState(() => ({ code: '', name: exam?.name ?? '', timezone: 'Asia/Shanghai' }));
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => setFields({ ...fields, [name]: value });
  return html`<${Sheet}
    title=${t(exam ? 'site.exam.rename' : 'site.exam.new')} save=${t('site.save')} busy=${desk.busy.value !== null}
    onClose=${() => site.show(null)}
    onSubmit=${() => (exam ? site.renameExam(exam, fields.name) : site.addExam(fields))}
  >
    <${Field} label=${t('site.exam.name')} name="name" value=${fields.name} required maxlength=${100} onValue=${set('name')} />
    ${exam
      ? null
      : html`<${Field}
            label=${t('site.exam.code')} hint=${t('site.exam.code.hint')} name="code" value=${fields.code} required maxlength=${40}
            pattern="[A-Za-z0-9._\\-]+" onValue=${set('code')}
          />
          <${Field} label=${t('site.exam.timezone')} name="timezone" value=${fields.timezone} required maxlength=${100} onValue=${set('timezone')} />`}
  <//>`;
}
