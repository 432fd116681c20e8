/**
 * Whom the decision is for: everyone, buildings, rooms on a map of rooms, a pasted list, or one candidate.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { step } from '../../core/room.js';
import { countOf, scopesFor, ticketsIn, toggleRooms } from '../../core/timing-draft.js';
import { stands } from '../../core/timing-picture.js';
import { byBuilding } from '../../core/timing-view.js';
import { Icon } from '../icons/icons.js';
import { Explain } from './explain.js';
import { Choice } from './field.js';

/** @param {{view: View}} props */
export function ScopePicker({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const draft = timing.draft.value;
  const n = countOf(draft, view.rooms);
  return html`<fieldset class="scope">
    <legend>
      ${t('timing.whom')} ${n > 0 ? html`<span class="soft number">${t('timing.people', { n })}</span>` : null}
    </legend>
    <${Choice}
      name="scope" value=${draft.scope} onChange=${(/** @type {any} */ scope) => timing.edit({ scope })}
      options=${scopesFor(draft.action).map((value) => ({ value, words: t(`timing.scope.${value}`) }))}
    />
    ${draft.scope === 'building' ? html`<${Buildings} view=${view} />` : null}
    ${draft.scope === 'room' ? html`<${RoomMap} view=${view} />` : null}
    ${draft.scope === 'list' ? html`<${Tickets} />` : null}
    ${draft.scope === 'candidate' ? html`<${Person} session=${view.session.id} />` : null}
  </fieldset>`;
}

/** @param {{view: View}} props */
function Buildings({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const { buildings } = timing.draft.value;
  return html`<div class="scope-buildings">
    ${byBuilding(view).map(([name, rooms]) => {
      const id = rooms[0].building_id;
      const chosen = buildings.includes(id);
      const n = rooms.reduce((sum, room) => sum + room.candidates, 0);
      const next = chosen ? buildings.filter((one) => one !== id) : [...buildings, id];
      return html`<button
        class="chip" type="button" key=${name} aria-pressed=${chosen ? 'true' : 'false'}
        onClick=${() => timing.edit({ buildings: next })}
      >
        ${name}
        <span class="soft number">
          ${t('timing.rooms.count', { n: rooms.length })} · ${t('timing.people', { n })}
        </span>
      </button>`;
    })}
  </div>`;
}

/**
 * The rooms as they stand in the buildings. One tab stop each building; the arrows walk.
 *
 * @param {{view: View}} props
 */
function RoomMap({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const draft = timing.draft.value;
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const tile = /** @type {HTMLElement | null} */ (event.target)?.closest?.('.map-room');
    const list = tile?.closest('.map-rooms');
    if (!tile || !list) return;
    const tiles = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('.map-room')]);
    const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length;
    const next = step(event.key, tiles.indexOf(/** @type {HTMLElement} */ (tile)), columns, tiles.length);
    if (next === null) return;
    event.preventDefault();
    tiles[next].focus();
  };
  return html`<div class="room-map" onKeyDown=${onKeyDown}>
    ${byBuilding(view).map(([name, rooms]) => {
      const ids = rooms.map(({ id }) => id);
      const entrance = rooms.find(({ id }) => draft.rooms.includes(id)) ?? rooms[0];
      const all = ids.every((id) => draft.rooms.includes(id));
      return html`<section key=${name} aria-label=${name}>
        <header class="room-map-head">
          <h3>${name}</h3>
          <button
            class="button-link" type="button" aria-pressed=${all ? 'true' : 'false'}
            onClick=${() => timing.edit(toggleRooms(draft, ids))}
          >
            ${t('timing.map.all')}
          </button>
        </header>
        <ul class="map-rooms">
          ${rooms.map((room) => html`<${Tile} key=${room.id} room=${room} entrance=${room === entrance} />`)}
        </ul>
      </section>`;
    })}
  </div>`;
}

