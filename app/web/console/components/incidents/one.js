/** One incident: the plan's steps to tick, what is written down, and what was done in the system meanwhile. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { timeline } from '../../core/incident-draft.js';
import { Outcome } from '../panel/panel.js';
import { EvidenceFile, saveFile, printPage } from './file.js';
import { State, hour, titleOf, whereOf } from './incidents.js';
import { Write } from './write.js';

/** @typedef {import('../../core/incidents.js').Incident} Incident */

export function One() {
  const { desk, t, i18n } = useApp();
  const told = desk.incidents.one.value;
  const zh = i18n.language.value.startsWith('zh');
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), [told?.id]);
  if (told === null) return html`<p class="page-wait" role="status">${t('incident.opening')}</p>`;
  return html`<article class="incident">
    <header class="incident-head">
      <button class="button button-quiet incident-back" onClick=${() => desk.incidents.close()}>${t('incident.back')}</button>
      <h2 tabindex="-1" ref=${heading}><span class="number">#${told.number}</span> ${titleOf(told, zh)}</h2>
      <p class="incident-facts">
        <${State} head=${told} />
        <span>${t('incident.plan')} ${told.plan} ${zh ? told.plan_zh : told.plan_en}</span>
        <span>${whereOf(told, t)}</span>
        <span class="number">${hour(told.from)}–${hour(told.to)}</span>
        <span class="soft">${t('incident.openedBy', { by: told.by })}${told.told_by ? t('incident.told', { who: told.told_by }) : ''}</span>
        ${told.signed_by ? html`<span>${t('incident.signedBy', { by: told.signed_by, at: hour(told.signed_at) })}</span>` : null}
      </p>
    </header>
    <${Papers} of=${told} />
    <div class="incident-two">
      <div class="incident-left">
        <${Steps} of=${told} zh=${zh} />
        ${told.people.length > 0 ? html`<${People} of=${told} />` : null}
      </div>
      <div class="incident-right">
        ${told.may.write && told.state !== 'signed' ? html`<${Write} of=${told} />` : null}
        <${Timeline} of=${told} zh=${zh} />
      </div>
    </div>
  </article>`;
}

/** Paper, and the end of it. @param {{of: Incident}} props */
function Papers({ of }) {
  const { desk, t, i18n } = useApp();
  const language = i18n.language.value.startsWith('zh') ? 'zh' : 'en';
  const [turn, setTurn] = useState(/** @type {'close' | 'reopen' | 'sign' | null} */ (null));
  const [fault, setFault] = useState(false);
  const report = async (/** @type {'html' | 'xlsx' | 'docx'} */ form) => {
    setFault(false);
    try {
      const blob = await desk.file(`/incidents/${of.id}/report?format=${form}&language=${language}`);
      if (form === 'html') await printPage(await blob.text());
      else saveFile(blob, `incident-${of.number}.${form}`);
    } catch {
      // Whatever it was: there is no paper, and a second try is the only remedy.
      setFault(true);
    }
  };
  const turns = /** @type {const} */ ([
    ['close', of.state === 'open' && of.may.close],
    ['sign', of.state === 'closed' && of.may.sign],
    ['reopen', (of.state === 'closed' && of.may.close) || (of.state === 'signed' && of.may.sign)],
  ]);
  return html`<div class="incident-papers">
    <button class="button" onClick=${() => void report('html')}>${t('incident.print')}</button>
    <button class="button button-quiet" onClick=${() => void report('xlsx')}>.xlsx</button>
    <button class="button button-quiet" onClick=${() => void report('docx')}>.docx</button>
    <span class="incident-gap"></span>
    ${turns.map(([name, may]) =>
      may
        ? html`<button
            key=${name} class=${name === 'reopen' ? 'button' : 'button button-primary'} aria-expanded=${turn === name ? 'true' : 'false'}
            onClick=${() => setTurn(turn === name ? null : name)}
          >
            ${t(`incident.turn.${name}`)}
          </button>`
        : null,
    )}
    ${fault ? html`<p class="note note-bad" role="alert">${t('incident.noPaper')}</p>` : null}
    ${turn !== null ? html`<${Turn} key=${turn} of=${of} how=${turn} onDone=${() => setTurn(null)} />` : null}
  </div>`;
}

