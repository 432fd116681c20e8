/** Beside the rooms: the feed of the day, what is open and waits for a decision, announcements, and anybody by name. */
import { html } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { STATES } from '../../core/room.js';
import { wallText } from '../../core/wall.js';
import { Icon } from '../icons/icons.js';
import { Said } from './said.js';

/** More rooms than these are a number. */
const MOST_ROOMS = 3;
const TABS = ['feed', 'open', 'said', 'people'];

export function Beside() {
  const { desk, t } = useApp();
  const { hall } = desk;
  const seen = /** @type {any} */ (hall.overview.value);
  const waiting = { open: seen.incidents.length + seen.proposals.length + seen.decisions.length };
  const tab = hall.tab.value;
  return html`<aside class="hall-beside" aria-label=${t('hall.beside')}>
    <div class="hall-tabs" role="group" aria-label=${t('hall.beside')}>
      ${TABS.map(
        (name) => html`<button
          key=${name} class="hall-tab" type="button" aria-pressed=${tab === name ? 'true' : 'false'}
          onClick=${() => { hall.tab.value = /** @type {any} */ (name); }}
        >
          ${t(`hall.tab.${name}`)} ${/** @type {any} */ (waiting)[name] > 0 ? html`<strong class="number">${/** @type {any} */ (waiting)[name]}</strong>` : null}
        </button>`,
      )}
    </div>
    <div class="hall-beside-body">
      ${tab === 'feed' ? html`<${Feed} />` : tab === 'open' ? html`<${Open} />` : tab === 'said' ? html`<${Said} />` : html`<${People} />`}
    </div>
  </aside>`;
}

function Feed() {
  const { desk, t, i18n } = useApp();
  const { hall } = desk;
  const zh = i18n.language.value.startsWith('zh');
  const { people, rooms, kinds } = hall.known.value;
  const zone = hall.overview.value?.session.timezone;
  return html`<div class="hall-filter">
      <label><span class="sr-only">${t('hall.feed.room')}</span>
        <select class="input" value=${hall.filter.value.room} onChange=${(/** @type {any} */ event) => void hall.narrow({ room: event.target.value })}>
          <option value="">${t('hall.feed.rooms')}</option>
          ${(hall.overview.value?.rooms ?? []).map(({ id, name }) => html`<option key=${id} value=${String(id)}>${name}</option>`)}
        </select></label>
      <label><span class="sr-only">${t('hall.feed.kind')}</span>
        <select class="input" value=${hall.filter.value.kind} onChange=${(/** @type {any} */ event) => void hall.narrow({ kind: event.target.value })}>
          <option value="">${t('hall.feed.kinds')}</option>
          ${kinds.map((/** @type {any} */ one) => html`<option key=${one.kind} value=${one.kind}>${zh ? one.zh : one.en}</option>`)}
        </select></label>
    </div>
    ${hall.entries.value.length === 0 ? html`<p class="soft">${t('hall.feed.none')}</p>` : null}
    <ol class="hall-feed">
      ${hall.entries.value.map((entry) => {
        const where = placeOf(t, entry, rooms);
        const who = entry.tickets.map((ticket) => people[ticket] ?? ticket).join('、');
        return html`<li key=${entry.n}>
          <time class="number" datetime=${entry.at}>${wallText(entry.at, zone)}</time>
          <p><b>${zh ? entry.zh : entry.en}</b> ${where ? html`<span class="hall-where">${where}</span>` : null} ${who ? html`<span>${who}${entry.more > 0 ? '…' : ''}</span>` : null}
            <span class="soft">${zh ? entry.about_zh : entry.about_en} ${entry.by ?? t('hall.feed.service')}</span></p>
        </li>`;
      })}
    </ol>
    ${hall.next.value !== null ? html`<button class="button" onClick=${() => void hall.more()}>${t('audit.more')}</button>` : null}`;
}

/** @param {import('../../../shared/i18n.js').I18n['t']} t @param {import('../../core/hall.js').Entry} entry @param {Record<string, string>} rooms */
function placeOf(t, entry, rooms) {
  if (entry.room) return entry.room;
  if (entry.room_ids.length > MOST_ROOMS) return entry.scope === 'site' ? t('incident.scope.site') : t('hall.feed.manyRooms', { n: entry.room_ids.length });
  return entry.room_ids.map((id) => rooms[String(id)] ?? '').filter(Boolean).join('、');
}

