/** A new record: facts, when, which two saw it, whether the candidate was told and signed, what became of the sitting. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { MEASURES, lacking } from '../../core/misconduct.js';
import { CaseFiles, named, sendable } from '../cases/files.js';
import { Outcome } from '../panel/panel.js';
import { Choice, Lacks } from '../timing/field.js';

/** @param {{draft: import('../../core/misconduct.js').Draft}} props */
export function Draft({ draft }) {
  const { desk, t } = useApp();
  const { misconduct } = desk;
  const [files, setFiles] = useState(/** @type {globalThis.File[]} */ ([]));
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const [asked, setAsked] = useState(false);
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const may = desk.staff.value?.may ?? [];
  const now = lacking(draft);
  useLayoutEffect(() => heading.current?.focus(), []);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now);
    if (now !== null || !sendable(files)) return;
    // It ends somebody's exam: pressed twice, the second time by its own name.
    if (draft.measure === 'removed' && !asked) setAsked(true);
    else void misconduct.submit(named(files));
  };
  const line = (/** @type {'ticket' | 'second' | 'minutes' | 'witness' | 'toldBy'} */ name, most = 100) =>
    html`<label class="case-line">
      <span>${t(name === 'ticket' || name === 'toldBy' ? `case.${name}` : `misconduct.${name}`)}</span>
      <input
        class="input" name=${name} maxlength=${most} value=${draft[name]} autocomplete="off" inputmode=${name === 'minutes' ? 'numeric' : null}
        onInput=${(/** @type {any} */ event) => misconduct.edit({ [name]: event.target.value })}
      />
    </label>`;
  return html`<form class="case-draft" onSubmit=${submit} novalidate>
    <h1 tabindex="-1" ref=${heading}>${t('misconduct.new')}</h1>
    <p class="soft">${t('misconduct.hint')}</p>
    ${draft.name
      ? html`<p class="case-who"><strong>${draft.name}</strong> <span class="number">${draft.ticket}</span></p>`
      : line('ticket', 64)}
    <label class="case-line">
      <span>${t('misconduct.facts')}</span>
      <textarea
        class="input" name="facts" rows="3" maxlength="4000" value=${draft.facts}
        onInput=${(/** @type {any} */ event) => misconduct.edit({ facts: event.target.value })}
      ></textarea>
    </label>
    <div class="case-grid">${line('second')}${line('minutes', 3)}${line('witness')}${line('toldBy')}</div>
    <fieldset>
      <legend>${t('misconduct.told')}</legend>
      <${Choice}
        name="told" value=${draft.told ? draft.signature || 'told' : 'no'}
        onChange=${(/** @type {any} */ one) =>
          misconduct.edit({ told: one !== 'no', signature: one === 'signed' || one === 'refused' ? one : '' })}
        options=${['no', 'told', 'signed', 'refused'].map((value) => ({ value, words: t(`misconduct.told.${value}`) }))}
      />
    </fieldset>
    <fieldset>
      <legend>${t('misconduct.measure')}</legend>
      <${Choice}
        name="measure" value=${draft.measure}
        onChange=${(/** @type {any} */ measure) => {
          setAsked(false);
          misconduct.edit({ measure });
        }}
        options=${MEASURES.filter((one) => one !== 'removed' || may.includes('misconduct-remove')).map((value) => ({
          value, words: t(`misconduct.measure.${value}`),
        }))}
      />
    </fieldset>
    <${CaseFiles} files=${files} onFiles=${setFiles} />
    <${Lacks} words=${lacks !== null && lacks === now ? t(`misconduct.lacks.${now}`) : null} />
    <${Outcome} at=${['misconduct']} />
    ${asked ? html`<p class="note note-warn" role="alert">${t('misconduct.sure')}</p>` : null}
    <div class="case-buttons">
      <button
        class=${draft.measure === 'removed' ? 'button button-danger button-large' : 'button button-primary button-large'}
        aria-disabled=${desk.busy.value === null ? null : 'true'}
      >
        ${t(asked ? 'misconduct.remove' : 'misconduct.submit')}
      </button>
      <button class="button" type="button" onClick=${() => misconduct.close()}>${t('case.cancel')}</button>
    </div>
  </form>`;
}
