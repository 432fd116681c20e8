/**
 * The exam: one question, its options, the time, and where the answers are. Everything in one view, nothing moves.
 *
 * While the exam is paused, or the candidate is out of the room, nothing of the paper is in the document: what is only hidden can still be read, searched and
 * answered. What was typed is with the core at every key, so a pause loses none of it.
 */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { isAnswered, picked } from '../../core/paper.js';
import { AnswerCard } from '../answer-card/answer-card.js';
import { ConnectionBanner } from '../connection-banner/connection-banner.js';
import { ExamTimer } from '../exam-timer/exam-timer.js';
import { LookBar } from '../frame/frame.js';
import { HandInDialog } from '../hand-in/hand-in.js';
import { Door, Flag, Left, Pause, Right } from '../icons/icons.js';
import { Messages } from '../messages/messages.js';
import { Question } from '../question/question.js';
import { SaveState } from '../save-state/save-state.js';
import { keyAction } from './keyboard.js';
import { placeIn, returnTo } from './place.js';

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
  const paused = work?.clock?.state === 'paused';
  const hidden = paused || work?.onLeave === true;
  const wasHidden = useRef(hidden);
  const place = useRef(/** @type {import('./place.js').Place | null} */ (null));
  // The document still shows what this rendering is about to take away.
  if (hidden && !wasHidden.current && root.current) place.current = placeIn(root.current);
  const shownAgain = wasHidden.current && !hidden;
  wasHidden.current = hidden;

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
    if (hidden || !shownAgain || !root.current) return;
    // Who has meanwhile gone to the size of the text or the clock is left there.
    const free = document.activeElement === null || document.activeElement === document.body;
    const back = place.current !== null && returnTo(root.current, place.current);
    if (free && !back) heading.current?.focus();
    place.current = null;
  }, [hidden]);
  useEffect(() => {
    if (problem) setAsking(true);
  }, [problem]);

  if (!work?.paper) return null;
  const { paper, position, marked } = work;
  const item = paper.items[position - 1];
  const isMarked = marked.includes(item.item);
  const { candidate = {}, session = {}, seat = {} } = work.grant.who ?? {};

  /** @param {number} next @param {boolean} [takeFocus] */
  const goTo = (next, takeFocus = false) => {
    headingNext.current = takeFocus;
    sitting.work()?.goTo(next);
  };

  onKey.current = (event) => {
    if (asking || hidden || event.defaultPrevented) return;
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
    <div class=${hidden ? 'exam exam-blank' : 'exam'} ref=${root}>
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
      ${hidden &&
      html`<main class="exam-main"><${Hidden} key=${paused} text=${paused ? 'exam.paused' : 'exam.out'} /></main>`}
      ${!hidden &&
      html`
        <main class="exam-main" aria-label=${t('exam.label')}>
          <${Question} key=${item.item} item=${item} headingRef=${heading} />
          <p class="sr-only" aria-live="polite">${t('exam.question', { n: position })}</p>
          <nav class="exam-foot">
            <button
              type="button"
              class="button button-large exam-step"
              data-place="previous"
              aria-disabled=${String(position === 1)}
              onClick=${() => goTo(position - 1)}
            >
              <${Left} /><span>${t('exam.previous')}</span>
            </button>
            <button
              type="button"
              class=${isMarked ? 'button button-large exam-mark exam-mark-on' : 'button button-large exam-mark'}
              data-place="mark"
              aria-pressed=${String(isMarked)}
              onClick=${() => sitting.work()?.toggleMark(item.item)}
            >
              <${Flag} filled=${isMarked} /><span>${t(isMarked ? 'exam.marked' : 'exam.mark')}</span>
            </button>
            <button
              type="button"
              class="button button-large button-primary exam-step"
              data-place="next"
              aria-disabled=${String(position === paper.items.length)}
              onClick=${() => goTo(position + 1)}
            >
              <span>${t('exam.next')}</span><${Right} />
            </button>
          </nav>
        </main>
        <aside class="exam-side">
          <${AnswerCard} onPick=${(/** @type {number} */ next) => goTo(next)} answered=${answered} />
          <button
            type="button"
            class="button button-large button-wide exam-hand-in"
            data-place="hand-in"
            onClick=${() => setAsking(true)}
          >
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

/**
 * Takes the focus that the question had: it is read first, and no key goes to something that is gone.
 *
 * @param {{text: 'exam.paused' | 'exam.out'}} props
 */
function Hidden({ text }) {
  const { t } = useApp();
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const free = document.activeElement === null || document.activeElement === document.body;
    if (free) heading.current?.focus();
  }, []);
  return html`
    <section class="exam-paused" role="status">
      <span class="exam-paused-sign">${text === 'exam.out' ? html`<${Door} />` : html`<${Pause} />`}</span>
      <h1 tabindex="-1" ref=${heading}>${t(text)}</h1>
      <p>${t(text === 'exam.out' ? 'exam.out.text' : 'exam.paused.text')}</p>
    </section>
  `;
}
