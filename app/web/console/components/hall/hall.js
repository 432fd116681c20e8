/** The exam office's page: every room as a tile or a row, and beside them what happened, what is open, and who. */
import { html, useEffect, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { count, ordered } from '../../core/hall.js';
import { step } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { Beside } from './beside.js';

/** @typedef {import('../../core/hall.js').Room} Room */

const TOTALS = [
  ['answering', 'answering'], ['waiting', 'waiting'], ['silent', 'silent'], ['paused', 'paused'], ['on_leave', 'on_leave'],
  ['handed_in', 'handed_in'], ['timed_out', 'timed_out'], ['forced', 'forced'], ['not_arrived', 'not_arrived'],
];
const SHAPES = { alarm: 'silent', look: 'waiting', calm: 'answering', done: 'handed_in' };

export function Hall() {
  const app = useApp();
  const { desk, t } = app;
  const { hall, sessions, sessionId } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    const session = sessionId.value ?? sessions.value[0]?.id;
    if (session !== undefined) void hall.open(session);
    return () => hall.close();
  }, []);
  const seen = hall.overview.value;
  return html`<main class="hall" aria-labelledby="hall-title">
    <header class="hall-head">
      <h1 id="hall-title" tabindex="-1" ref=${heading}>${t('hall.title')}</h1>
      <label class="hall-session">
        <span class="sr-only">${t('top.session')}</span>
        <select
          class="input" value=${String(hall.session.value ?? '')}
          onChange=${(/** @type {any} */ event) => void hall.open(Number(event.target.value))}
        >
          ${sessions.value.map((one) => html`<option key=${one.id} value=${String(one.id)}>${one.name} · ${t(`session.${one.state}`)}</option>`)}
        </select>
      </label>
      <div class="hall-view" role="group" aria-label=${t('hall.view')}>
        <${Toggle} on=${!hall.table.value} onClick=${() => { hall.table.value = false; }}>${t('hall.tiles')}<//>
        <${Toggle} on=${hall.table.value} onClick=${() => { hall.table.value = true; }}>${t('hall.table')}<//>
        <${Toggle} on=${hall.byNeed.value} onClick=${() => { hall.byNeed.value = !hall.byNeed.value; }}>${t('hall.byNeed')}<//>
      </div>
    </header>
    ${hall.fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, hall.fault.value)}</p>` : null}
    ${seen === null
      ? html`<p class="page-wait" role="status">${t('hall.opening')}</p>`
      : html`<${Totals} />
          <div class="hall-body">
            <section class="hall-rooms" aria-label=${t('hall.rooms')}>
              ${seen.rooms.length === 0 ? html`<p class="page-wait">${t('hall.none')}</p>` : hall.table.value ? html`<${Table} />` : html`<${Tiles} />`}
            </section>
            <${Beside} />
          </div>`}
  </main>`;
}

/** @param {{on: boolean, onClick: () => void, children?: any}} props */
function Toggle({ on, onClick, children }) {
  return html`<button class="chip" type="button" aria-pressed=${on ? 'true' : 'false'} onClick=${onClick}>${children}</button>`;
}

/** The whole site in numbers; each state is a button to whoever is in it. */
function Totals() {
  const { desk, t } = useApp();
  const { hall } = desk;
  const { totals, rooms } = /** @type {any} */ (hall.overview.value);
  const alarms = rooms.filter((/** @type {Room} */ { level }) => level === 'alarm').length;
  return html`<section class="hall-totals" aria-label=${t('hall.totals')}>
    <span class="hall-total"><b class="number">${totals.present}/${totals.expected}</b> ${t('hall.n.present')}</span>
    ${TOTALS.filter(([state]) => totals.states[state] > 0 || state === 'silent').map(
      ([state]) => html`<button
        class="hall-total" key=${state} data-state=${state} data-some=${totals.states[state] > 0 ? 'yes' : null}
        onClick=${() => void hall.showState(state)}
      >
        <${Icon} name=${state} /> <b class="number">${totals.states[state] ?? 0}</b> ${t(`kind.${state}`)}
      </button>`,
    )}
    <span class="hall-total"><b class="number">${totals.absent}</b> ${t('hall.n.absent')}</span>
    <span class="hall-total"><b class="number">${totals.spare_left}</b> ${t('hall.n.spares')}</span>
    <span class="hall-total"><b class="number">${totals.signed}/${totals.rooms}</b> ${t('hall.n.signed')}</span>
    <p class="sr-only" role="status">${t('hall.status', { silent: totals.states.silent ?? 0, alarms })}</p>
  </section>`;
}

/** One tab stop, the arrows walk, Enter opens the room. */
function Tiles() {
  const { desk } = useApp();
  const { hall } = desk;
  const rooms = ordered(/** @type {any} */ (hall.overview.value).rooms, hall.byNeed.value);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const tile = /** @type {HTMLElement | null} */ (event.target)?.closest?.('.hall-tile');
    const list = tile?.closest('.hall-tiles');
    if (!tile || !list) return;
    const tiles = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.hall-tile')]);
    const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
    const next = step(event.key, tiles.indexOf(/** @type {HTMLElement} */ (tile)), columns, tiles.length);
    if (next === null) return;
    event.preventDefault();
    tiles[next].focus();
  };
  return html`<ul class="hall-tiles" onKeyDown=${onKeyDown}>
    ${rooms.map((room, n) => html`<li key=${room.id}><${Tile} room=${room} entrance=${n === 0} /></li>`)}
  </ul>`;
}

/** @param {{room: Room, entrance: boolean}} props */
function Tile({ room, entrance }) {
  const { desk, t } = useApp();
  const silent = count(room, 'silent');
  const over = count(room, 'handed_in', 'timed_out', 'forced');
  const how = howText(t, room);
  return html`<button
    class="hall-tile" type="button" data-level=${room.level} data-reserve=${room.reserve ? 'yes' : null} tabindex=${entrance ? 0 : -1} aria-label=${spoken(t, room)}
    title=${how} onClick=${() => enter(desk, room)}
  >
    <span class="hall-tile-head"><${Icon} name=${SHAPES[room.level]} size=${14} /> <b>${short(room.name)}</b>
      ${room.reserve ? null : html`<span class="number">${room.present}/${room.expected}</span>`}</span>
    <span class="hall-tile-why">${how}</span>
    <span class="hall-tile-counts number">
      ${room.reserve ? null : html`<span title=${t('kind.answering')}><${Icon} name="answering" size=${10} />${count(room, 'answering')}</span>`}
      ${silent > 0 ? html`<span data-bad="yes" title=${t('kind.silent')}><${Icon} name="silent" size=${11} />${silent}</span>` : null}
      ${over > 0 ? html`<span title=${t('hall.n.over')}><${Icon} name="handed_in" size=${11} />${over}</span>` : null}
      <span data-bad=${room.spare_low ? 'yes' : null} title=${t('hall.n.spares')}>${t('hall.tile.spares', { n: room.spare_left })}</span>
    </span>
  </button>`;
}

const HEAD = ['room', 'state', 'expected', 'present', 'answering', 'silent', 'paused', 'leave', 'over', 'absent', 'spares', 'incidents', 'proposals', 'record', 'staff'];

function Table() {
  const { desk, t } = useApp();
  const { hall } = desk;
  const rooms = ordered(/** @type {any} */ (hall.overview.value).rooms, hall.byNeed.value);
  return html`<div class="hall-table" tabindex="0" role="region" aria-label=${t('hall.rooms')}>
    <table>
      <thead>
        <tr>${HEAD.map((name) => html`<th key=${name} scope="col">${t(`hall.head.${name}`)}</th>`)}</tr>
      </thead>
      <tbody>
        ${rooms.map(
          (room) => html`<tr key=${room.id} data-level=${room.level}>
            <th scope="row"><button class="button-link" onClick=${() => enter(desk, room)}>${room.building} ${room.name}</button></th>
            <td><span class="hall-state"><${Icon} name=${SHAPES[room.level]} size=${14} /> ${howText(t, room)}</span></td>
            ${numbers(room).map((n, at) => html`<td key=${at} class="number" data-none=${n === 0 ? 'yes' : null}>${n}</td>`)}
            <td>${room.released ? t('hall.released') : room.signed ? t('hall.signed') : '–'}</td>
            <td>${room.watched_by.join('、') || '–'}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** @param {Room} room */
const numbers = (room) => [
  room.expected, room.present, count(room, 'answering'), count(room, 'silent'), count(room, 'paused'),
  count(room, 'on_leave'), count(room, 'handed_in', 'timed_out', 'forced'), room.absent, room.spare_left, room.incidents,
  room.proposals,
];

/** @param {import('../../../shared/i18n.js').I18n['t']} t @param {Room} room */
function whyText(t, room) {
  const n = { incident: room.incidents, proposal: room.proposals, silent: count(room, 'silent'), 'mostly-silent': count(room, 'silent'), paused: count(room, 'paused'), unaccounted: room.unaccounted, discrepancy: room.discrepancies };
  return room.why.map((why) => t(`hall.why.${why}`, { n: /** @type {any} */ (n)[why] ?? 0 })).join(t('list.comma'));
}

/** What it needs; of a room that needs nothing what it is. @param {import('../../../shared/i18n.js').I18n['t']} t @param {Room} room */
const howText = (t, room) => whyText(t, room) || t(room.reserve ? 'hall.reserve' : `hall.level.${room.level}`);

/** The tile in one sentence. @param {import('../../../shared/i18n.js').I18n['t']} t @param {Room} room */
const spoken = (t, room) =>
  [
    `${room.building} ${room.name}`, t(room.reserve ? 'hall.reserve' : `hall.level.${room.level}`), whyText(t, room),
    t(room.reserve ? 'hall.spoken.reserve' : 'hall.spoken', { present: room.present, expected: room.expected, answering: count(room, 'answering'), spares: room.spare_left }),
    room.released ? t('hall.released') : room.signed ? t('hall.signed') : '',
  ].filter(Boolean).join(t('list.comma'));

/** A room's number is what people look for. @param {string} name */
const short = (name) => /\d+/.exec(name)?.[0] ?? name;

/** @param {import('../../core/desk.js').Desk} desk @param {Room} room */
function enter(desk, room) {
  const session = desk.hall.session.value;
  desk.leaveViews();
  desk.openRoom(room.id, session);
}
