/** The exam: one question, its options, the time, and where the answers are. Everything in one view, nothing moves. */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { durationText, seatText, useApp } from '../../app.js';
import { isAnswered, picked } from '../../core/paper.js';
import { AnswerCard } from '../answer-card/answer-card.js';
import { ConnectionBanner } from '../connection-banner/connection-banner.js';
import { ExamTimer } from '../exam-timer/exam-timer.js';
import { LookBar } from '../frame/frame.js';
import { HandInDialog } from '../hand-in/hand-in.js';
import { Flag, Left, Pause, Right } from '../icons/icons.js';
import { Question } from '../question/question.js';
import { SaveState } from '../save-state/save-state.js';
import { keyAction } from './keyboard.js';

export function Exam() {
  const { t, state, sitting } = useApp();
  const work = state.value.work;
  const [asking, setAsking] = useState(false);
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  /** Set by a move that has no control to keep the focus on. */
  const headingNext = useRef(true);
  const onKey = useRef((/** @type {KeyboardEvent} */ _event) => {});
  const problem = work?.handInProblem ?? null;

  useEffect(() => {
    // Two frames: the first paint of the paper has happened, which is what ends a move's gap.
    const frame = requestAnimationFrame(() => requestAnimationFrame(() => void sitting.work()?.painted()));
    // Keys work wherever the focus is, also when it has just been on something that is gone.
    const listen = (/** @type {KeyboardEvent} */ event) => onKey.current(event);
    document.addEventListener('keydown', listen);
    return () => {
      cancelAnimationFrame(frame);
      document.removeEventListener('keydown', listen);
    };
  }, []);
  useEffect(() => {
    if (headingNext.current) heading.current?.focus();
    headingNext.current = false;
  }, [work?.position]);
  useEffect(() => {
    if (problem) setAsking(true);
  }, [problem]);

  if (!work?.paper) return null;
  const { paper, position, marked, clock } = work;
  const item = paper.items[position - 1];
  const paused = clock?.state === 'paused';
  const isMarked = marked.includes(item.item);
  const { candidate = {}, session = {}, seat = {} } = work.grant.who ?? {};

  /** @param {number} next @param {boolean} [takeFocus] */
  const goTo = (next, takeFocus = false) => {
    headingNext.current = takeFocus;
    sitting.work()?.goTo(next);
  };

  onKey.current = (event) => {
    if (asking || paused || event.defaultPrevented) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const inText = target.tagName === 'TEXTAREA' || target.tagName === 'INPUT';
    const choices = item.options.length;
    const action = keyAction(event, { inText, options: choices, trueFalse: item.type === 'true_false' });
    if (!action) return;
    event.preventDefault();
    if (action.kind === 'move') goTo(position + action.by, true);
    if (action.kind === 'mark') sitting.work()?.toggleMark(item.item);
    if (action.kind === 'walk') walk(root.current, action.by);
    if (action.kind === 'pick') {
      const value = picked(item, sitting.work()?.view(item.item)?.value, item.options[action.index].id);
      sitting.work()?.answer(item.item, value, 'choice');
    }
  };

  const answered = paper.items.filter((one) => isAnswered(one, sitting.work()?.view(one.item)?.value)).length;

  return html`
    <div class=${paused ? 'exam exam-blank' : 'exam'} ref=${root}>
      <header class="exam-head">
        <div class="exam-who">
          <strong>${candidate.name}</strong>
          <span class="soft">${session.name}　${seatText(t, seat)}</span>
        </div>
        <${SaveState} tally=${work.tally} word=${work.word} />
        <${ExamTimer} />
        <${LookBar} />
      </header>
      <${ConnectionBanner} />
      <${Messages} />
      ${paused && html`<main class="exam-main"><${Paused} /></main>`}
      <main class="exam-main" aria-label=${t('exam.label')} hidden=${paused}>
        <${Question} key=${item.item} item=${item} headingRef=${heading} />
        <p class="sr-only" aria-live="polite">${t('exam.question', { n: position })}</p>
        <nav class="exam-foot">
          <button
            type="button"
            class="button button-large exam-step"
            aria-disabled=${String(position === 1)}
            onClick=${() => goTo(position - 1)}
          >
            <${Left} /><span>${t('exam.previous')}</span>
          </button>
          <button
            type="button"
            class=${isMarked ? 'button button-large exam-mark exam-mark-on' : 'button button-large exam-mark'}
            aria-pressed=${String(isMarked)}
            onClick=${() => sitting.work()?.toggleMark(item.item)}
          >
            <${Flag} filled=${isMarked} /><span>${t(isMarked ? 'exam.marked' : 'exam.mark')}</span>
          </button>
          <button
            type="button"
            class="button button-large button-primary exam-step"
            aria-disabled=${String(position === paper.items.length)}
            onClick=${() => goTo(position + 1)}
          >
            <span>${t('exam.next')}</span><${Right} />
          </button>
        </nav>
      </main>
      <aside class="exam-side" hidden=${paused}>
        <${AnswerCard} onPick=${(/** @type {number} */ next) => goTo(next)} answered=${answered} />
        <button type="button" class="button button-large button-wide exam-hand-in" onClick=${() => setAsking(true)}>
          ${t('exam.handIn')}
        </button>
      </aside>
      ${asking &&
      html`
        <${HandInDialog}
          onClose=${() => setAsking(false)}
          onJump=${(/** @type {number} */ next) => {
            setAsking(false);
            goTo(next, true);
          }}
        />
      `}
    </div>
  `;
}

