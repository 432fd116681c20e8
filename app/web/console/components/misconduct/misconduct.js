/** Misconduct 违纪: a list, one record or a new one. Whoever is not of the office sees what they wrote themselves. */
import { html, useEffect } from '../../../shared/ui.js';
import { seatText, useApp, wordsFor } from '../../app.js';
import { Icon } from '../icons/icons.js';
import { hour } from '../incidents/incidents.js';
import { Draft } from './draft.js';
import { One } from './one.js';

const SHAPES = { noted: 'handed_in', marked: 'silent', removed: 'forced' };

export function Misconduct() {
  const app = useApp();
  const { desk, t } = app;
  const { misconduct } = desk;
  const session = desk.sessionId.value ?? desk.sessions.value[0]?.id ?? null;
  useEffect(() => {
    if (session === null) return undefined;
    misconduct.enter(session);
    return () => misconduct.leave();
  }, [session]);
  if (session === null) return html`<main class="page-empty"><h1>${t('sessions.none')}</h1></main>`;
  const { fault, draft, openId } = misconduct;
  return html`<main class="cases">
    ${fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, fault.value)}</p>` : null}
    ${draft.value
      ? html`<${Draft} draft=${draft.value} />`
      : openId.value === null
        ? html`<${List} />`
        : html`<${One} key=${openId.value} />`}
  </main>`;
}

function List() {
  const { desk, t, i18n } = useApp();
  const { misconduct } = desk;
  const zh = i18n.language.value.startsWith('zh');
  const may = desk.staff.value?.may ?? [];
  const room = desk.roomId.value;
  const found = misconduct.list.value;
  return html`<header class="case-head">
      <h1>${t('views.misconduct')}</h1>
      <span class="case-sealed">${t('misconduct.sealed')}</span>
      <span class="case-gap"></span>
      ${may.includes('misconduct-open') && room !== null
        ? html`<button class="button button-primary" onClick=${() => misconduct.begin(room)}>${t('misconduct.new')}</button>`
        : null}
    </header>
    ${misconduct.rooms.value.length > 0
      ? html`<table class="case-fields case-counts">
          <thead>
            <tr>
              <th scope="col">${t('misconduct.room')}</th>
              <th scope="col">${t('misconduct.candidates')}</th>
              <th scope="col">${t('misconduct.measure.marked.short')}</th>
              <th scope="col">${t('misconduct.measure.removed.short')}</th>
            </tr>
          </thead>
          <tbody>
            ${misconduct.rooms.value.map(
              (one) => html`<tr key=${`${one.session_id} ${one.room_id}`}>
                <th scope="row">${one.session} ${one.room}</th>
                <td class="number">${one.candidates}</td>
                <td class="number">${one.marked}</td>
                <td class="number">${one.removed}</td>
              </tr>`,
            )}
          </tbody>
        </table>`
      : null}
    ${found !== null && found.length === 0 ? html`<p class="soft case-none">${t('misconduct.none')}</p>` : null}
    <ul class="case-list">
      ${(found ?? []).map(
        (head) => html`<li key=${head.id}>
          <button class="case case-row" onClick=${() => misconduct.open(head.id)}>
            <span class="case-row-top">
              <strong>${head.name}</strong> <span class="number">${head.ticket}</span>
              <span>${head.room} ${seatText(t, head.seat)}</span>
              <${MeasureMark} head=${head} zh=${zh} />
            </span>
            <span class="case-row-facts">${head.facts}</span>
            <span class="soft">${t('case.by', { by: head.by })} <span class="number">${hour(head.at)}</span></span>
          </button>
        </li>`,
      )}
    </ul>`;
}

/** Colour, shape and word. @param {{head: import('../../core/misconduct.js').Head, zh: boolean}} props */
export function MeasureMark({ head, zh }) {
  return html`<span class="case-state" data-state=${head.measure}>
    <${Icon} name=${SHAPES[head.measure]} size=${14} /> ${zh ? head.measure_zh : head.measure_en}
  </span>`;
}
