/**
 * The room, alive. One tab stop: the arrows walk, Enter opens. Spare seats stand apart, as they do in the hall.
 *
 * @typedef {import('../../core/room.js').Seat} Seat
 */
import { html, useEffect, useRef } from '../../../shared/ui.js';
import { seatText, useApp, useSince } from '../../app.js';
import { LONG_SILENCE_S, beforeSignIn, kindOf, matches, minutes, secondsNow, step } from '../../core/room.js';
import { Icon } from '../icons/icons.js';

export function SeatMap() {
  const { desk, t } = useApp();
  const root = useRef(/** @type {HTMLElement | null} */ (null));
  const picture = desk.picture.value;
  const selected = desk.selection.value?.seatId ?? null;
  const wasOpen = useRef(selected);

  // Closing the panel gives the focus back to the seat it was about.
  useEffect(() => {
    if (selected === null && wasOpen.current !== null && document.activeElement === document.body) {
      tileOf(root.current, wasOpen.current)?.focus();
    }
    wasOpen.current = selected ?? wasOpen.current;
  }, [selected]);

  if (!picture) return null;
  const regular = picture.seats.filter((seat) => !seat.is_spare);
  const spares = picture.seats.filter((seat) => seat.is_spare);
  const entrance = selected ?? picture.seats[0]?.seat_id;

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const tile = /** @type {HTMLElement | null} */ (event.target)?.closest?.('.seat');
    const list = tile?.closest('.seats');
    if (!tile || !list || !root.current) return;
    const next = neighbour(event.key, tile, root.current);
    if (next === null) return;
    event.preventDefault();
    next.focus();
  };

  const tile = (/** @type {Seat} */ seat) => html`<${Tile}
    key=${seat.seat_id} seat=${seat} selected=${seat.seat_id === selected}
    entrance=${seat.seat_id === entrance}
    dim=${!matches(seat, desk.query.value, desk.only.value)}
  />`;

  return html`<section class="seat-map" ref=${root} aria-label=${t('map.label')} onKeyDown=${onKeyDown}>
    <ul class="seats">
      ${regular.map(tile)}
    </ul>
    ${spares.length > 0
      ? html`<h2 class="seats-title">
            ${t('map.spares')} <span class="soft">${t('map.spares.left', { n: picture.spare_left })}</span>
            ${picture.spare_low ? html`<${SpareLow} picture=${picture} />` : null}
          </h2>
          <ul class="seats">
            ${spares.map(tile)}
          </ul>`
      : null}
  </section>`;
}

/**
 * @param {HTMLElement | null} root
 * @param {number} seatId
 * @returns {HTMLElement | null}
 */
function tileOf(root, seatId) {
  return root?.querySelector(`[data-seat="${seatId}"]`) ?? null;
}

/**
 * The tile an arrow leads to; from the edge of one list into the next.
 *
 * @param {string} key
 * @param {Element} tile
 * @param {HTMLElement} root
 * @returns {HTMLElement | null}
 */
function neighbour(key, tile, root) {
  const all = /** @type {HTMLElement[]} */ ([...root.querySelectorAll('.seat')]);
  const list = /** @type {HTMLElement} */ (tile.closest('.seats'));
  const own = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.seat')]);
  const at = own.indexOf(/** @type {HTMLElement} */ (tile));
  const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
  const next = step(key, at, columns, own.length);
  if (next === null) return null;
  if (next !== at || key === 'Home' || key === 'End') return own[next];
  const over = all.indexOf(own[at]) + (key === 'ArrowDown' || key === 'ArrowRight' ? own.length - at : -at - 1);
  return key === 'ArrowDown' || key === 'ArrowUp' ? (all[over] ?? own[at]) : own[at];
}

/** @param {{seat: Seat, selected: boolean, entrance: boolean, dim: boolean}} props */
function Tile({ seat, selected, entrance, dim }) {
  const { desk, t } = useApp();
  const kind = kindOf(seat);
  const { occupant, arriving } = seat;
  const person = occupant ?? arriving;
  const pending = occupant?.relog ?? null;
  const label = [
    seatText(t, seat.label),
    person?.name,
    t(`kind.${kind}`),
    occupant?.total ? t('seat.progress', { answered: occupant.answered, total: occupant.total }) : '',
    pending ? t(pending.same_seat ? 'seat.again' : 'seat.moving', { seat: pending.to_seat }) : '',
  ]
    .filter(Boolean)
    .join(t('list.comma'));
  const long = (occupant?.silent_s ?? 0) >= LONG_SILENCE_S;
  const onClick = () => {
    // At the door one tap is enough; it can be taken back in the strip above.
    if (desk.door.open.value && occupant?.state === 'not_arrived') return void desk.door.checkIn(occupant.ticket, seat);
    desk.select(selected ? null : seat);
  };
  return html`<li>
    <button
      class="seat" data-seat=${seat.seat_id} data-kind=${kind} data-long=${long ? 'yes' : null}
      data-dim=${dim ? 'yes' : null} data-moving=${pending ? 'yes' : null} tabindex=${entrance ? 0 : -1}
      aria-label=${label} aria-pressed=${selected ? 'true' : 'false'} onClick=${onClick}
    >
      <span class="seat-top">
        <span class="seat-label number">${seat.label}</span>
        ${pending
          ? html`<span class="seat-move"><${Icon} name="moving" size=${14} /> ${pending.same_seat ? t('seat.again.short') : pending.to_seat}</span>`
          : occupant?.silent_s != null
            ? html`<${Silence} seconds=${occupant.silent_s} />`
            : occupant && occupant.planned_label !== seat.label
            ? html`<span class="seat-from">${t('seat.from', { seat: occupant.planned_label })}</span>`
            : null}
      </span>
      <span class="seat-name">${person?.name ?? '\u00a0'}</span>
      <span class="seat-state"><${Icon} name=${kind} size=${14} /> <span class="seat-word">${t(`kind.${kind}`)}</span></span>
      ${occupant?.total && !beforeSignIn(occupant.state)
        ? html`<span class="progress" aria-hidden="true">
            <span class="progress-done" style=${{ width: `${(100 * occupant.answered) / occupant.total}%` }}></span>
          </span>`
        : html`<span class="progress progress-none" aria-hidden="true"></span>`}
    </button>
  </li>`;
}

/** Spares run low, or have run out: where the nearest one is. @param {{picture: import('../../core/room.js').Picture}} props */
function SpareLow({ picture }) {
  const { t } = useApp();
  const near = picture.nearest_spare;
  return html`<span class="seats-low" role="status">
    <${Icon} name="silent" size=${14} />
    ${picture.spare_left > 0
      ? t('map.spares.low')
      : near
        ? t('map.spares.near', { room: near.room, seat: near.label, n: near.left })
        : t('map.spares.out')}
  </span>`;
}

/** A silence counts on. @param {{seconds: number}} props */
function Silence({ seconds }) {
  return html`<strong class="seat-silence number">${minutes(secondsNow(seconds, useSince()) ?? 0)}</strong>`;
}