/** Incidents that go on, and what waits for a decision; each leads to where it is decided. */
function Open() {
  const { desk, t, i18n } = useApp();
  const { hall } = desk;
  const zh = i18n.language.value.startsWith('zh');
  const { incidents, proposals, decisions } = /** @type {any} */ (hall.overview.value);
  const decide = () => {
    const session = hall.session.value;
    desk.leaveViews();
    if (session !== null) void desk.timing.show(session);
  };
  return html`${incidents.length + proposals.length + decisions.length === 0 ? html`<p class="soft">${t('hall.open.none')}</p>` : null}
    ${proposals.length + decisions.length > 0
      ? html`<h2>${t('hall.open.waiting')}</h2>
          <ul class="hall-open">
            ${proposals.map((/** @type {any} */ one) => html`<li key=${one.id}><p>${zh ? one.zh : one.en}</p>
              <p class="soft">${one.scope_names.slice(0, 4).join('、')} · ${t('timing.people', { n: one.candidates })}</p></li>`)}
            ${decisions.map((/** @type {any} */ one) => html`<li key=${`d${one.id}`}><p>${t('hall.open.decision', { number: one.number })}</p><p class="soft">${one.text}</p></li>`)}
          </ul>
          <button class="button" onClick=${decide}>${t('hall.open.decide')}</button>`
      : null}
    ${incidents.length > 0
      ? html`<h2>${t('hall.open.incidents')}</h2>
          <ul class="hall-open">
            ${incidents.map((/** @type {any} */ one) => html`<li key=${one.id}>
              <p><b class="number">#${one.number}</b> ${one.title} ${one.sealed ? html`<span class="tag">${t('incident.sealed')}</span>` : null}</p>
              <p class="soft">${one.names.slice(0, 4).join('、') || t('incident.scope.site')} · ${one.by}</p></li>`)}
          </ul>
          <button class="button" onClick=${() => desk.views.show('incidents')}>${t('hall.open.desk')}</button>`
      : null}`;
}

/** Anybody of the session: by name, ticket, seat or room, or by what they are in; a page at a time. */
function People() {
  const { desk, t } = useApp();
  const { hall } = desk;
  const { query, state } = hall.sought.value;
  const found = hall.people.value;
  return html`<form
      class="hall-search" role="search"
      onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); void hall.search(); }}
    >
      <input
        class="input" type="search" maxlength="100" autocomplete="off" aria-label=${t('hall.search')} placeholder=${t('hall.search')}
        value=${query} onInput=${(/** @type {any} */ event) => { hall.sought.value = { query: event.target.value, state }; }}
      />
      <select class="input" aria-label=${t('hall.search.state')} value=${state}
        onChange=${(/** @type {any} */ event) => { hall.sought.value = { query, state: event.target.value }; void hall.search(); }}>
        <option value="">${t('hall.search.any')}</option>
        ${STATES.map((one) => html`<option key=${one} value=${one}>${t(`kind.${one}`)}</option>`)}
      </select>
      <button class="button button-primary">${t('hall.search.submit')}</button>
    </form>
    ${found === null ? null : html`<p role="status" class="soft">${t('hall.search.found', { n: found.total })}</p>
      <ul class="hall-people">
        ${found.candidates.map((one) => html`<li key=${one.ticket}>
          <button type="button" onClick=${() => visit(desk, one)}>
            <${Icon} name=${one.state} /> <span><b>${one.name}</b> <span class="number">${one.ticket}</span></span>
            <span class="soft">${seatText(t, one.seat, one.room)} · ${t(`kind.${one.state}`)}</span>
          </button>
        </li>`)}
      </ul>
      ${found.next !== null ? html`<button class="button" onClick=${() => void hall.search(Number(found.next))}>${t('audit.more')}</button>` : null}`}`;
}

/** The room, with this candidate's panel open. @param {import('../../core/desk.js').Desk} desk @param {import('../../core/hall.js').Person} person */
function visit(desk, person) {
  const session = desk.hall.session.value;
  desk.leaveViews();
  desk.openRoom(person.room_id, session);
  desk.selection.value = { seatId: person.seat_id, ticket: person.ticket };
}
