/**
 * The session as a picture: a line for rooms that are alike, their bars over the wall clock, and now. One tab stop; the
 * arrows walk along the bars, and what is under pointer or focus is told in the line below. A row's name puts its rooms
 * into the next decision.
 *
 * @typedef {import('../../core/timing-picture.js').Mark} Mark
 * @typedef {import('../../core/timing-picture.js').Row} Row
 * @typedef {import('../../core/timing-view.js').View} View
 */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { toggleRooms } from '../../core/timing-draft.js';
import { KINDS, extentOf, rowsOf, share, ticks, walk } from '../../core/timing-picture.js';
import { clockText, wallText } from '../../core/wall.js';
import { useWords } from './words.js';

/**
 * The heights of the bars in a line of 24: each kind has a place and a pattern of its own, not only a colour.
 *
 * @type {Record<string, {y: number, height: number}>}
 */
const PLACES = {
  planned: { y: 3, height: 18 },
  actual: { y: 7, height: 10 },
  postpone: { y: 10, height: 4 },
  extend: { y: 7, height: 10 },
  credit: { y: 7, height: 10 },
  pause: { y: 4, height: 16 },
  outage: { y: 0, height: 24 },
};

/** A kind that does not fill its line does not fill its sample. @type {Record<string, {y: number, height: number}>} */
const SAMPLES = { postpone: { y: 5, height: 4 } };

/** @param {{view: View}} props */
export function Timeline({ view }) {
  const { t } = useApp();
  const [apart, setApart] = useState(false);
  const [shown, setShown] = useState(/** @type {{row: Row, mark: Mark} | null} */ (null));
  const [focus, setFocus] = useState({ row: 0, mark: 0 });
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const moved = useRef(false);
  const extent = extentOf(view);
  const groups = rowsOf(view, extent, apart);
  const rows = groups.flatMap((group) => group.rows);
  const zone = view.session.timezone;
  const now = share(Date.parse(view.now_at), extent);
  const marks = rows.map((row) => row.marks);
  const at = marks[focus.row]?.[focus.mark] ? focus : { row: 0, mark: 0 };
  const lines = ticks(extent);
  // Where now is told there is no room for another time.
  const told = lines.filter(({ left }) => Math.abs(left - now) > 7);

  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    /** @type {any} */ (root.current?.querySelector(`[data-at="${at.row} ${at.mark}"]`))?.focus();
  }, [at.row, at.mark]);

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (!(event.target instanceof Element) || !event.target.closest('[data-at]')) return;
    const next = walk(event.key, at, marks);
    if (next === null) return;
    event.preventDefault();
    moved.current = true;
    setFocus(next);
  };

  let index = -1;
  return html`<section class="timeline" aria-labelledby="timeline-title" ref=${root} onKeyDown=${onKeyDown}>
    <header class="timeline-head">
      <h2 id="timeline-title">${t('timing.picture')}</h2>
      <${Legend} rows=${rows} />
      <button class="chip timeline-apart" aria-pressed=${apart ? 'true' : 'false'} onClick=${() => setApart(!apart)}>
        ${t('timing.apart')}
      </button>
    </header>
    <${Patterns} />
    <div class="timeline-axis" aria-hidden="true">
      <span></span>
      <div class="timeline-ticks number">
        ${told.map(
          ({ at: when, left }) => html`<span key=${when} style=${{ left: `${left}%` }}>
            ${clockText(when, zone, false)}
          </span>`,
        )}
        <span class="timeline-now-word" style=${{ left: `${now}%` }}>${wallText(view.now_at, zone)}</span>
      </div>
      <span class="timeline-ends-word">${t('timing.ends')}</span>
    </div>
    <div class="timeline-rows" onMouseLeave=${() => setShown(null)}>
      ${groups.map(
        (group) => html`<div class="timeline-building" role="group" aria-label=${group.building} key=${group.building}>
          <h3 class="timeline-building-name">${group.building}</h3>
          ${group.rows.map((row) => {
            index += 1;
            return html`<${Line}
              key=${row.key} row=${row} n=${index} at=${at} now=${now} lines=${lines} view=${view}
              onShow=${(/** @type {Mark | null} */ mark) => setShown(mark && { row, mark })} onFocus=${setFocus}
            />`;
          })}
        </div>`,
      )}
    </div>
    <p class="timeline-what">
      ${shown
        ? html`<${What} row=${shown.row} mark=${shown.mark} view=${view} />`
        : html`<span class="soft">${t('timing.picture.hint')}</span>`}
    </p>
  </section>`;
}

