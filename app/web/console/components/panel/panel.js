/** One seat: who sits there, how they are, and what can be done. Without a seat: what needs a hand. */
import { html, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { seatText, useApp, wordsFor } from '../../app.js';
import { beforeSignIn } from '../../core/room.js';
import { Calls } from '../calls/calls.js';
import { Icon } from '../icons/icons.js';
import { RoomRecord } from '../room-record/room-record.js';
import { Attendance } from './attendance.js';
import { CasesHere } from '../cases/here.js';
import { IncidentHere } from '../incidents/here.js';
import { ItemReportHere } from '../item-report/here.js';
import { Photo } from '../photo/photo.js';
import { Attention } from './attention.js';
import { Condition, Facts } from './candidate.js';
import { useKeptFocus } from './kept-focus.js';
import { Relog } from './relog.js';
import { SpareSeat } from './spare-seat.js';
import { Time } from './time.js';

export function Panel() {
  const { desk } = useApp();
  const picture = desk.picture.value;
  const chosen = desk.selection.value;
  const seat = chosen ? picture?.seats.find((one) => one.seat_id === chosen.seatId) : undefined;
  const may = (/** @type {string} */ action) => desk.staff.value?.may.includes(action) ?? false;
  if (!picture) return null;
  if (!seat && desk.calls.open.value) return html`<${Calls} key=${picture.room.id} picture=${picture} may=${may} />`;
  if (!seat && desk.door.record.value) return html`<${RoomRecord} key=${picture.room.id} picture=${picture} may=${may} />`;
  if (!seat) return html`<aside class="panel panel-idle"><${Attention} picture=${picture} /></aside>`;
  return html`<${SeatPanel} key=${seat.occupant?.ticket ?? `seat ${seat.seat_id}`} seat=${seat} picture=${picture} />`;
}

/** @param {{seat: import('../../core/room.js').Seat, picture: import('../../core/room.js').Picture}} props */
function SeatPanel({ seat, picture }) {
  const { desk, t } = useApp();
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const person = seat.occupant ?? seat.arriving;
  const may = (/** @type {string} */ action) => desk.staff.value?.may.includes(action) ?? false;
  // What somebody who is not there needs first; whoever sits there needs a PC that works.
  const away = seat.occupant !== null && (beforeSignIn(seat.occupant.state) || seat.occupant.state === 'on_leave');
  const attendance = seat.occupant
    ? html`<${Attendance} key="attendance" seat=${seat} occupant=${seat.occupant} picture=${picture} may=${may} />`
    : null;

  useKeptFocus(root, heading);
  // Opened with the keyboard, the panel is where the keyboard goes on; a mouse leaves the focus on the map.
  useLayoutEffect(() => {
    if (document.activeElement?.matches('.seat:focus-visible, .search input')) heading.current?.focus();
  }, []);
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      const inside = document.activeElement?.closest('.panel');
      desk.select(null);
      if (!inside) return;
      /** @type {HTMLElement | null} */ (document.querySelector(`[data-seat="${seat.seat_id}"]`))?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [seat.seat_id]);

  return html`<aside class="panel" aria-labelledby="panel-title" ref=${root}>
    <header class="panel-head">
      <div>
        ${person ? html`<p class="panel-seat">${seatText(t, seat.label)}</p>` : null}
        <h2 id="panel-title" class=${person ? null : 'panel-seat'} tabindex="-1" ref=${heading}>
          ${person?.name ?? seatText(t, seat.label)}
        </h2>
      </div>
      <button class="button button-quiet panel-close" aria-label=${t('panel.close')} onClick=${() => desk.select(null)}>
        <${Icon} name="close" size=${18} />
      </button>
    </header>
    ${seat.occupant
      ? html`<div class="panel-face">
            <${Photo} key=${seat.occupant.ticket} ticket=${seat.occupant.ticket} name=${seat.occupant.name} large=${away} />
            <div><${Condition} seat=${seat} occupant=${seat.occupant} /></div>
          </div>
          ${away ? attendance : null}
          ${may('relog') ? html`<${Relog} seat=${seat} occupant=${seat.occupant} picture=${picture} />` : null}
          ${away ? null : attendance}
          <${Time} key=${seat.occupant.ticket} occupant=${seat.occupant} picture=${picture} />
          <${IncidentHere} ticket=${seat.occupant.ticket} />
          <${ItemReportHere}
            key=${seat.occupant.ticket} occupant=${seat.occupant}
            begun=${picture.clock.state !== 'waiting' && picture.clock.state !== 'planned'}
          />
          <${CasesHere} ticket=${seat.occupant.ticket} name=${seat.occupant.name} />
          <${Facts} seat=${seat} occupant=${seat.occupant} />`
      : html`<${SpareSeat} seat=${seat} mark=${may('mark-seat')} />`}
  </aside>`;
}

/** What became of the last action under `at`, in words. @param {{at: string[]}} props */
export function Outcome({ at }) {
  const app = useApp();
  const { busy, fault } = app.desk;
  const waits = busy.value !== null && at.includes(busy.value.at) && busy.value.repeating;
  const failed = fault.value !== null && at.includes(fault.value.at) ? fault.value.error : null;
  return html`<div class="outcome" aria-live="assertive">
    ${waits ? html`<p class="note note-warn">${app.t('act.repeating')}</p>` : null}
    ${failed ? html`<p class="note note-bad">${wordsFor(app, failed)}</p>` : null}
  </div>`;
}
