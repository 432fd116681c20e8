/** One record of misconduct: its facts, everything that was added, and the form to add more. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { MEASURES } from '../../core/misconduct.js';
import { CaseFiles, named, sendable } from '../cases/files.js';
import { Papers } from '../cases/papers.js';
import { EvidenceFile } from '../incidents/file.js';
import { hour } from '../incidents/incidents.js';
import { Outcome } from '../panel/panel.js';
import { Choice } from '../timing/field.js';
import { MeasureMark } from './misconduct.js';

/** @typedef {import('../../core/misconduct.js').Misconduct} Record */

const KINDS = /** @type {const} */ (['note', 'witness', 'told', 'evidence', 'measure']);

export function One() {
  const { desk, t, i18n } = useApp();
  const of = desk.misconduct.one.value;
  const zh = i18n.language.value.startsWith('zh');
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), [of?.id]);
  if (of === null) return html`<p class="page-wait" role="status">${t('incident.opening')}</p>`;
  return html`<article class="case-one">
    <header class="case-head">
      <button class="button" onClick=${() => desk.misconduct.open(null)}>${t('case.back')}</button>
      <h1 tabindex="-1" ref=${heading}>${of.name} <span class="number">${of.ticket}</span></h1>
      <span class="case-sealed">${t('misconduct.sealed')}</span>
      <span class="case-gap"></span>
      <${Papers} path=${`/misconduct/${of.id}/report?`} name=${`misconduct-${of.id}`} forms=${['xlsx', 'docx']} />
    </header>
    <dl class="case-facts">
      <div><dt>${t('misconduct.room')}</dt><dd>${of.room} ${seatText(t, of.seat)}</dd></div>
      <div><dt>${t('misconduct.seen')}</dt><dd class="number">${hour(of.seen_at)}</dd></div>
      <div><dt>${t('misconduct.by')}</dt><dd>${of.by}${of.told_by ? t('incident.told', { who: of.told_by }) : ''}</dd></div>
      <div><dt>${t('misconduct.second')}</dt><dd>${of.second_staff}</dd></div>
      <div>
        <dt>${t('misconduct.told')}</dt>
        <dd>${t(of.told ? 'misconduct.told.told' : 'misconduct.told.no')} · ${zh ? of.signature_zh : of.signature_en}</dd>
      </div>
      <div><dt>${t('misconduct.measure')}</dt><dd><${MeasureMark} head=${of} zh=${zh} /></dd></div>
    </dl>
    <p class="case-text">${of.facts}</p>
    ${of.may.write ? html`<${Write} of=${of} />` : null}
    <ol class="case-entries">
      ${[...of.entries].reverse().map(
        (entry) => html`<li key=${entry.id}>
          <span class="number soft">${hour(entry.at)}</span>
          <span class="soft">${entry.by}</span>
          <span>${said(entry, t)}</span>
          ${entry.evidence ? html`<${EvidenceFile} file=${entry.evidence} />` : null}
        </li>`,
      )}
    </ol>
  </article>`;
}

/** @param {import('../../core/misconduct.js').Entry} entry @param {any} t */
function said({ kind, data }, t) {
  const words = [t(`misconduct.kind.${kind}`)];
  if (kind === 'witness') words.push(data.name);
  if (kind === 'told') words.push(t(`misconduct.told.${data.signature || 'told'}`));
  if (kind === 'measure') words.push(t(`misconduct.measure.${data.measure}`));
  if (data.text) words.push(data.text);
  return words.join(' · ');
}

/** @param {{of: Record}} props */
function Write({ of }) {
  const { desk, t } = useApp();
  const [kind, setKind] = useState(/** @type {typeof KINDS[number]} */ ('note'));
  const [text, setText] = useState('');
  const [name, setName] = useState('');
  const [signature, setSignature] = useState('');
  const [measure, setMeasure] = useState('');
  const [files, setFiles] = useState(/** @type {globalThis.File[]} */ ([]));
  const others = MEASURES.filter((one) => one !== of.measure && (of.may.remove || (one !== 'removed' && of.measure !== 'removed')));
  const ready = {
    note: text.trim() !== '',
    witness: name.trim() !== '',
    told: true,
    evidence: files.length > 0 && sendable(files),
    measure: measure !== '' && text.trim() !== '',
  }[kind];
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    const more = { note: {}, witness: { name: name.trim() }, told: { signature }, evidence: {}, measure: { measure } }[kind];
    if (!(await desk.misconduct.write(of, { kind, text: text.trim(), ...more }, kind === 'evidence' ? named(files) : []))) return;
    setText('');
    setName('');
    setFiles([]);
    setMeasure('');
  };
  return html`<form class="case-write" onSubmit=${submit}>
    <${Choice}
      name="add" value=${kind} onChange=${(/** @type {any} */ one) => setKind(one)}
      options=${KINDS.filter((one) => one !== 'measure' || others.length > 0).map((value) => ({ value, words: t(`misconduct.kind.${value}`) }))}
    />
    ${kind === 'witness'
      ? html`<input class="input" name="witness" maxlength="100" value=${name} aria-label=${t('misconduct.witness')} placeholder=${t('misconduct.witness')} onInput=${(/** @type {any} */ event) => setName(event.target.value)} />`
      : null}
    ${kind === 'told'
      ? html`<${Choice}
          name="signature" value=${signature || 'told'} onChange=${(/** @type {any} */ one) => setSignature(one === 'told' ? '' : one)}
          options=${['told', 'signed', 'refused'].map((value) => ({ value, words: t(`misconduct.told.${value}`) }))}
        />`
      : null}
    ${kind === 'measure'
      ? html`<${Choice}
          name="change" value=${measure} onChange=${(/** @type {any} */ one) => setMeasure(one)}
          options=${others.map((value) => ({ value, words: t(`misconduct.measure.${value}`) }))}
        />`
      : null}
    ${kind === 'evidence' ? html`<${CaseFiles} files=${files} onFiles=${setFiles} />` : null}
    <textarea
      class="input" name="text" rows="2" maxlength="4000" value=${text}
      aria-label=${t(kind === 'measure' ? 'misconduct.why' : 'case.note')} placeholder=${t(kind === 'measure' ? 'misconduct.why' : 'case.note')}
      onInput=${(/** @type {any} */ event) => setText(event.target.value)}
    ></textarea>
    <div class="case-buttons">
      <button
        class=${kind === 'measure' && measure === 'removed' ? 'button button-danger' : 'button button-primary'}
        aria-disabled=${ready && desk.busy.value === null ? null : 'true'}
      >
        ${t(kind === 'measure' && measure === 'removed' ? 'misconduct.remove' : 'case.add')}
      </button>
    </div>
    <${Outcome} at=${['misconduct write']} />
  </form>`;
}