/** @param {{of: Incident, how: 'close' | 'reopen' | 'sign', onDone: () => void}} props */
function Turn({ of, how, onDone }) {
  const { desk, t } = useApp();
  const [note, setNote] = useState('');
  const left = of.steps.filter(({ done }) => done === null).length;
  const field = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => field.current?.focus(), []);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await desk.incidents.turn(of, how, note.trim())) onDone();
  };
  return html`<form class="incident-turn" onSubmit=${submit}>
    <p>
      ${t(`incident.turn.${how}.hint`)} ${how === 'close' && left > 0 ? html`<strong>${t('incident.left', { n: left })}</strong>` : null}
    </p>
    <label>
      <span class="sr-only">${t(how === 'reopen' ? 'incident.why' : 'incident.note')}</span>
      <textarea
        class="input" rows="2" maxlength="4000" value=${note} ref=${field} placeholder=${t(how === 'reopen' ? 'incident.why' : 'incident.note')}
        onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
      ></textarea>
    </label>
    <${Outcome} at=${[`incident ${how}`]} />
    <div class="incident-buttons">
      <button class="button button-primary" aria-disabled=${desk.busy.value !== null ? 'true' : null}>${t(`incident.turn.${how}.sure`)}</button>
      <button class="button button-quiet" type="button" onClick=${onDone}>${t('incident.cancel')}</button>
    </div>
  </form>`;
}

/** @param {{of: Incident, zh: boolean}} props */
function Steps({ of, zh }) {
  const { desk, t } = useApp();
  const { incidents } = desk;
  const may = of.may.write && of.state === 'open';
  const done = of.steps.filter((step) => step.done !== null).length;
  return html`<section>
    <h3>${t('incident.steps')} <span class="soft number">${done}/${of.steps.length}</span></h3>
    <ol class="incident-steps">
      ${of.steps.map(
        (step, n) => html`<li key=${step.id} data-done=${step.done ? 'yes' : null}>
          <button
            class="incident-step" role="checkbox" aria-checked=${step.done ? 'true' : 'false'} disabled=${!may}
            onClick=${() => void incidents.write(of.id, 'incident step', { kind: 'step', step: step.id, done: step.done === null })}
          >
            <span class="incident-box" aria-hidden="true">${step.done ? '✓' : n + 1}</span>
            <span>
              ${zh ? step.zh : step.en}
              ${step.done
                ? html`<span class="incident-step-by"><span class="number">${hour(step.done.at)}</span> ${step.done.by} ${step.done.note}</span>`
                : null}
            </span>
          </button>
        </li>`,
      )}
    </ol>
    <${Outcome} at=${['incident step']} />
  </section>`;
}

/** @param {{of: Incident}} props */
function People({ of }) {
  const { t } = useApp();
  return html`<section>
    <h3>${t('incident.people')} <span class="soft number">${of.people.length}</span></h3>
    <ul class="incident-people">
      ${of.people.map(
        (one) => html`<li key=${one.ticket}>
          <strong>${one.name}</strong> <span class="number">${one.ticket}</span>
          <span class="soft">${one.room ?? ''} ${one.seat ?? ''}</span>
        </li>`,
      )}
    </ul>
  </section>`;
}

/** @param {{of: Incident, zh: boolean}} props */
function Timeline({ of, zh }) {
  const { t } = useApp();
  return html`<section>
    <h3>${t('incident.timeline')}</h3>
    <ol class="incident-timeline">
      ${timeline(of).map((line) => {
        const action = 'source' in line;
        return html`<li key=${`${action ? line.source : 'entry'} ${line.id}`} data-kind=${action ? 'action' : line.kind}>
          <span class="number incident-at">${hour(line.at)}</span>
          <div>
            ${action ? html`<span class="incident-auto">${t('incident.auto')}</span>` : null} ${zh ? line.zh : line.en}
            ${'evidence' in line && line.evidence ? html`<${EvidenceFile} file=${line.evidence} />` : null}
            <span class="soft incident-by">
              ${line.by || t('incident.system')}${'told_by' in line && line.told_by ? t('incident.told', { who: line.told_by }) : ''}
            </span>
          </div>
        </li>`;
      })}
    </ol>
  </section>`;
}
