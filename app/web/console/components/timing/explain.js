/** Why one candidate's end is what it is, in the line that the candidate reads too; on request. */
import { html, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';

/** @param {{attempt: string}} props */
export function Explain({ attempt }) {
  const app = useApp();
  const { desk, t, i18n } = app;
  const [told, setTold] = useState(/** @type {any} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const ask = async () => {
    try {
      setTold(await desk.timing.explain(attempt));
      setFault(null);
    } catch (error) {
      setFault(error);
    }
  };
  return html`<div class="explain" aria-live="polite">
    ${told
      ? html`<p>${i18n.language.value.startsWith('zh') ? told.explain_zh : told.explain_en}</p>`
      : html`<button class="button-link" type="button" onClick=${() => void ask()}>${t('timing.one.explain')}</button>`}
    ${fault ? html`<p class="note note-bad">${wordsFor(app, fault)}</p>` : null}
  </div>`;
}
