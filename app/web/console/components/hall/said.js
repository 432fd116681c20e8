/** Announcements: writing one, and who has it. */
import { html } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { MOST_CHARS, lacks, ticketsIn } from '../../core/hall.js';
import { dayTimeText } from '../../core/wall.js';

const TO = ['candidates', 'staff', 'both'];
const SCOPES = ['site', 'building', 'room', 'list'];

export function Said() {
  const { desk, t } = useApp();
  const { hall, staff } = desk;
  const seen = /** @type {any} */ (hall.overview.value);
  if (hall.reach.value !== null) return html`<${Reach} />`;
  // Who has it is watched for long, and written is seldom.
  const writes = seen.announcements.length === 0 || hall.draft.value.zh !== '';
  return html`${staff.value?.may.includes('announce')
      ? html`<details class="hall-new" open=${writes}>
          <summary>${t('hall.say.new')}</summary>
          <${Write} />
        </details>`
      : null}
    ${seen.announcements.length === 0 ? html`<p class="soft">${t('hall.said.none')}</p>` : null}
    <ul class="hall-said">
      ${seen.announcements.map((/** @type {import('../../core/hall.js').Announcement} */ one) => html`<li key=${one.id}>
        <p>${one.zh}</p>
        <p class="soft">${one.names.slice(0, 3).join('、') || t('incident.scope.site')} · ${one.by} · ${dayTimeText(one.at, zoneOf(desk))}</p>
        <p class="hall-has"><${Has} one=${one} />
          <button class="button-link" onClick=${() => void hall.follow(one.id)}>${t('hall.said.who')}</button></p>
      </li>`)}
    </ul>`;
}

/** @param {import('../../core/desk.js').Desk} desk */
const zoneOf = (desk) => desk.hall.overview.value?.session.timezone;

/** @param {{one: import('../../core/hall.js').Announcement}} props */
function Has({ one }) {
  const { t } = useApp();
  return html`${one.candidates
      ? html`<span class="number" data-all=${one.candidates.shown === one.candidates.of ? 'yes' : null}>${t('hall.said.shown', one.candidates)}</span>`
      : null}
    ${one.rooms ? html`<span class="number" data-all=${one.rooms.known === one.rooms.of ? 'yes' : null}>${t('hall.said.known', one.rooms)}</span>` : null}`;
}

function Write() {
  const app = useApp();
  const { desk, t } = app;
  const { hall, busy, fault } = desk;
  const draft = hall.draft.value;
  const lack = lacks(draft);
  const rooms = hall.overview.value?.rooms ?? [];
  const buildings = [...new Map(rooms.map((room) => [room.building_id, room.building]))];
  /** @param {'buildings' | 'rooms'} name @param {number} id */
  const turn = (name, id) => hall.edit({ [name]: draft[name].includes(id) ? draft[name].filter((one) => one !== id) : [...draft[name], id] });
  return html`<form class="hall-write" onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); if (lack === null) void hall.announce(); }}>
    <label class="field">
      <span class="field-label">${t('hall.say.zh')} <span class="soft number">${draft.zh.length}/${MOST_CHARS}</span></span>
      <textarea class="input" rows="3" maxlength=${MOST_CHARS} value=${draft.zh} onInput=${(/** @type {any} */ event) => hall.edit({ zh: event.target.value })}></textarea>
    </label>
    <label class="field">
      <span class="field-label">${t('hall.say.en')}</span>
      <textarea class="input" rows="2" maxlength=${MOST_CHARS} value=${draft.en} onInput=${(/** @type {any} */ event) => hall.edit({ en: event.target.value })}></textarea>
    </label>
    <${Choice} label=${t('hall.say.to')} names=${TO} of="to" value=${draft.to} onChoose=${(/** @type {any} */ to) => hall.edit({ to })} />
    <${Choice} label=${t('hall.say.scope')} names=${SCOPES} of="scope" value=${draft.scope} onChoose=${(/** @type {any} */ scope) => hall.edit({ scope })} />
    ${draft.scope === 'building'
      ? html`<div class="hall-choose">${buildings.map(([id, name]) => html`<button key=${id} type="button" class="chip" aria-pressed=${draft.buildings.includes(id) ? 'true' : 'false'} onClick=${() => turn('buildings', id)}>${name}</button>`)}</div>`
      : null}
    ${draft.scope === 'room'
      ? html`<div class="hall-choose">${rooms.map(({ id, name }) => html`<button key=${id} type="button" class="chip" aria-pressed=${draft.rooms.includes(id) ? 'true' : 'false'} onClick=${() => turn('rooms', id)}>${name}</button>`)}</div>`
      : null}
    ${draft.scope === 'list'
      ? html`<label class="field"><span class="field-label">${t('incident.tickets')} <span class="soft number">${ticketsIn(draft.tickets).length}</span></span>
          <textarea class="input" rows="2" value=${draft.tickets} onInput=${(/** @type {any} */ event) => hall.edit({ tickets: event.target.value })}></textarea></label>`
      : null}
    ${fault.value?.at === 'announce' && fault.value.error ? html`<p class="note note-bad" role="alert">${wordsFor(app, fault.value.error)}</p>` : null}
    <button class="button button-primary" aria-disabled=${lack !== null || busy.value !== null ? 'true' : null}>
      ${busy.value?.at === 'announce' ? t('hall.say.busy') : lack === null ? t('hall.say.submit') : t(`hall.say.lacks.${lack}`)}
    </button>
  </form>`;
}

/** @param {{label: string, names: string[], of: string, value: string, onChoose: (name: string) => void}} props */
function Choice({ label, names, of, value, onChoose }) {
  const { t } = useApp();
  return html`<div class="hall-choice" role="group" aria-label=${label}>
    <span class="field-label">${label}</span>
    ${names.map((name) => html`<button key=${name} type="button" class="chip" aria-pressed=${value === name ? 'true' : 'false'} onClick=${() => onChoose(name)}>${t(`hall.say.${of}.${name}`)}</button>`)}
  </div>`;
}

/** Whose page has not shown it, and which rooms have not acknowledged it: whom to go to. */
function Reach() {
  const { desk, t } = useApp();
  const { hall } = desk;
  const { announcement, missing, rooms } = /** @type {any} */ (hall.reach.value);
  const waiting = rooms.filter((/** @type {any} */ room) => room.known === null);
  return html`<button class="button-link" onClick=${() => void hall.follow(null)}>${t('hall.said.back')}</button>
    <p>${announcement.zh}</p>
    <p class="hall-has"><${Has} one=${announcement} /></p>
    ${announcement.candidates?.absent > 0 ? html`<p class="soft">${t('hall.said.absent', { n: announcement.candidates.absent })}</p>` : null}
    ${missing.length > 0
      ? html`<h2>${t('hall.said.missing')}</h2>
          <ul class="hall-missing">${missing.map((/** @type {any} */ one) => html`<li key=${one.attempt}><b>${one.name}</b> <span class="number">${one.ticket}</span> <span class="soft">${one.room} ${one.seat}</span></li>`)}</ul>`
      : null}
    ${rooms.length > 0
      ? html`<h2>${t('hall.said.rooms')}</h2>
          <ul class="hall-missing">${[...waiting, ...rooms.filter((/** @type {any} */ room) => room.known !== null)].map((/** @type {any} */ room) => html`<li key=${room.id}><b>${room.name}</b> <span class="soft">${room.known ? t('hall.said.by', { by: room.known.by }) : t('hall.said.not')}</span></li>`)}</ul>`
      : null}`;
}
