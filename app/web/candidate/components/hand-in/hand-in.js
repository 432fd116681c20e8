/** Before the paper is handed in: what is not finished, one click from each number back to its question. */
import { html, useEffect, useRef } from '../../../shared/ui.js';
import { durationText, useApp } from '../../app.js';
import { isAnswered } from '../../core/paper.js';
import { Cell } from '../answer-card/answer-card.js';

/** @param {{onClose: () => void, onJump: (position: number) => void}} props */
export function HandInDialog({ onClose, onJump }) {
  const { t, state, sitting, i18n } = useApp();
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // Taken off the screen by a pause it is not closed: it is there again when the exam goes on.
  const gone = useRef(false);
  useEffect(() => {
    dialog.current?.showModal();
    return () => {
      gone.current = true;
      dialog.current?.close();
    };
  }, []);
  const work = state.value.work;
  if (!work?.paper) return null;
  const { paper, marked, handInProblem: problem } = work;
  const open = paper.items.filter((item) => !isAnswered(item, sitting.work()?.view(item.item)?.value));
  const flagged = paper.items.filter((item) => marked.includes(item.item));
  const early = problem?.code === 'too-early-to-hand-in' ? Number(problem.params.in_ms) : null;

  return html`
    <dialog class="hand-in" ref=${dialog} aria-labelledby="hand-in-title" onClose=${() => gone.current || onClose()}>
      <h1 id="hand-in-title">${t('handIn.title')}</h1>
      ${problem &&
      html`
        <p class="note note-bad" role="alert">
          ${early !== null
            ? t('handIn.early', { time: durationText(t, early) })
            : t('handIn.refused', { reason: problem.text(i18n.language.value) })}
        </p>
      `}
      ${open.length === 0
        ? html`<p class="note note-good">${t('handIn.all', { total: paper.items.length })}</p>`
        : html`
            <p class="hand-in-lead">${t('handIn.some', { n: open.length })}</p>
            <ul class="hand-in-list">
              ${open.map(
                (item) => html`
                  <li key=${item.item}>
                    <${Cell} item=${item} marked=${marked.includes(item.item)} onPick=${onJump} />
                  </li>
                `,
              )}
            </ul>
          `}
      ${flagged.length > 0 &&
      html`
        <p class="hand-in-lead">${t('handIn.marked', { n: flagged.length })}</p>
        <ul class="hand-in-list">
          ${flagged.map((item) => html`<li key=${item.item}><${Cell} item=${item} marked onPick=${onJump} /></li>`)}
        </ul>
      `}
      <p class="soft">${t('handIn.warn')}</p>
      <div class="hand-in-actions">
        <button type="button" class="button button-large button-primary" autofocus onClick=${onClose}>
          ${t('handIn.back')}
        </button>
        <button type="button" class="button button-large" onClick=${() => void sitting.work()?.handIn()}>
          ${t('handIn.confirm')}
        </button>
      </div>
    </dialog>
  `;
}
