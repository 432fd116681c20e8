/** The fault report of a file: where, what is wrong, how to mend it; a page at a time, and as a file to take along. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { FAULTS_A_PAGE } from '../../core/site.js';
import { saveFile } from '../incidents/file.js';
import { Said } from './job.js';

/** @param {{job: import('../../core/site.js').Job}} props */
export function Faults({ job }) {
  const { desk, i18n, t } = useApp();
  const { site } = desk;
  const { offset, rows } = site.faults.value;
  const language = i18n.language.value.startsWith('zh') ? 'zh' : 'en';
  const save = (/** @type {'xlsx' | 'csv'} */ format) => () =>
    void site.report(job, format, language, (got) => saveFile(got, `${job.name.replace(/\.[^.]*$/, '')}-faults.${format}`));
  const to = Math.min(offset + FAULTS_A_PAGE, job.faults);
  return html`<div class="site-faults">
    <p class="note note-bad" role="alert"><${Said} said=${job.result} /></p>
    <div class="site-buttons">
      <button class="button" onClick=${save('xlsx')}>${t('site.faults.xlsx')}</button>
      <button class="button" onClick=${save('csv')}>${t('site.faults.csv')}</button>
      <span class="site-pager">
        <button class="button" aria-disabled=${offset === 0 ? 'true' : null} onClick=${() => offset > 0 && void site.showFaults(offset - FAULTS_A_PAGE)}>
          ${t('site.faults.back')}
        </button>
        <span class="number" role="status">${t('site.faults.range', { from: offset + 1, to, of: job.faults })}</span>
        <button class="button" aria-disabled=${to >= job.faults ? 'true' : null} onClick=${() => to < job.faults && void site.showFaults(offset + FAULTS_A_PAGE)}>
          ${t('site.faults.next')}
        </button>
      </span>
    </div>
    <div class="site-scroll">
      <table class="site-table site-faults-table">
        <thead>
          <tr>${['where', 'column', 'value', 'what', 'mend'].map((name) => html`<th key=${name} scope="col">${t(`site.faults.${name}`)}</th>`)}</tr>
        </thead>
        <tbody>
          ${rows.map(
            (one, n) => html`<tr key=${offset + n}>
              <th scope="row">${one.sheet}${one.row ? html` <span class="number">${t('site.faults.row', { n: one.row })}</span>` : null}</th>
              <td>${one.column ?? ''} <span class="soft">${one.cell ?? ''}</span></td>
              <td class="site-value">${one.value}</td>
              <td><${Said} said=${one.what} /></td>
              <td><${Said} said=${one.mend} /></td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </div>`;
}
