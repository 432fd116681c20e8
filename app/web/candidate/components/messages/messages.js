/**
 * What happened to the candidate's time and what the office has to say: one line each, gone when dismissed. On every
 * screen, and politely: a line that comes takes no focus and moves nothing that is being clicked.
 */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { durationText, useApp } from '../../app.js';
import { Bell } from '../icons/icons.js';

/** Lines at once; older ones come back when the newer are dismissed. */
const MOST = 3;

/**
 * @typedef {{id: string, text: string, notice: number | null}} Line
 */
export function Messages() {
  const { t, state, sitting, zh } = useApp();
  const [dismissed, setDismissed] = useState(/** @type {string[]} */ ([]));
  const lines = linesOf(state.value, t, zh)
    .filter((line) => !dismissed.includes(line.id))
    .slice(-MOST);
  const shown = lines.flatMap((line) => (line.notice === null ? [] : [line.notice]));
  const key = shown.join();
  const seen = useSeen();
  useEffect(() => {
    // On the screen, and somebody can look at it: this is what the office's count of confirmed pages rests on.
    if (seen && shown.length) sitting.work()?.noticesShown(shown);
  }, [key, seen]);

  /** @param {Line} line */
  const dismiss = ({ id, notice }) => {
    if (notice === null) setDismissed([...dismissed, id]);
    else sitting.work()?.dismiss(notice);
  };

  return html`
    <div class="messages" role="status" aria-live="polite">
      ${lines.map(
        (line) => html`
          <div class="note note-info message" key=${line.id}>
            <p>
              ${line.notice !== null &&
              html`<strong class="message-from"><${Bell} />${t('messages.office')}</strong>${' '}`}
              <span>${line.text}</span>
            </p>
            <button type="button" class="button button-quiet" onClick=${() => dismiss(line)}>${t('messages.dismiss')}</button>
          </div>
        `,
      )}
    </div>
  `;
}

/** Whether the window is one that can be looked at. */
function useSeen() {
  const [seen, setSeen] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const look = () => setSeen(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  return seen;
}

/**
 * @param {import('../../app.js').SittingState} state
 * @param {(key: string, params?: Record<string, unknown>) => string} t
 * @param {boolean} zh
 * @returns {Line[]} oldest first
 */
function linesOf({ work, storage }, t, zh) {
  if (!work) return [];
  const { gapMs, changedByMs, notices } = work;
  /** @type {Line[]} */
  const lines = [];
  /** @param {string} id @param {string} text */
  const own = (id, text) => lines.push({ id, text, notice: null });
  if (storage === 'memory') own('storage', t('app.storage'));
  if (gapMs > 0) own(`gap-${gapMs}`, t('exam.gap', { time: durationText(t, gapMs) }));
  else if (changedByMs > 0) own(`more-${changedByMs}`, t('exam.changed.more', { time: durationText(t, changedByMs) }));
  else if (changedByMs < 0) own(`less-${changedByMs}`, t('exam.changed.less'));
  for (const notice of notices) {
    lines.push({ id: `notice-${notice.id}`, text: zh ? notice.zh : notice.en, notice: notice.id });
  }
  return lines;
}
