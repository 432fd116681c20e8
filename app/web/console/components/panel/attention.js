/** What needs a hand, longest first; and how to use the page. */
import { html } from '../../../shared/ui.js';
import { useApp, useSince } from '../../app.js';
import { LONG_SILENCE_S, minutes, secondsNow } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { IncidentHere } from '../incidents/here.js';

/** @typedef {import('../../core/room.js').Seat} Seat */

/** @param {{picture: import('../../core/room.js').Picture}} props */
export function Attention({ picture }) {
  const { desk, t } = useApp();
  const since = useSince();
  const away = picture.seats
    .filter((seat) => seat.occupant?.state === 'on_leave')
    .sort((a, b) => (b.occupant?.leave?.away_s ?? 0) - (a.occupant?.leave?.away_s ?? 0));
  const due = picture.record.signed ? 0 : picture.absent_due.length;
  const moving = picture.seats.filter((seat) => seat.occupant?.relog);
  const silent = picture.seats
    .filter((seat) => seat.occupant?.state === 'silent' && !seat.occupant.relog)
    .sort((a, b) => (b.occupant?.silent_s ?? 0) - (a.occupant?.silent_s ?? 0));
  return html`<h2>${t('attention.title')}</h2>
    ${moving.length + silent.length + away.length + due === 0
      ? html`<p class="attention-none"><${Icon} name="handed_in" size=${20} /> ${t('attention.none')}</p>`
      : html`<ul class="attention">
          ${due > 0
            ? html`<li>
                <button class="attention-row" data-kind="absent" onClick=${() => (desk.door.record.value = true)}>
                  <${Icon} name="absent" size=${18} />
                  <span class="number attention-seat">${due}</span>
                  <span class="attention-name">${t('attention.absent')}</span>
                </button>
              </li>`
            : null}
          ${moving.map((seat) => {
            const pending = seat.occupant?.relog;
            const text = pending?.same_seat ? t('seat.again.short') : `${seat.label} → ${pending?.to_seat}`;
            return html`<${Row} key=${seat.seat_id} seat=${seat} icon="moving" text=${text} />`;
          })}
          ${silent.map((seat) => {
            const seconds = secondsNow(seat.occupant?.silent_s ?? 0, since) ?? 0;
            const text = `${t('kind.silent')} ${minutes(seconds)}`;
            const long = seconds >= LONG_SILENCE_S;
            return html`<${Row} key=${seat.seat_id} seat=${seat} icon="silent" text=${text} long=${long} />`;
          })}
          ${away.map((seat) => {
            const text = `${t('kind.on_leave')} ${minutes(secondsNow(seat.occupant?.leave?.away_s ?? 0, since) ?? 0)}`;
            return html`<${Row} key=${seat.seat_id} seat=${seat} icon="on_leave" text=${text} />`;
          })}
        </ul>`}
    <${IncidentHere} />
    <p class="panel-hint soft">${t('attention.hint')}</p>`;
}

/** @param {{seat: Seat, icon: string, text: string, long?: boolean}} props */
function Row({ seat, icon, text, long = false }) {
  const { desk } = useApp();
  return html`<li>
    <button class="attention-row" data-kind=${icon} data-long=${long ? 'yes' : null} onClick=${() => desk.select(seat)}>
      <${Icon} name=${icon} size=${18} />
      <span class="number attention-seat">${seat.label}</span>
      <span class="attention-name">${seat.occupant?.name}</span>
      <span class="number">${text}</span>
    </button>
  </li>`;
}
