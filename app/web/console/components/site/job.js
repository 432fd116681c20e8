/** The job of the exam: how far it is, what it found, and what a person has to say to it. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { moves } from '../../core/site-picture.js';

/** @typedef {import('../../core/site.js').Job} Job */

/** What is under way, on every tab; nothing where nobody works. */
export function JobStrip() {
  const { desk, t } = useApp();
  const { site } = desk;
  const job = site.job.value;
  if (job === null || !(moves(job) || job.state === 'checked')) return null;
  const where = job.kind === 'draw' ? 'draw' : 'import';
  return html`<div class="site-job" data-state=${job.state}>
    <p role="status">
      <strong>${t(`site.job.${job.kind}`, { name: job.name })}</strong>
      <span class="soft"> · ${t(job.state === 'checked' ? 'site.job.waits' : 'site.job.by', { by: job.by })}</span>
    </p>
    ${moves(job) ? html`<${Bar} job=${job} />` : null}
    ${site.tab.value === where
      ? null
      : html`<button class="button" onClick=${() => site.turn(where)}>${t('site.job.look')}</button>`}
  </div>`;
}

/** @param {{job: Job}} props */
export function Bar({ job }) {
  const { t } = useApp();
  const stage = t(`site.stage.${job.stage || 'waiting'}`);
  return html`<div class="site-bar">
    <progress max="100" value=${job.percent} aria-label=${stage}></progress>
    <span class="number">
      ${stage}${job.percent !== null ? ` ${job.percent}%` : job.done > 0 ? ` ${t('site.stage.rows', { n: job.done })}` : ''}
    </span>
  </div>`;
}

/** A sentence the service says in both languages. @param {{said: {zh: string, en: string}}} props */
export function Said({ said }) {
  const { i18n } = useApp();
  return i18n.language.value.startsWith('zh') ? said.zh : said.en;
}
