/** Rosters and banks from files: sent, checked, shown, and brought in when somebody says so. */
import { html, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { isOpen, moves } from '../../core/site-picture.js';
import { saveFile } from '../incidents/file.js';
import { Faults } from './faults.js';
import { Said } from './job.js';

const KINDS = /** @type {const} */ (['roster', 'bank']);
const ACCEPTED = '.xlsx,.csv,.zip';
/** In the order people ask. */
const COUNTS = [
  'candidates', 'allocations', 'sessions', 'buildings', 'rooms', 'seats', 'spare_seats', 'items', 'single', 'multiple',
  'true_false', 'blank', 'text', 'media',
];
/** How many of a file's differences are listed at once. */
const LISTED = 40;

export function Imports() {
  const { desk, t } = useApp();
  const { site } = desk;
  const job = site.job.value;
  const shown = job !== null && job.kind !== 'draw' ? job : null;
  return html`<section class="site-import" aria-label=${t('site.tab.import')}>
    ${shown && !moves(shown) ? html`<${Found} job=${shown} />` : null}
    ${isOpen(job) ? null : html`<${Send} />`}
    ${job?.kind === 'draw' && moves(job) ? html`<p class="soft">${t('site.import.after-draw')}</p>` : null}
  </section>`;
}

function Send() {
  const { desk, t } = useApp();
  const { site } = desk;
  const [kind, setKind] = useState(/** @type {'roster' | 'bank'} */ ('roster'));
  const [add, setAdd] = useState(false);
  const [chosen, setChosen] = useState(/** @type {File | null} */ (null));
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const busy = desk.busy.value !== null;
  return html`<form
    class="site-send"
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (chosen === null) return input.current?.focus();
      await site.upload(kind, chosen, kind === 'bank' && add);
    }}
  >
    <fieldset class="site-kinds">
      <legend>${t('site.import.what')}</legend>
      ${KINDS.map(
        (one) => html`<label key=${one} class="site-choice">
          <input type="radio" name="kind" checked=${kind === one} onChange=${() => setKind(one)} />
          <span>${t(`site.import.${one}`)}</span>
        </label>`,
      )}
    </fieldset>
    <label class="field">
      <span class="field-label">${t('site.import.file')}</span>
      <span class="field-hint">${t(`site.import.${kind}.hint`)}</span>
      <input
        class="input" type="file" accept=${ACCEPTED} ref=${input}
        onChange=${(/** @type {any} */ event) => setChosen(event.target.files[0] ?? null)}
      />
    </label>
    ${kind === 'bank'
      ? html`<label class="site-choice">
          <input type="checkbox" checked=${add} onChange=${(/** @type {any} */ event) => setAdd(event.target.checked)} />
          <span>${t('site.import.add')}</span>
        </label>`
      : null}
    <div class="site-buttons">
      <button class="button button-primary" aria-disabled=${busy ? 'true' : null}>${t(busy ? 'site.import.sending' : 'site.import.check')}</button>
      <button
        class="button button-quiet" type="button"
        onClick=${() => void site.template(kind, (got) => saveFile(got, `${kind}-template.xlsx`))}
      >
        ${t('site.import.template')}
      </button>
    </div>
    <p class="soft">${t('site.import.promise')}</p>
  </form>`;
}

/** What the job found or did. @param {{job: import('../../core/site.js').Job}} props */
function Found({ job }) {
  const { t } = useApp();
  const { result } = job;
  if (job.state === 'faulty') return html`<${Faults} job=${job} />`;
  if (job.state === 'lost') return html`<p class="note note-bad" role="alert">${t('site.job.lost', { name: job.name })}</p>`;
  if (job.state === 'discarded') return html`<p class="soft">${t('site.job.discarded', { name: job.name })}</p>`;
  if (job.state === 'failed' || (job.state === 'refused' && !result.outcome)) {
    return html`<p class="note note-bad" role="alert">${job.name}: <${Said} said=${result} /></p>`;
  }
  return html`<${Plan} job=${job} />`;
}

/** The differences, and the question. @param {{job: import('../../core/site.js').Job}} props */
function Plan({ job }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const { result } = job;
  const asks = job.state === 'checked';
  const busy = desk.busy.value !== null;
  const counts = COUNTS.filter((name) => result.counts[name] > 0).map((name) => [name, result.counts[name]]);
  const said = { name: job.name, exam: result.exam.name, n: result.count };
  return html`<div class="site-plan">
    <h2 role="status">${t(`site.outcome.${result.outcome}`, said)}</h2>
    <ul class="site-counts">
      ${counts.map(([name, n]) => html`<li key=${name}><strong class="number">${n.toLocaleString('en')}</strong> ${t(`site.count.${name}`)}</li>`)}
    </ul>
    ${result.blocked.length > 0
      ? html`<ul class="note note-bad">
          ${result.blocked.map((/** @type {any} */ one, /** @type {number} */ n) => html`<li key=${n}><${Said} said=${one} /></li>`)}
        </ul>`
      : null}
    ${[...result.remarks, ...result.notes].map(
      (/** @type {any} */ one, /** @type {number} */ n) => html`<p key=${n} class="note note-warn">
        <${Said} said=${one} />${one.count ? ` (${one.count}: ${one.places.join('、')}${one.count > one.places.length ? '…' : ''})` : ''}
      </p>`,
    )}
    ${asks
      ? html`<div class="site-buttons">
          <button class="button button-primary button-large" aria-disabled=${busy ? 'true' : null} onClick=${() => void site.confirm(job)}>
            ${t(result.outcome === 'would-change' ? 'site.import.apply' : 'site.import.do', { n: result.count })}
          </button>
          <button class="button" aria-disabled=${busy ? 'true' : null} onClick=${() => void site.discard(job)}>${t('site.import.discard')}</button>
        </div>`
      : null}
    ${['would-change', 'changed', 'blocked'].includes(result.outcome)
      ? html`<ul class="site-changes">
            ${result.changes.slice(0, LISTED).map((/** @type {any} */ one, /** @type {number} */ n) => html`<li key=${n}><${Said} said=${one} /></li>`)}
          </ul>
          ${result.count > LISTED ? html`<p class="soft">${t('site.import.more', { n: result.count - LISTED })}</p>` : null}`
      : null}
  </div>`;
}
