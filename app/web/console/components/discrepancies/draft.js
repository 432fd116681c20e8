/** At the door: what differs, what the document says, how it was made sure who this is; one press lets them in. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { PICTURE, lacking } from '../../core/discrepancies.js';
import { CaseFiles, named, sendable } from '../cases/files.js';
import { Outcome } from '../panel/panel.js';
import { Lacks } from '../timing/field.js';

const IDENTIFIED = /** @type {const} */ (['card', 'police', 'employer', 'known']);

/** @param {{draft: import('../../core/discrepancies.js').Draft}} props */
export function Draft({ draft }) {
  const { desk, t, i18n } = useApp();
  const { discrepancies } = desk;
  const [files, setFiles] = useState(/** @type {globalThis.File[]} */ ([]));
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const zh = i18n.language.value.startsWith('zh');
  const about = discrepancies.about.value;
  const now = lacking(draft, about, files.some(({ type }) => type.startsWith('image/')));
  useLayoutEffect(() => heading.current?.focus(), []);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now);
    if (now === null && sendable(files)) void discrepancies.submit(named(files));
  };
  return html`<form class="case-draft" onSubmit=${submit} novalidate>
    <h1 tabindex="-1" ref=${heading}>${t('discrepancy.new')}</h1>
    ${about
      ? html`<p class="case-who">
          <strong>${about.candidate.name}</strong> <span class="number">${about.candidate.ticket}</span>
          <span>${about.candidate.room} ${seatText(t, about.candidate.seat)}</span>
        </p>`
      : html`<label class="case-line">
          <span>${t('case.ticket')}</span>
          <input
            class="input number" name="ticket" maxlength="64" value=${draft.ticket} autocomplete="off"
            onInput=${(/** @type {any} */ event) => discrepancies.edit({ ticket: event.target.value })}
            onChange=${() => void discrepancies.loadAbout()}
          />
        </label>`}
    ${about ? html`<${Fields} draft=${draft} about=${about} zh=${zh} />` : null}
    <fieldset>
      <legend>${t('discrepancy.identified')}</legend>
      <div class="case-chips">
        ${IDENTIFIED.map((one) => {
          const words = t(`discrepancy.identified.${one}`);
          return html`<button
            type="button" class="chip" key=${one} aria-pressed=${draft.identified === words ? 'true' : 'false'}
            onClick=${() => discrepancies.edit({ identified: words })}
          >
            ${words}
          </button>`;
        })}
      </div>
      <input
        class="input" name="identified" maxlength="200" value=${draft.identified} aria-label=${t('discrepancy.identified')}
        onInput=${(/** @type {any} */ event) => discrepancies.edit({ identified: event.target.value })}
      />
    </fieldset>
    <${CaseFiles} files=${files} onFiles=${setFiles} />
    <div class="case-grid">
      <label class="case-line">
        <span>${t('case.note')}</span>
        <input
          class="input" name="note" maxlength="1000" value=${draft.note}
          onInput=${(/** @type {any} */ event) => discrepancies.edit({ note: event.target.value })}
        />
      </label>
      <label class="case-line">
        <span>${t('case.toldBy')}</span>
        <input
          class="input" name="toldBy" maxlength="100" value=${draft.toldBy}
          onInput=${(/** @type {any} */ event) => discrepancies.edit({ toldBy: event.target.value })}
        />
      </label>
    </div>
    <${Lacks} words=${lacks !== null && lacks === now ? t(`discrepancy.lacks.${now}`) : null} />
    <${Outcome} at=${['discrepancy']} />
    <div class="case-buttons">
      <button class="button button-primary button-large" aria-disabled=${desk.busy.value === null ? null : 'true'}>
        ${t('discrepancy.submit')}
      </button>
      <button class="button" type="button" onClick=${() => discrepancies.close()}>${t('case.cancel')}</button>
    </div>
  </form>`;
}

/**
 * @param {{
 *   draft: import('../../core/discrepancies.js').Draft, about: import('../../core/discrepancies.js').About, zh: boolean,
 * }} props
 */
function Fields({ draft, about, zh }) {
  const { desk, t } = useApp();
  const { discrepancies } = desk;
  const set = (/** @type {string} */ field, /** @type {string} */ value) =>
    discrepancies.edit({ claims: { ...draft.claims, [field]: value } });
  const control = (/** @type {import('../../core/discrepancies.js').Known} */ known) => {
    const value = draft.claims[known.field] ?? '';
    const label = `${t('discrepancy.claimed')} ${zh ? known.zh : known.en}`;
    if (value === PICTURE) return html`<span class="soft">${t('discrepancy.photo')}</span>`;
    const choices =
      known.field === 'gender'
        ? about.genders.map((one) => ({ id: one, words: one }))
        : known.field === 'id_kind'
          ? about.kinds.map((one) => ({ id: one.id, words: zh ? one.zh : one.en }))
          : null;
    if (choices === null) {
      return html`<input
        class="input" name=${known.field} maxlength="200" value=${value} aria-label=${label} autocomplete="off" spellcheck=${false}
        onInput=${(/** @type {any} */ event) => set(known.field, event.target.value)}
      />`;
    }
    return html`<select
      class="input" name=${known.field} value=${value} aria-label=${label}
      onChange=${(/** @type {any} */ event) => set(known.field, event.target.value)}
    >
      <option value=""></option>
      ${choices.map((one) => html`<option key=${one.id} value=${one.id}>${one.words}</option>`)}
    </select>`;
  };
  return html`<fieldset>
    <legend>${t('discrepancy.which')}</legend>
    <div class="case-chips">
      ${about.fields.map(
        (known) => html`<button
          type="button" class="chip" key=${known.field} data-field=${known.field} disabled=${known.open_by !== null}
          aria-pressed=${known.field in draft.claims ? 'true' : 'false'} onClick=${() => discrepancies.toggle(known.field)}
        >
          ${zh ? known.zh : known.en}${known.open_by === null ? '' : ` · ${t('case.by', { by: known.open_by })}`}
        </button>`,
      )}
    </div>
    ${about.fields
      .filter(({ field }) => field in draft.claims)
      .map(
        (known) => html`<div class="case-differs" key=${known.field}>
          <span>${zh ? known.zh : known.en}</span>
          <span><span class="soft">${t('discrepancy.recorded')}</span> ${zh ? known.recorded_zh : known.recorded_en}</span>
          <span class="case-claim"><span class="soft">${t('discrepancy.claimed')}</span> ${control(known)}</span>
        </div>`,
      )}
  </fieldset>`;
}
