/** Which room, which session, how much time, who is here. */
import { html, useState } from '../../../shared/ui.js';
import { useApp, useLink, useSince } from '../../app.js';
import { countdown, digits } from '../../core/room.js';
import { Look } from './look.js';

export function TopBar() {
  return html`<header class="top-bar">
    <${Where} />
    <${SessionClock} />
    <${Who} />
  </header>`;
}

function Where() {
  const { desk, t } = useApp();
  const { staff, sessions, roomId, sessionId } = desk;
  const rooms = staff.value?.rooms ?? [];
  if (rooms.length === 0) return html`<div class="top-bar-where"></div>`;
  /** @type {Map<string, typeof rooms>} */
  const buildings = new Map();
  for (const room of rooms) buildings.set(room.building, [...(buildings.get(room.building) ?? []), room]);
  const here = sessions.value.filter((session) => session.room_ids?.includes(roomId.value ?? -1));
  return html`<div class="top-bar-where">
    <label>
      <span class="sr-only">${t('top.room')}</span>
      <select
        class="top-bar-select top-bar-room" value=${String(roomId.value)}
        onChange=${(/** @type {any} */ event) => {
          desk.leaveViews();
          desk.openRoom(Number(event.target.value));
        }}
      >
        ${[...buildings].map(
          ([building, inside]) => html`<optgroup label=${building} key=${building}>
            ${inside.map(
              (room) => html`<option value=${String(room.id)} key=${room.id}>${roomText(room)}</option>`,
            )}
          </optgroup>`,
        )}
      </select>
    </label>
    ${here.length > 0
      ? html`<label>
          <span class="sr-only">${t('top.session')}</span>
          <select
            class="top-bar-select" value=${String(sessionId.value)}
            onChange=${(/** @type {any} */ event) => {
              desk.leaveViews();
              desk.openRoom(/** @type {number} */ (roomId.value), Number(event.target.value));
            }}
          >
            ${here.map(
              (session) => html`<option value=${String(session.id)} key=${session.id}>
                ${session.name} · ${t(`session.${session.state}`)}
              </option>`,
            )}
          </select>
        </label>`
      : null}
  </div>`;
}

/** @param {{name: string, number: string, building: string}} room */
function roomText({ name, number, building }) {
  return [building, name, number && number !== name ? number : ''].filter(Boolean).join(' ');
}

function SessionClock() {
  const { desk, t, i18n } = useApp();
  const since = useSince();
  const link = useLink();
  const { picture } = desk;
  if (!picture.value) return html`<div class="clock"></div>`;
  const { room, session, clock, counts: people } = picture.value;
  const told = countdown(clock, since);
  const { ms, longestMs } = told;
  // Nobody's time runs: the session's own digits would say that it does.
  const stand = told.kind === 'remains' && people.paused > 0 && people.answering + people.silent === 0;
  const kind = stand ? 'paused' : told.kind;
  const counts = kind === 'starts' || kind === 'remains';
  const stands = counts && link !== 'live';
  const planned = new Date(session.planned_start).toLocaleTimeString(i18n.language.value, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone: room.timezone,
  });
  return html`<div class="clock" data-kind=${kind} data-stands=${stands || stand ? 'yes' : null} role="timer" aria-live="off">
    <span class="clock-word">${t(`clock.${kind}`)}</span>
    ${counts ? html`<span class="clock-digits number">${digits(ms)}</span>` : null}
    <span class="clock-more">
      ${stands
        ? t('clock.stands')
        : kind !== 'starts' && longestMs !== null && longestMs > ms + 1000
          ? t('clock.longest', { time: digits(longestMs) })
          : t('clock.planned', { time: planned, minutes: Math.round(session.duration_ms / 60_000) })}
    </span>
  </div>`;
}

function Who() {
  const { desk, t } = useApp();
  const [leaving, setLeaving] = useState(false);
  const staff = desk.staff.value;
  if (!staff) return null;
  return html`<div class="who">
    <span class="who-name"><strong>${staff.name}</strong> <span class="soft">${t(`role.${staff.role}`)}</span></span>
    <button class="button button-quiet who-leave" onClick=${() => desk.views.show('password')}>${t('password.link')}</button>
    <${Look} />
    ${leaving
      ? html`<button class="button who-leave" onClick=${() => void desk.signOut()} onBlur=${() => setLeaving(false)}>
          ${t('top.signOut.sure')}
        </button>`
      : html`<button class="button button-quiet who-leave" onClick=${() => setLeaving(true)}>${t('top.signOut')}</button>`}
  </div>`;
}
