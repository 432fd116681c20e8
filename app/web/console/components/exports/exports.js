/** The records of an exam: lists to take away, sheets and reports to print. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { FORMS, KINDS } from '../../core/exports.js';
import { saveFile } from '../incidents/file.js';
import { PrintMenu, usePaper } from '../print-menu/print-menu.js';

export function Exports() {
  const app = useApp();
  const { desk, t } = app;
  const { sessions, sessionId, exports } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const [whole, setWhole] = useState(false);
  const [chosen, setChosen] = useState(sessionId.value ?? sessions.value[0]?.id ?? null);
  const session = sessions.value.find(({ id }) => id === chosen) ?? sessions.value[0] ?? null;

  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    return () => exports.stop();
  }, []);

  return html`<main class="exports" aria-labelledby="exports-title">
    <header>
      <h1 id="exports-title" tabindex="-1" ref=${heading}>${t('records.title')}</h1>
      <p class="soft">${t('records.what')}</p>
    </header>
    ${session === null
      ? html`<p class="page-wait">${t('sessions.none')}</p>`
      : html`<div class="exports-scope">
            <label class="field">
              <span class="field-label">${t('records.session')}</span>
              <select
                class="input" value=${String(session.id)}
                onInput=${(/** @type {any} */ event) => setChosen(Number(event.target.value))}
              >
                ${sessions.value.map(({ id, name }) => html`<option key=${id} value=${String(id)}>${name}</option>`)}
              </select>
            </label>
            <label class="exports-whole">
              <input type="checkbox" checked=${whole} onInput=${(/** @type {any} */ event) => setWhole(event.target.checked)} />
              <span>${t('records.whole')}</span>
            </label>
          </div>
          <${Lists} exam=${session.exam_id} session=${whole ? null : session.id} />
          <${Under} />
          <${Paper} exam=${session.exam_id} session=${session.id} whole=${whole} />`}
  </main>`;
}

/** @param {{exam: number, session: number | null}} props */
function Lists({ exam, session }) {
  const { desk, t } = useApp();
  const { exports } = desk;
  const busy = exports.running.value !== null;
  const start = async (/** @type {string} */ kind, /** @type {string} */ form) => {
    const file = await exports.start({ kind, form, exam, session });
    if (file !== null && exports.made.value !== null) saveFile(file, exports.made.value.name);
  };
  return html`<ul class="exports-lists">
    ${KINDS.map(
      (kind) => html`<li key=${kind}>
        <div>
          <strong>${t(`records.${kind}`)}</strong>
          <p class="soft">${t(`records.${kind}.what`)}</p>
        </div>
        <div class="exports-forms" role="group" aria-label=${t(`records.${kind}`)}>
          ${FORMS.map(
            (form) => html`<button
              key=${form} class="button" aria-disabled=${busy ? 'true' : null}
              onClick=${() => !busy && void start(kind, form)}
            >
              .${form}
            </button>`,
          )}
        </div>
      </li>`,
    )}
  </ul>`;
}

/** How far it is, what was made, or why not. */
function Under() {
  const app = useApp();
  const { desk, t } = app;
  const { exports } = desk;
  const { running, made, fault } = exports;
  const now = running.value;
  if (now !== null) {
    const told = t('records.running', { what: t(`records.${now.kind}`), done: now.done, total: now.total });
    return html`<div class="exports-under">
      <progress max=${Math.max(1, now.total)} value=${now.done} aria-label=${told}></progress>
      <span class="number">${told}</span>
      <button class="button" onClick=${() => exports.stop()}>${t('records.stop')}</button>
    </div>`;
  }
  if (fault.value) return html`<p class="note note-bad" role="alert">${wordsFor(app, fault.value)}</p>`;
  if (made.value === null) return null;
  return html`<div class="note exports-made" role="status">
    <p>${t('records.made', { name: made.value.name, rows: made.value.rows })}</p>
    <p class="soft number">SHA-256 ${made.value.sha256}</p>
  </div>`;
}

/** @param {{exam: number, session: number, whole: boolean}} props */
function Paper({ exam, session, whole }) {
  const { desk, t } = useApp();
  const [get, fault, waiting] = usePaper();
  const may = desk.staff.value?.may ?? [];
  const path = `/print/day-report?${whole ? `exam=${exam}` : `session=${session}`}`;
  return html`<section class="exports-paper" aria-labelledby="exports-paper">
    <h2 id="exports-paper">${t('records.paper')}</h2>
    <div class="exports-row">
      <span>${t('records.rooms')}</span>
      <${PrintMenu} session=${session} />
    </div>
    ${may.includes('hall-view')
      ? html`<div class="exports-row">
          <span>${t('records.day')}</span>
          <button class="button" aria-disabled=${waiting ? 'true' : null} onClick=${() => !waiting && void get(path, 'html')}>
            ${t(waiting ? 'print.waiting' : 'print.open')}
          </button>
          ${['xlsx', 'docx'].map(
            (form) => html`<button
              key=${form} class="button" aria-disabled=${waiting ? 'true' : null}
              onClick=${() => !waiting && void get(path, form, `day-report-${whole ? exam : `s${session}`}`)}
            >
              .${form}
            </button>`,
          )}
        </div>`
      : null}
    ${fault ? html`<p class="note note-bad" role="alert">${t('print.failed')}</p>` : null}
  </section>`;
}
