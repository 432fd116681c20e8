/**
 * 换机登录. Two clicks: the button, then the confirmation with the suggested spare seat already chosen. The same seat
 * again is one click. What is pending is told and can be taken back until the candidate signs in.
 *
 * @typedef {import('../../core/room.js').Seat} Seat
 * @typedef {import('../../core/room.js').Occupant} Occupant
 * @typedef {import('../../core/room.js').Picture} Picture
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { askedFor } from '../../core/calls.js';
import { beforeSignIn, freeSeats } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { AskSpare } from './ask-spare.js';
import { MoveForm } from './move-form.js';
import { Outcome } from './panel.js';

/** @param {{seat: Seat, occupant: Occupant, picture: Picture}} props */
export function Relog({ seat, occupant, picture }) {
  const { desk, t } = useApp();
  const [choosing, setChoosing] = useState(false);
  const opener = useRef(/** @type {HTMLElement | null} */ (null));
  const wasChoosing = useRef(false);
  const { relog: pending, attempt_id: attempt } = occupant;
  const busy = desk.busy.value !== null;

  useLayoutEffect(() => {
    if (wasChoosing.current && !choosing) {
      opener.current?.focus({ preventScroll: true });
      opener.current?.closest('.panel')?.scrollTo(0, 0);
    }
    wasChoosing.current = choosing;
  }, [choosing]);

  if (attempt === null) return html`<p class="note">${t('relog.noPaper')}</p>`;
  if (['handed_in', 'timed_out', 'forced', 'deferred'].includes(occupant.state)) return null;
  if (pending) return html`<${Pending} occupant=${occupant} />`;

  if (choosing) {
    return html`<${MoveForm}
      seat=${seat} occupant=${occupant} picture=${picture} onClose=${() => setChoosing(false)}
    />`;
  }
  const [suggested] = freeSeats(picture);
  const elsewhere = !suggested || askedFor(picture, occupant.ticket)?.state === 'asked';
  return html`<div class="panel-actions">
    ${elsewhere ? html`<${AskSpare} occupant=${occupant} picture=${picture} />` : null}
    <button
      class=${elsewhere ? 'button button-wide' : 'button button-primary button-large button-wide'}
      ref=${opener} aria-disabled=${busy ? 'true' : null}
      onClick=${() => {
        desk.fault.value = null;
        setChoosing(true);
      }}
    >
      <span>
        ${t('relog.open')}
        <small class="panel-small">
          ${suggested
            ? t('relog.open.to', { seat: suggested.label })
            : picture.nearest_spare
              ? t('relog.open.near', { room: picture.nearest_spare.room, seat: picture.nearest_spare.label })
              : t('relog.open.none')}
        </small>
      </span>
    </button>
    ${!beforeSignIn(occupant.state)
      ? html`<button
            class="button button-wide" aria-disabled=${busy ? 'true' : null}
            onClick=${() => void desk.relog(attempt, { same_seat: true, reason: 'pc_failed' })}
          >
            ${t('relog.same')}
          </button>
          <p class="panel-hint soft">${t('relog.same.hint')}</p>`
      : null}
    <${Outcome} at=${['relog', 'withdraw']} />
  </div>`;
}

/** @param {{occupant: Occupant}} props */
function Pending({ occupant }) {
  const { desk, t } = useApp();
  const pending = /** @type {NonNullable<Occupant['relog']>} */ (occupant.relog);
  const target = seatText(t, pending.to_seat, pending.to_room);
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => card.current?.closest('.panel')?.scrollTo(0, 0), [pending.id]);
  return html`<section class="pending" ref=${card} aria-label=${t('relog.pending')}>
    <h3 class="pending-title">${t(pending.same_seat ? 'relog.pending.same' : 'relog.pending')}</h3>
    ${pending.same_seat
      ? null
      : html`<p class="pending-way number">
          <span>${pending.from_seat}</span> <${Icon} name="moving" size=${22} /> <strong>${pending.to_seat}</strong>
        </p>`}
    <p>${t(pending.same_seat ? 'relog.tell.same' : 'relog.tell', { name: occupant.name, seat: target })}</p>
    ${pending.released ? html`<p class="note note-warn" role="status">${t('relog.released')}</p>` : null}
    <p class="soft">${t('relog.by', { name: pending.by, reason: t(`reason.${pending.reason}`) })}</p>
    <button
      class="button button-wide" aria-disabled=${desk.busy.value !== null ? 'true' : null}
      onClick=${() => void desk.withdraw(pending.id)}
    >
      ${t('relog.withdraw')}
    </button>
    <${Outcome} at=${['relog', 'withdraw']} />
  </section>`;
}
