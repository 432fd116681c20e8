/** A report as it is wanted: printed, or as a file. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { printPage, saveFile } from '../incidents/file.js';

/** @param {{path: string, name: string, forms: readonly string[]}} props `path` ends where `format=` goes on */
export function Papers({ path, name, forms }) {
  const { desk, t, i18n } = useApp();
  const [fault, setFault] = useState(false);
  const language = i18n.language.value.startsWith('zh') ? 'zh' : 'en';
  const get = async (/** @type {string} */ form) => {
    setFault(false);
    try {
      const blob = await desk.file(`${path}format=${form}&language=${language}`);
      if (form === 'html') await printPage(await blob.text());
      else saveFile(blob, `${name}.${form}`);
    } catch {
      // Whatever it was: there is no paper, and a second try is the only remedy.
      setFault(true);
    }
  };
  return html`<div class="case-papers">
    <button class="button" onClick=${() => void get('html')}>${t('case.print')}</button>
    ${forms.map((form) => html`<button key=${form} class="button button-quiet" onClick=${() => void get(form)}>.${form}</button>`)}
    ${fault ? html`<p class="note note-bad" role="alert">${t('case.noPaper')}</p>` : null}
  </div>`;
}