/**
 * Moves the focus among the options.
 *
 * @param {HTMLElement | null} root
 * @param {1 | -1} by
 */
function walk(root, by) {
  /** @type {HTMLElement[]} */
  const options = Array.from(root?.querySelectorAll('[data-option]') ?? []);
  if (options.length === 0) return;
  const at = options.indexOf(/** @type {any} */ (document.activeElement));
  const next = at < 0 ? (by === 1 ? 0 : options.length - 1) : (at + by + options.length) % options.length;
  options[next].focus();
}

function Paused() {
  const { t } = useApp();
  return html`
    <section class="exam-paused" role="status">
      <span class="exam-paused-sign"><${Pause} /></span>
      <h1>${t('exam.paused')}</h1>
      <p>${t('exam.paused.text')}</p>
    </section>
  `;
}

/** What happened to the candidate's time, what the office has to say: one line each, gone when dismissed. */
function Messages() {
  const { t, state, zh } = useApp();
  const [seen, setSeen] = useState(/** @type {string[]} */ ([]));
  const work = state.value.work;
  if (!work) return null;
  const { gapMs, changedByMs, notices } = work;
  /** @type {{id: string, text: string}[]} */
  const all = [];
  if (state.value.storage === 'memory') all.push({ id: 'storage', text: t('app.storage') });
  if (gapMs > 0) all.push({ id: `gap-${gapMs}`, text: t('exam.gap', { time: durationText(t, gapMs) }) });
  else if (changedByMs > 0) {
    all.push({ id: `more-${changedByMs}`, text: t('exam.changed.more', { time: durationText(t, changedByMs) }) });
  } else if (changedByMs < 0) all.push({ id: `less-${changedByMs}`, text: t('exam.changed.less') });
  for (const notice of notices) {
    const text = (zh ? notice.text_zh : notice.text_en) ?? notice.text ?? '';
    all.push({ id: `notice-${notice.id}`, text: `${t('exam.noticeFrom')}：${text}` });
  }
  const shown = all.filter((message) => !seen.includes(message.id)).slice(-2);
  return html`
    <div class="messages" role="status">
      ${shown.map(
        ({ id, text }) => html`
          <div class="note note-info message" key=${id}>
            <span>${text}</span>
            <button type="button" class="button button-quiet" onClick=${() => setSeen([...seen, id])}>
              ${t('exam.dismiss')}
            </button>
          </div>
        `,
      )}
    </div>
  `;
}
