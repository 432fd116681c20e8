/** How the room stands in one line: a bar, a count for each state (which filters the map), and the search. */
import { html, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { STATES, kindOf, matches } from '../../core/room.js';
import { PrintMenu } from '../print-menu/print-menu.js';
import { Icon } from '../icons/icons.js';

/** Always shown, also at nought: the others appear when they happen. */
const USUAL = new Set(['silent', 'answering', 'not_arrived', 'handed_in']);
/** Until the start nobody answers and nobody hands in. */
const BEFORE = new Set(['silent', 'checked_in', 'not_arrived']);

export function Summary() {
  const { desk, t } = useApp();
  const picture = desk.picture.value;
  if (!picture) return null;
  const { counts, seats } = picture;
  const moving = seats.filter((seat) => seat.occupant?.relog).length;
  const usual = picture.clock.state === 'waiting' || picture.clock.state === 'planned' ? BEFORE : USUAL;
  const shown = STATES.filter((state) => usual.has(state) || counts[state] > 0);
  return html`<section class="summary" aria-label=${t('summary.label')}>
    <div class="summary-bar" aria-hidden="true">
      ${STATES.map(
        (state) =>
          counts[state] > 0 &&
          html`<span key=${state} class="summary-part" data-kind=${state} style=${{ flexGrow: counts[state] }}></span>`,
      )}
    </div>
    <div class="summary-line">
      <p class="summary-arrived">
        ${t('summary.arrived')} <strong class="number">${counts.arrived}</strong>
        <span class="soft number"> / ${counts.expected}</span>
      </p>
      <div class="summary-chips" role="group" aria-label=${t('summary.filter')}>
        ${shown.map((state) => html`<${Chip} key=${state} kind=${state} count=${counts[state]} />`)}
        ${moving > 0 ? html`<${Chip} kind="moving" count=${moving} />` : null}
      </div>
      <${Search} />
      <div class="summary-tools">
        <${Modes} />
        <${PrintMenu} session=${picture.session.id} room=${picture.room.id} />
      </div>
    </div>
  </section>`;
}

/** The door, and the room's record. */
function Modes() {
  const { desk, t } = useApp();
  const { calls, door, staff, picture } = desk;
  const may = staff.value?.may ?? [];
  const { record, numbers } = /** @type {import('../../core/room.js').Picture} */ (picture.value);
  const stands = record.released ? 'released' : record.signed ? 'signed' : numbers.unaccounted > 0 ? 'open' : 'settled';
  return html`<div class="summary-modes">
    <button
      class="button" aria-pressed=${calls.open.value ? 'true' : 'false'} data-alarm="yes"
      onClick=${() => {
        const next = !calls.open.value;
        desk.select(null);
        door.record.value = false;
        calls.open.value = next;
      }}
    >
      ${t('calls.open')}
    </button>
    ${may.includes('check-in')
      ? html`<button class="button" aria-pressed=${door.open.value ? 'true' : 'false'} onClick=${() => door.toggle()}>
          ${t('door.title')}
        </button>`
      : null}
    <button
      class="button" aria-pressed=${door.record.value ? 'true' : 'false'} data-stands=${stands}
      onClick=${() => {
        const next = !door.record.value;
        desk.select(null);
        door.record.value = next;
        calls.open.value = false;
      }}
    >
      ${t('record.title')} <span class="soft">${t(`record.stands.${stands}`)}</span>
    </button>
  </div>`;
}

/** @param {{kind: string, count: number}} props */
function Chip({ kind, count }) {
  const { desk, t } = useApp();
  const pressed = desk.only.value === kind;
  return html`<button
    class="chip" data-kind=${kind} data-some=${count > 0 ? 'yes' : null} aria-pressed=${pressed ? 'true' : 'false'}
    onClick=${() => (desk.only.value = pressed ? null : kind)}
  >
    <${Icon} name=${kind} /> <span>${t(`kind.${kind}`)}</span> <strong class="number">${count}</strong>
  </button>`;
}

function Search() {
  const { desk, t } = useApp();
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { query, only, picture } = desk;

  // Before the first paint: a key that comes with it is not lost.
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select');
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  const found = (picture.value?.seats ?? []).filter((seat) => matches(seat, query.value, only.value));
  const asked = query.value.trim() !== '';
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Escape') {
      event.stopPropagation();
      query.value = '';
    }
    // Enter opens the first one found: type a name, press Enter, act.
    const first = found.find((seat) => kindOf(seat) !== 'empty') ?? found[0];
    if (event.key === 'Enter' && asked && first) {
      event.preventDefault();
      desk.select(first);
    }
  };
  return html`<div class="search">
    <label class="search-field">
      <span class="sr-only">${t('search.label')}</span>
      <${Icon} name="search" />
      <input
        ref=${field} type="search" value=${query.value} placeholder=${t('search.hint')} autocomplete="off"
        spellcheck=${false} onKeyDown=${onKeyDown}
        onInput=${(/** @type {any} */ event) => (query.value = event.target.value)}
      />
    </label>
    <span class="search-found soft" role="status">${asked ? t('search.found', { n: found.length }) : ''}</span>
  </div>`;
}
