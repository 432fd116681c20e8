/** A seat without a candidate: who it is kept for, or whether its PC works. */
import { html, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { kindOf } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from './panel.js';

const FAULTS = ['boot', 'screen', 'input', 'network', 'other'];

/** @param {{seat: import('../../core/room.js').Seat, mark: boolean}} props */
export function SpareSeat({ seat, mark }) {
  const { desk, t } = useApp();
  const [choosing, setChoosing] = useState(false);
  const busy = desk.busy.value !== null;
  const { arriving } = seat;
  const kind = kindOf(seat);
  const send = async (/** @type {string | null} */ why) => {
    if (await desk.mark(seat.seat_id, why)) setChoosing(false);
  };

  return html`<p class="panel-state" data-kind=${kind}>
      <${Icon} name=${kind} size=${20} /> <strong>${t(`kind.${kind}`)}</strong>
    </p>
    ${arriving
      ? html`<p>
          ${t('spare.kept', {
            name: arriving.name,
            ticket: arriving.ticket,
            from: seatText(t, arriving.from_seat, arriving.from_room),
          })}
        </p>`
      : null}
    ${seat.out_of_order !== null ? html`<p>${seat.out_of_order}</p>` : null}
    ${mark && !arriving
      ? html`<div class="panel-actions">
          ${seat.out_of_order !== null
            ? html`<button
                class="button button-wide" aria-disabled=${busy ? 'true' : null} onClick=${() => void send(null)}
              >
                ${t('spare.works')}
              </button>`
            : choosing
              ? html`<p>${t('spare.why')}</p>
                  <div class="move-reasons">
                    ${FAULTS.map(
                      (one) => html`<button
                        class="button" key=${one} aria-disabled=${busy ? 'true' : null}
                        onClick=${() => void send(t(`spare.fault.${one}`))}
                      >
                        ${t(`spare.fault.${one}`)}
                      </button>`,
                    )}
                  </div>
                  <button class="button button-quiet" onClick=${() => setChoosing(false)}>${t('move.cancel')}</button>`
              : html`<button class="button button-wide" onClick=${() => setChoosing(true)}>
                  ${t('spare.broken')}
                </button>`}
          <${Outcome} at=${['mark']} />
        </div>`
      : null}`;
}
