/** The rooms of an exam by building, the form for one of them, and the seats of one. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { byBuilding, roomForm } from '../../core/site-picture.js';
import { Field, Remove, Sheet, useHeading } from './forms.js';

/** @typedef {import('../../core/site.js').Room} Room */

export function Rooms() {
  const { desk, t } = useApp();
  const { site } = desk;
  const rooms = site.picture.value?.rooms ?? [];
  const open = site.open.value;
  const one = rooms.find(({ id }) => id === open?.id) ?? null;
  return html`<section aria-label=${t('site.tab.rooms')}>
    <datalist id="site-buildings">${byBuilding(rooms).map(({ id, name }) => html`<option key=${id} value=${name}></option>`)}</datalist>
    ${open?.what === 'room' ? html`<${RoomSheet} key=${open.id} room=${one} last=${rooms[rooms.length - 1] ?? null} />` : null}
    ${open?.what === 'seats' && one ? html`<${Seats} key=${one.id} room=${one} />` : null}
    ${byBuilding(rooms).map((building) => html`<${Building} key=${building.id} building=${building} />`)}
    ${rooms.length === 0 ? html`<p class="soft">${t('site.rooms.none')}</p>` : null}
    <button class="button" onClick=${() => site.show('room')}>${t('site.room.new')}</button>
  </section>`;
}

/** @param {{building: {id: number, name: string, rooms: Room[]}}} props */
function Building({ building }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const [name, setName] = useState(/** @type {string | null} */ (null));
  return html`<div class="site-building">
    <header class="site-building-head">
      <h2>${building.name} <span class="soft number">${t('site.building.rooms', { n: building.rooms.length })}</span></h2>
      ${name === null
        ? html`<button class="button button-quiet" onClick=${() => setName(building.name)}>${t('site.building.rename')}</button>`
        : html`<form
            class="site-line"
            onSubmit=${async (/** @type {Event} */ event) => {
              event.preventDefault();
              if (await site.renameBuilding(building.id, building.name, name)) setName(null);
            }}
          >
            <input
              class="input" aria-label=${t('site.building.rename')} required maxlength="100" value=${name}
              onInput=${(/** @type {any} */ event) => setName(event.target.value)}
            />
            <button class="button button-primary">${t('site.save')}</button>
            <button class="button" type="button" onClick=${() => setName(null)}>${t('site.cancel')}</button>
          </form>`}
    </header>
    <div class="site-scroll">
      <table class="site-table">
        <thead>
          <tr>
            ${['name', 'number', 'seats', 'spares', 'broken', 'people', 'staff'].map((head) => html`<th key=${head} scope="col">${t(`site.room.${head}`)}</th>`)}
            <th scope="col"><span class="sr-only">${t('site.change')}</span></th>
          </tr>
        </thead>
        <tbody>
          ${building.rooms.map(
            (room) => html`<tr key=${room.id}>
              <th scope="row">${room.name}</th>
              <td>${room.number || '—'}</td>
              <td class="number">${room.seats}</td>
              <td class="number">${room.spares}</td>
              <td class="number">${room.out_of_order || '—'}</td>
              <td class="number">${room.people}</td>
              <td class="number">${room.staff || html`<span class="site-warn">${t('site.room.nobody')}</span>`}</td>
              <td class="site-cell-buttons">
                <button class="button" onClick=${() => site.show('room', room.id)}>${t('site.change')}<span class="sr-only"> ${room.name}</span></button>
                <button class="button" onClick=${() => site.show('seats', room.id)}>${t('site.seats')}<span class="sr-only"> ${room.name}</span></button>
              </td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </div>`;
}

/** @param {{room: Room | null, last: Room | null}} props */
function RoomSheet({ room, last }) {
  const { desk, t } = useApp();
  const { site } = desk;
  /** As it was when the form opened: what is saved is compared with this. */
  const [was] = useState(room);
  const [fields, setFields] = useState(() => /** @type {Record<string, any>} */ (
    was ? roomForm(was) : { name: '', building: last?.building ?? '', number: '', seats: last?.seats ?? 40, spares: last?.spares ?? 2 }
  ));
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => setFields({ ...fields, [name]: value });
  const form = () => /** @type {any} */ ({ ...fields, seats: Number(fields.seats), spares: Number(fields.spares) });
  return html`<${Sheet}
    title=${was ? t('site.room.edit', { name: was.name }) : t('site.room.new')} save=${t('site.save')}
    busy=${desk.busy.value !== null} onClose=${() => site.show(null)} onSubmit=${() => void site.saveRoom(was, form())}
    more=${was && was.people === 0
      ? html`<${Remove} label=${t('site.remove')} sure=${t('site.remove.sure', { name: was.name })} onSure=${() => void site.removeRoom(was)} />`
      : null}
  >
    <${Field} label=${t('site.room.name')} name="name" value=${fields.name} required maxlength=${100} onValue=${set('name')} />
    <${Field} label=${t('site.room.building')} name="building" list="site-buildings" value=${fields.building} required maxlength=${100} onValue=${set('building')} />
    <${Field} label=${t('site.room.number')} name="number" value=${fields.number} maxlength=${100} onValue=${set('number')} />
    <${Field} label=${t('site.room.seats')} name="seats" type="number" min=${1} max=${500} required value=${fields.seats} onValue=${set('seats')} />
    <${Field} label=${t('site.room.spares')} name="spares" type="number" min=${0} max=${100} required value=${fields.spares} onValue=${set('spares')} />
  <//>`;
}

/** @param {{room: Room}} props */
function Seats({ room }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const [why, setWhy] = useState('');
  const seats = site.seats.value;
  const heading = useHeading();
  return html`<div
    class="site-sheet" role="group" aria-label=${t('site.seats.of', { room: room.name })}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') site.show(null);
    }}
  >
    <h2 tabindex="-1" ref=${heading}>${t('site.seats.of', { room: room.name })}</h2>
    <p class="soft">${t('site.seats.what')}</p>
    <${Field} label=${t('site.seats.why')} name="why" value=${why} maxlength=${200} onValue=${setWhy} />
    ${seats === null
      ? html`<p role="status">${t('site.opening')}</p>`
      : html`<ul class="site-seats">
          ${seats.map(
            (seat) => html`<li key=${seat.id}>
              <button
                class="site-seat" aria-pressed=${seat.out_of_order ? 'true' : 'false'} data-spare=${seat.is_spare ? 'yes' : null}
                title=${seat.out_of_order ?? ''}
                onClick=${() => void site.mark(room.id, seat, seat.out_of_order ? null : why.trim() || t('site.seats.broken'))}
              >
                <strong>${seat.label}</strong>
                <span>${seat.out_of_order ? `✕ ${t('site.seats.out')}` : t(seat.is_spare ? 'site.seats.spare' : 'site.seats.good')}</span>
              </button>
            </li>`,
          )}
        </ul>`}
    <div class="site-buttons"><button class="button" onClick=${() => site.show(null)}>${t('site.close')}</button></div>
  </div>`;
}