/** @param {{room: import('../../core/timing-view.js').Room, entrance: boolean}} props */
function Tile({ room, entrance }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const draft = timing.draft.value;
  const paused = stands(room);
  const label = [room.name, t('timing.people', { n: room.candidates }), paused && t('timing.stands')];
  return html`<li>
    <button
      class="map-room number" type="button" tabindex=${entrance ? 0 : -1} data-paused=${paused ? 'yes' : null}
      aria-pressed=${draft.rooms.includes(room.id) ? 'true' : 'false'} title=${room.name}
      aria-label=${label.filter(Boolean).join(t('list.comma'))}
      onClick=${() => timing.edit(toggleRooms(draft, [room.id]))}
    >
      ${short(room.name)}
    </button>
  </li>`;
}

/** What tells a room apart on a small tile: its number, if its name has one. @param {string} name */
function short(name) {
  return /\d+/.exec(name)?.[0] ?? (name.length > 4 ? `${name.slice(0, 4)}…` : name);
}

function Tickets() {
  const { desk, t } = useApp();
  const { timing } = desk;
  const { tickets } = timing.draft.value;
  const n = ticketsIn(tickets).length;
  return html`<label class="scope-list">
    <span>${t('timing.tickets')}</span>
    <textarea
      class="input" rows="5" maxlength="60000" spellcheck=${false} value=${tickets}
      placeholder=${t('timing.tickets.hint')}
      onInput=${(/** @type {any} */ event) => timing.edit({ tickets: event.target.value })}
    ></textarea>
    <span class="soft" role="status">${t('timing.tickets.n', { n })}</span>
  </label>`;
}

/** @param {{session: number}} props */
function Person({ session }) {
  const app = useApp();
  const { desk, t } = app;
  const { timing } = desk;
  const { person } = timing.draft.value;
  const [query, setQuery] = useState('');
  const [found, setFound] = useState(/** @type {any[] | null} */ (null));
  const [fault, setFault] = useState(/** @type {unknown} */ (null));
  const asked = useRef(0);

  useEffect(() => {
    const words = query.trim();
    const mine = (asked.current += 1);
    if (words.length < 2) {
      setFound(null);
      return undefined;
    }
    const timer = setTimeout(async () => {
      try {
        const some = await timing.find(session, words);
        if (asked.current !== mine) return;
        setFound(some);
        setFault(null);
      } catch (error) {
        if (asked.current === mine) setFault(error);
      }
    }, 250);
    return () => clearTimeout(timer);
  }, [query, session]);

  const edit = (/** @type {any} */ chosen) => timing.edit({ person: chosen });
  if (person) {
    return html`<p class="scope-person">
        <span>
          <strong>${person.name}</strong> <span class="number">${person.ticket}</span>
          <br />${person.room} ${person.seat}
        </span>
        <button class="button button-quiet" type="button" onClick=${() => edit(null)}>
          ${t('timing.person.other')}
        </button>
      </p>
      <${Explain} key=${person.attempt} attempt=${person.attempt} />`;
  }
  const choose = (/** @type {any} */ { attempt_id: attempt, ticket, name, room, seat }) =>
    edit({ attempt, ticket, name, room, seat });
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    if (found?.length === 1) choose(found[0]);
  };
  return html`<div class="scope-search">
    <label class="search-field">
      <span class="sr-only">${t('timing.person.find')}</span>
      <${Icon} name="search" />
      <input
        type="search" value=${query} placeholder=${t('timing.person.find')} autocomplete="off" spellcheck=${false}
        onKeyDown=${onKeyDown} onInput=${(/** @type {any} */ event) => setQuery(event.target.value)}
      />
    </label>
    <span class="soft" role="status">${found ? t('search.found', { n: found.length }) : ''}</span>
    ${fault ? html`<p class="note note-bad">${wordsFor(app, fault)}</p>` : null}
    <ul class="scope-found">
      ${(found ?? []).map(
        (one) => html`<li key=${one.attempt_id}>
          <button class="attention-row scope-found-one" type="button" onClick=${() => choose(one)}>
            <strong>${one.name}</strong> <span class="number">${one.ticket}</span>
            <span class="soft">${one.room} ${one.seat}</span>
          </button>
        </li>`,
      )}
    </ul>
  </div>`;
}
