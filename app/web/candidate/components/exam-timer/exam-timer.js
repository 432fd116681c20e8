/**
 * The time left. The digits are for eyes only; a screen reader hears rounded minutes at thresholds, politely, and the
 * end assertively. The digits never blink or jump about.
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp, useTick } from '../../app.js';
import { digits } from '../../core/timer.js';
import { Clock } from '../icons/icons.js';
import { TimeWhy } from '../time-why/time-why.js';

const SOON_MS = 10 * 60000;
const LAST_MS = 60000;

export function ExamTimer() {
  const { t, state, sitting } = useApp();
  useTick(250);
  const [open, setOpen] = useState(false);
  const work = state.value.work;
  const remaining = sitting.work()?.timer.remaining() ?? 0;
  const paused = work?.clock?.state === 'paused';
  const tone = remaining <= LAST_MS ? ' exam-timer-last' : remaining <= SOON_MS ? ' exam-timer-soon' : '';
  const zero = remaining === 0 && work?.clock?.state === 'running';
  const said = work?.said ?? null;
  return html`
    <details
      class=${`exam-timer${tone}`}
      ref=${closesOutside}
      onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}
    >
      <summary aria-label=${t('timer.why')}>
        <${Clock} />
        <span class="exam-timer-label">${t(paused ? 'timer.paused' : 'timer.label')}</span>
        <span class="exam-timer-digits number" aria-hidden="true">${digits(remaining)}</span>
      </summary>
      <div class="popover"><${TimeWhy} asked=${open} /></div>
    </details>
    <p class="sr-only" aria-live="polite">${said && !zero ? t('timer.speak', { n: said.minutes }) : ''}</p>
    <p class="sr-only" aria-live="assertive">${zero ? t('timer.zero') : ''}</p>
  `;
}

/**
 * A popover closes when the candidate goes on working.
 *
 * @param {HTMLDetailsElement | null} element
 */
export function closesOutside(element) {
  if (!element || element.dataset.closes) return;
  element.dataset.closes = 'yes';
  const close = (/** @type {Event} */ event) => {
    const outside = !element.contains(/** @type {Node} */ (event.target));
    const escape = event instanceof KeyboardEvent && event.key === 'Escape';
    if (element.open && (outside || escape)) element.open = false;
  };
  document.addEventListener('click', close);
  document.addEventListener('keydown', close);
}
