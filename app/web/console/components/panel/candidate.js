/** Who sits there and how they are. How much is answered, never what. */
import { html } from '../../../shared/ui.js';
import { useApp, useSince } from '../../app.js';
import { LONG_SILENCE_S, beforeSignIn, digits, kindOf, minutes, secondsNow, trusted } from '../../core/room.js';
import { Icon } from '../icons/icons.js';

/** @typedef {{seat: import('../../core/room.js').Seat, occupant: import('../../core/room.js').Occupant}} Props */

/** @param {Props} props */
export function Condition({ seat, occupant }) {
  const { t } = useApp();
  const { state, total, answered } = occupant;
  const silent = secondsNow(occupant.silent_s, useSince());
  const long = (silent ?? 0) >= LONG_SILENCE_S;
  return html`<p class="panel-state" data-kind=${state} data-long=${long ? 'yes' : null}>
      <${Icon} name=${kindOf(seat)} size=${20} />
      <strong>${t(`kind.${kindOf(seat)}`)}</strong>
      ${silent !== null ? html`<span class="number">${minutes(silent)}</span>` : null}
    </p>
    ${total && !beforeSignIn(state)
      ? html`<div class="panel-progress">
          <span>${t('panel.answered')}</span>
          <span class="number"><strong>${answered}</strong> / ${total}</span>
          <span class="progress" aria-hidden="true">
            <span class="progress-done" style=${{ width: `${(100 * answered) / total}%` }}></span>
          </span>
        </div>`
      : null}`;
}

/** @param {Props} props */
export function Facts({ seat, occupant }) {
  const { t, desk } = useApp();
  const since = useSince();
  const seen = secondsNow(occupant.last_seen_s, since);
  const runs = desk.picture.value?.clock.state === 'running' && !beforeSignIn(occupant.state);
  const left = occupant.remaining_ms === null ? null : occupant.remaining_ms - (runs ? trusted(since) : 0);
  const moved = occupant.planned_label !== seat.label || occupant.planned_room !== null;
  const rows = [
    ['panel.ticket', html`<span class="number">${occupant.ticket}</span>`],
    moved && ['panel.planned', [occupant.planned_room, occupant.planned_label].filter(Boolean).join(' ')],
    ['panel.seen', seen === null ? t('panel.seen.never') : ago(t, seen)],
    left !== null && ['panel.remaining', html`<span class="number">${digits(Math.max(0, left))}</span>`],
    occupant.specialty && ['panel.specialty', occupant.specialty],
    occupant.employer && ['panel.employer', occupant.employer],
  ].filter((row) => Array.isArray(row));
  return html`<dl class="panel-facts">
    ${rows.map(
      ([key, value]) => html`<div key=${key}>
        <dt>${t(/** @type {string} */ (key))}</dt>
        <dd>${value}</dd>
      </div>`,
    )}
  </dl>`;
}

/**
 * @param {import('../../../shared/i18n.js').I18n['t']} t
 * @param {number} seconds
 */
function ago(t, seconds) {
  if (seconds < 15) return t('panel.seen.now');
  return seconds < 60 ? t('panel.seen.seconds', { n: seconds }) : t('panel.seen.long', { time: minutes(seconds) });
}
