/** 答题卡: every question as a square; answered, incomplete, marked and current differ by colour, shape and text. */
import { html, useEffect, useRef } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { isAnswered } from '../../core/paper.js';

/** @param {{onPick: (position: number) => void, answered: number}} props */
export function AnswerCard({ onPick, answered }) {
  const { t, state } = useApp();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const work = state.value.work;
  const position = work?.position ?? 1;
  useEffect(() => {
    const current = list.current?.querySelector('[aria-current]');
    current?.scrollIntoView({ block: 'nearest' });
  }, [position]);
  if (!work?.paper) return null;
  const { paper, marked } = work;
  return html`
    <section class="answer-card" aria-labelledby="answer-card-title">
      <header class="answer-card-head">
        <h2 id="answer-card-title">${t('card.title')}</h2>
        <span class="number">${t('card.count', { answered, total: paper.items.length })}</span>
      </header>
      <div class="answer-card-bar" aria-hidden="true">
        <span ref=${widthOf(answered / paper.items.length)}></span>
      </div>
      <div class="answer-card-list" data-scroll="card" ref=${list}>
        ${paper.sections.map(
          (section) => html`
            <h3 key=${section.title}>${section.title}</h3>
            <ul key=${`${section.title}-items`}>
              ${section.items.map(
                (item) => html`
                  <li key=${item.item}>
                    <${Cell}
                      item=${item}
                      current=${item.position === position}
                      marked=${marked.includes(item.item)}
                      onPick=${onPick}
                    />
                  </li>
                `,
              )}
            </ul>
          `,
        )}
      </div>
      <ul class="legend" aria-hidden="true">
        <li><span class="cell cell-answered"></span>${t('card.answered')}</li>
        <li><span class="cell cell-partly"></span>${t('card.partly')}</li>
        <li><span class="cell"></span>${t('card.open')}</li>
        <li><span class="cell cell-marked"></span>${t('card.marked')}</li>
        <li><span class="cell cell-current"></span>${t('card.current')}</li>
      </ul>
    </section>
  `;
}

/** A width by script, because the content security policy allows no style attribute. @param {number} share */
const widthOf = (share) => (/** @type {HTMLElement | null} */ element) => {
  if (element) element.style.width = `${Math.round(share * 100)}%`;
};

/**
 * @param {{item: import('../../core/paper.js').Item, current?: boolean, marked?: boolean,
 *   onPick: (position: number) => void}} props
 */
export function Cell({ item, current = false, marked = false, onPick }) {
  const { t, sitting } = useApp();
  const value = sitting.work()?.view(item.item)?.value ?? null;
  const answered = isAnswered(item, value);
  const partly = !answered && value !== null;
  const word = t(answered ? 'card.answered' : partly ? 'card.partly' : 'card.open');
  const said = [t('card.item', { n: item.position }), word];
  if (marked) said.push(t('card.marked'));
  if (current) said.push(t('card.current'));
  const shape = [
    'cell',
    answered ? 'cell-answered' : partly ? 'cell-partly' : '',
    marked ? 'cell-marked' : '',
    current ? 'cell-current' : '',
  ];
  return html`
    <button
      type="button"
      class=${shape.filter(Boolean).join(' ')}
      data-place=${`cell-${item.position}`}
      aria-label=${said.join('，')}
      aria-current=${current ? 'true' : undefined}
      onClick=${() => onPick(item.position)}
    >
      ${item.position}
    </button>
  `;
}