/**
 * @param {{
 *   row: Row, n: number, at: {row: number, mark: number}, now: number, lines: {at: number, left: number}[],
 *   view: View, onShow: (mark: Mark | null) => void, onFocus: (at: {row: number, mark: number}) => void,
 * }} props
 */
function Line({ row, n, at, now, lines, view, onShow, onFocus }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const zone = view.session.timezone;
  const name = words.rooms(row.rooms, view.rooms.filter(({ building }) => building === row.building));
  const ids = row.rooms.map(({ id }) => id);
  const draft = timing.draft.value;
  const chosen = draft.scope === 'room' && ids.every((id) => draft.rooms.includes(id));
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const label = html`<span class="timeline-name-text">${name}</span>
    <span class="soft number">${t('timing.people.short', { n: row.candidates })}</span>`;
  return html`<div class="timeline-line" data-held=${row.held ? 'yes' : null} >
    ${may
      ? html`<button
          class="timeline-name" aria-pressed=${chosen ? 'true' : 'false'}
          title=${row.rooms.map((room) => room.name).join(t('list.comma'))}
          onClick=${() => timing.asking.value === null && timing.edit(toggleRooms(draft, ids))}
        >
          ${label}
        </button>`
      : html`<span class="timeline-name">${label}</span>`}
    <svg class="timeline-plot" width="100%" height="24" role="group" aria-label=${name}>
      ${lines.map(
        ({ at: when, left }) =>
          html`<line key=${when} class="timeline-tick" x1=${`${left}%`} x2=${`${left}%`} y1="0" y2="24" />`,
      )}
      ${row.marks.map((mark, index) => {
        const { y, height } = PLACES[mark.kind] ?? PLACES.credit;
        const tab = at.row === n && at.mark === index;
        return html`<rect
          key=${`${mark.kind} ${mark.from}`} class="mark" data-kind=${mark.kind} data-at=${`${n} ${index}`} role="img"
          tabindex=${tab ? 0 : -1} aria-label=${words.mark(row, mark)} x=${`${mark.left}%`} y=${y}
          width=${`${Math.max(0.4, mark.width)}%`} height=${height} rx=${mark.kind === 'outage' ? 0 : 2}
          onMouseEnter=${() => onShow(mark)} onFocus=${() => (onShow(mark), onFocus({ row: n, mark: index }))}
        />`;
      })}
      <line class="timeline-now" x1=${`${now}%`} x2=${`${now}%`} y1="0" y2="24" />
    </svg>
    <span class="timeline-end number">
      ${row.stands
        ? html`<strong class="timeline-stands">${t('timing.stands')}</strong>`
        : row.endAt === null && row.paused > 0
          ? html`<span class="timeline-stands">${t('timing.stands.some', { n: row.paused })}</span>`
          : wallText(row.endAt, zone)}
    </span>
  </div>`;
}

/** @param {{row: Row, mark: Mark, view: View}} props */
function What({ row, mark, view }) {
  const words = useWords(view).mark(row, mark);
  return html`<span class="mark-key" data-kind=${mark.kind} aria-hidden="true"></span> ${words}`;
}

/** What is in the picture, each with its pattern. @param {{rows: Row[]}} props */
function Legend({ rows }) {
  const { t } = useApp();
  const there = KINDS.filter((kind) => rows.some(({ marks }) => marks.some((mark) => mark.kind === kind)));
  return html`<ul class="timeline-legend">
    ${there.map(
      (kind) => html`<li key=${kind}>
        <svg width="22" height="14" aria-hidden="true" focusable="false">
          <rect class="mark" data-kind=${kind} x="1" width="20" rx="2" ...${SAMPLES[kind] ?? { y: 1, height: 12 }} />
        </svg>
        ${t(`timing.kind.${kind}`)}
      </li>`,
    )}
  </ul>`;
}

/** Told apart without colour. */
function Patterns() {
  return html`<svg class="timeline-patterns" width="0" height="0" aria-hidden="true" focusable="false">
    <defs>
      <pattern id="mark-pause" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect class="mark-ground" width="6" height="6" /><rect class="mark-ink" width="2.5" height="6" />
      </pattern>
      <pattern id="mark-credit" width="5" height="5" patternUnits="userSpaceOnUse">
        <rect class="mark-ground" width="5" height="5" /><circle class="mark-ink" cx="2.5" cy="2.5" r="1.5" />
      </pattern>
      <pattern id="mark-outage" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">
        <rect class="mark-ground" width="5" height="5" /><rect class="mark-ink" width="1.5" height="5" />
      </pattern>
    </defs>
  </svg>`;
}
