/** Candidates' photos: an archive is checked, then brought in whole; who has none is listed. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';

/** Beyond it a list is read from the command's JSON, not from a screen. */
const SHOWN = 200;

export function Photos() {
  const app = useApp();
  const { desk, t } = app;
  const { photos, sessions, sessionId } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const here = sessions.value.find(({ id }) => id === sessionId.value) ?? sessions.value[0];
  const exams = [...new Set(sessions.value.map(({ exam_id: exam }) => exam))];
  const [exam, setExam] = useState(here ? here.exam_id : null);
  const [file, setFile] = useState(/** @type {globalThis.File | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    photos.forget();
  }, []);
  useEffect(() => {
    if (exam !== null) void photos.load(exam);
  }, [exam]);
  const told = photos.exam.value;
  const way = photos.way.value;
  const report = photos.report.value;
  const start = (/** @type {boolean} */ dryRun, /** @type {boolean} */ skipFaulty) => {
    if (file && exam !== null) void photos.send(exam, { name: file.name, body: file }, { dryRun, skipFaulty });
  };
  return html`<main class="photos" aria-labelledby="photos-title">
    <header>
      <h1 id="photos-title" tabindex="-1" ref=${heading}>${t('photos.title')}</h1>
      <p class="soft">${t('photos.what')}</p>
    </header>
    ${exam === null
      ? html`<p class="soft">${t('photos.noExam')}</p>`
      : html`<section class="photos-send">
          ${exams.length > 1
            ? html`<select
                class="input" aria-label=${t('photos.exam')} value=${String(exam)}
                onInput=${(/** @type {any} */ event) => setExam(Number(event.target.value))}
              >
                ${exams.map((id) => html`<option key=${id} value=${String(id)}>${id === exam && told ? told.name : t('photos.exam.n', { n: id })}</option>`)}
              </select>`
            : null}
          <label class="button photos-file">
            <input
              class="sr-only" type="file" name="archive" accept=".zip,application/zip" disabled=${way !== null}
              onChange=${(/** @type {any} */ event) => {
                setFile(event.target.files[0] ?? null);
                photos.forget();
              }}
            />${file ? file.name : t('photos.choose')}
          </label>
          <button class="button" aria-disabled=${file && way === null ? null : 'true'} onClick=${() => start(true, false)}>${t('photos.check')}</button>
          <button class="button button-primary" aria-disabled=${file && way === null ? null : 'true'} onClick=${() => start(false, false)}>${t('photos.import')}</button>
        </section>`}
    ${way
      ? html`<div class="photos-way" role="status">
          <label for="photos-bar">${t(`photos.${way.phase}`, { done: shownOf(way, way.done), total: shownOf(way, way.total) })}</label>
          <progress id="photos-bar" max=${Math.max(1, way.total)} value=${way.done}></progress>
          <button class="button" onClick=${() => photos.stop()}>${t('photos.stop')}</button>
        </div>`
      : null}
    ${photos.stopped.value && way === null && !report ? html`<p class="note" role="status">${t('photos.stopped')}</p>` : null}
    ${photos.fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, photos.fault.value)}</p>` : null}
    ${report ? html`<${Told} report=${report} onSkip=${() => start(false, true)} />` : null}
    ${told && !report
      ? html`<section>
          <h2>${t(told.missing.length ? 'photos.missing' : 'photos.complete', { n: told.missing.length, all: told.people })}</h2>
          <${People} people=${told.missing} />
        </section>`
      : null}
  </main>`;
}

/** Bytes as megabytes, pictures as they are. @param {import('../../core/photos.js').Way} way @param {number} n */
const shownOf = (way, n) => (way.phase === 'sending' ? (n / 1048576).toFixed(1) : n);

/** @param {{report: import('../../core/photos.js').Report, onSkip: () => void}} props */
function Told({ report, onSkip }) {
  const { t, i18n } = useApp();
  const zh = i18n.language.value.startsWith('zh');
  const tone = report.state === 'faulty' ? 'note-bad' : 'note-good';
  return html`<section class="photos-told" aria-live="polite">
    <p class=${`note ${tone}`}>
      <strong>${t(`photos.state.${report.state}`, { n: report.faults.length })}</strong>
      ${' '}${t('photos.numbers', {
        files: report.files, matched: report.matched, added: report.added, replaced: report.replaced.length,
        same: report.same, unmatched: report.unmatched.length, faults: report.faults.length, missing: report.missing.length,
      })}
    </p>
    ${report.state === 'faulty' ? html`<button class="button" onClick=${onSkip}>${t('photos.skip', { n: report.faults.length })}</button>` : null}
    ${report.faults.length
      ? html`<h2>${t('photos.faults', { n: report.faults.length })}</h2>
          <ul class="photos-list">
            ${report.faults.slice(0, SHOWN).map((one) => html`<li key=${one.file}><strong>${one.file}</strong> ${zh ? one.zh : one.en}</li>`)}
          </ul>`
      : null}
    ${report.unmatched.length
      ? html`<h2>${t('photos.unmatched', { n: report.unmatched.length })}</h2>
          <ul class="photos-list">${report.unmatched.slice(0, SHOWN).map((one) => html`<li key=${one}>${one}</li>`)}</ul>`
      : null}
    ${report.missing.length
      ? html`<h2>${t('photos.missing', { n: report.missing.length, all: report.people })}</h2>
          <${People} people=${report.missing} />`
      : null}
  </section>`;
}

/** @param {{people: import('../../core/photos.js').Missing[]}} props */
function People({ people }) {
  const { t } = useApp();
  return html`<ul class="photos-list photos-people">
      ${people.slice(0, SHOWN).map(({ ticket, name }) => html`<li key=${ticket}><span class="number">${ticket}</span> ${name}</li>`)}
    </ul>
    ${people.length > SHOWN ? html`<p class="soft">${t('photos.more', { n: people.length - SHOWN })}</p>` : null}`;
}
