/** What was said to be wrong with questions in a session; which item it is, and who drew it, only for the office. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp, wordsFor } from '../../app.js';
import { wallText } from '../../core/wall.js';

export function ItemReports() {
  const app = useApp();
  const { desk, t } = app;
  const { itemReports, sessions, sessionId } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const [chosen, setChosen] = useState(sessionId.value ?? sessions.value[0]?.id ?? null);
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    if (chosen !== null) void itemReports.load(chosen);
  }, [chosen]);
  const list = itemReports.list.value;
  const office = (list ?? []).some(({ item }) => item !== null);
  const zone = sessions.value.find(({ id }) => id === chosen)?.timezone;
  const heads = ['at', 'seat', 'who', 'position', 'text', 'by', ...(office ? ['item', 'drawn', 'reported'] : [])];
  return html`<main class="audit" aria-labelledby="item-reports-title">
    <header class="audit-head item-reports-head">
      <h1 id="item-reports-title" tabindex="-1" ref=${heading}>${t('item.title')}</h1>
      <select
        class="input" aria-label=${t('item.session')} value=${String(chosen)}
        onInput=${(/** @type {any} */ event) => setChosen(Number(event.target.value))}
      >
        ${sessions.value.map(({ id, name }) => html`<option key=${id} value=${String(id)}>${name}</option>`)}
      </select>
      <button class="button" onClick=${() => chosen !== null && void itemReports.load(chosen)}>${t('item.again')}</button>
    </header>
    ${itemReports.fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, itemReports.fault.value)}</p>` : null}
    ${list === null
      ? null
      : list.length === 0
        ? html`<p class="soft">${t('item.none')}</p>`
        : html`<div class="audit-table">
            <table>
              <thead>
                <tr>${heads.map((one) => html`<th key=${one} scope="col">${t(`item.head.${one}`)}</th>`)}</tr>
              </thead>
              <tbody>
                ${list.map(
                  (one) => html`<tr key=${one.id}>
                    <td class="number">${wallText(one.at, zone, false)}</td>
                    <td>${seatText(t, one.seat, one.room)}</td>
                    <td>${one.name} <span class="soft number">${one.ticket}</span></td>
                    <td class="number">${one.position}</td>
                    <td class="item-reports-text">${one.text}</td>
                    <td>${one.by}${one.told_by ? html` <span class="soft">${t('incident.told', { who: one.told_by })}</span>` : null}</td>
                    ${office
                      ? html`<td class="number">${one.item}</td><td class="number">${one.drawn}</td><td class="number">${one.reported}</td>`
                      : null}
                  </tr>`,
                )}
              </tbody>
            </table>
          </div>`}
  </main>`;
}
