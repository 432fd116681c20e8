/** Where to, and why: everything preset, so that the confirmation is the second click. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { freeSeats } from '../../core/room.js';
import { Outcome } from './panel.js';

const REASONS = ['pc_failed', 'power', 'network', 'peripheral', 'other'];

/**
 * @param {{
 *   seat: import('../../core/room.js').Seat, occupant: import('../../core/room.js').Occupant,
 *   picture: import('../../core/room.js').Picture, onClose: () => void,
 * }} props
 */
export function MoveForm({ occupant, picture, onClose }) {
  const app = useApp();
  const { desk, t } = app;
  const own = picture.room.id;
  const [roomId, setRoomId] = useState(own);
  const [other, setOther] = useState(/** @type {import('../../core/room.js').Picture | null} */ (null));
  const [otherFault, setOtherFault] = useState(/** @type {unknown} */ (null));
  const [chosen, setChosen] = useState(/** @type {number | null} */ (null));
  const [reason, setReason] = useState('pc_failed');
  const [note, setNote] = useState('');
  const confirm = useRef(/** @type {HTMLElement | null} */ (null));

  const where = roomId === own ? picture : other;
  const free = where ? freeSeats(where) : [];
  // The choice holds while its seat is free; otherwise the suggestion takes its place, visibly.
  const target = free.find((one) => one.seat_id === chosen) ?? free[0] ?? null;
  const there = where && where.room.id !== own ? `${where.room.name} ` : '';
  const exam = desk.staff.value?.rooms.find(({ id }) => id === own)?.exam_id;
  const rooms = (desk.staff.value?.rooms ?? []).filter((room) => room.exam_id === exam);
  const busy = desk.busy.value !== null;

  // Before the next key can arrive: two presses of Enter are a move, as two clicks are.
  useLayoutEffect(() => confirm.current?.focus(), []);

  const lookInto = async (/** @type {number} */ id) => {
    setRoomId(id);
    setChosen(null);
    setOther(null);
    setOtherFault(null);
    if (id === own) return;
    try {
      setOther(await desk.lookInto(id));
    } catch (error) {
      setOtherFault(error);
    }
  };

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!target || busy || occupant.attempt_id === null) return;
    if (await desk.relog(occupant.attempt_id, { to_seat_id: target.seat_id, reason, note })) onClose();
  };

  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    // A key that is held down opened the form; it must not confirm it as well.
    if (event.key === 'Enter' && event.repeat) event.preventDefault();
    if (event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    onClose();
  };

  return html`<form class="move" onSubmit=${submit} onKeyDown=${onKeyDown}>
    <fieldset>
      <legend>${t('move.to')}</legend>
      ${rooms.length > 1
        ? html`<select
            class="move-field move-room" aria-label=${t('move.room')} value=${String(roomId)}
            onChange=${(/** @type {any} */ event) => void lookInto(Number(event.target.value))}
          >
            ${rooms.map(
              (room) => html`<option key=${room.id} value=${String(room.id)}>
                ${room.id === own ? t('move.room.own', { name: room.name }) : `${room.building} ${room.name}`}
              </option>`,
            )}
          </select>`
        : null}
      ${free.length > 0
        ? html`<div class="move-seats">
            ${free.map(
              (one) => html`<label class="move-seat" key=${one.seat_id}>
                <input
                  type="radio" name="to" value=${one.seat_id} checked=${one === target}
                  onChange=${() => setChosen(one.seat_id)}
                />
                <span class="number">${one.label}</span>
              </label>`,
            )}
          </div>`
        : otherFault
          ? html`<p class="note note-bad">${wordsFor(app, otherFault)}</p>`
          : html`<p class="note note-warn">${t(where ? 'move.none' : 'move.looking')}</p>`}
    </fieldset>
    <div class="move-why">
      <label for="move-why">${t('move.why')}</label>
      <select
        class="move-field" id="move-why" value=${reason}
        onChange=${(/** @type {any} */ event) => setReason(event.target.value)}
      >
        ${REASONS.map((one) => html`<option key=${one} value=${one}>${t(`reason.${one}`)}</option>`)}
      </select>
      <label for="move-note">${t('move.note')}</label>
      <input
        class="move-field" id="move-note" maxlength="200" placeholder=${t('move.note.hint')} value=${note}
        onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
      />
    </div>
    <${Outcome} at=${['relog']} />
    <div class="move-buttons">
      <button
        class="button button-primary button-large" ref=${confirm} aria-disabled=${busy || !target ? 'true' : null}
      >
        ${target ? t('move.confirm', { seat: there + target.label }) : t('move.confirm.none')}
      </button>
      <button class="button button-large" type="button" onClick=${onClose}>${t('move.cancel')}</button>
    </div>
  </form>`;
}
