/** What is written into an incident: a note, who was told, a photo, who else is affected, a change of its head. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { ticketsIn } from '../../core/incident-draft.js';
import { FILES, LARGEST_FILE } from '../../core/incidents.js';
import { Outcome } from '../panel/panel.js';
import { Choice } from '../timing/field.js';

/** @typedef {import('../../core/incidents.js').Incident} Incident */

const KINDS = /** @type {const} */ (['note', 'told', 'file', 'people', 'change']);
const EMPTY = { text: '', who: '', how: '', tickets: '', title: '', minutes: '', toldBy: '' };

/** @param {{of: Incident}} props */
export function Write({ of }) {
  const { desk, t } = useApp();
  const { incidents } = desk;
  const [kind, setKind] = useState(/** @type {typeof KINDS[number]} */ ('note'));
  const [said, setSaid] = useState(EMPTY);
  const [files, setFiles] = useState(/** @type {globalThis.File[]} */ ([]));
  const [removed, setRemoved] = useState(false);
  const set = (/** @type {Partial<typeof EMPTY>} */ some) => setSaid({ ...said, ...some });
  const allowed = KINDS.filter((one) => of.state === 'open' || one === 'note' || one === 'told' || one === 'file');
  const now = allowed.includes(kind) ? kind : 'note';
  const large = files.filter(({ size }) => size > LARGEST_FILE);
  const click = now === 'file' ? 'incident file' : 'incident write';

  /** @returns {Record<string, unknown> | null} */
  const body = () => {
    const by = { told_by: said.toldBy.trim() };
    const text = said.text.trim();
    if (now === 'note') return text ? { kind: 'note', text, ...by } : null;
    if (now === 'told') return said.who.trim() ? { kind: 'told', who: said.who.trim(), how: said.how.trim(), text, ...by } : null;
    if (now === 'people') {
      const tickets = ticketsIn(said.tickets);
      return tickets.length > 0 ? { kind: 'people', tickets, removed, text, ...by } : null;
    }
    const title = said.title.trim();
    const minutes = said.minutes.trim();
    if (!title && !/^\d{1,3}$/.test(minutes)) return null;
    return { kind: 'change', title, ...(minutes ? { minutes_ago: Number(minutes) } : {}), text, ...by };
  };
  const ready = now === 'file' ? files.length > 0 && large.length === 0 : body() !== null;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!ready) return;
    const done =
      now === 'file'
        ? await incidents.attach(of, files.map((file) => ({ name: file.name, body: file })), said.text.trim())
        : await incidents.write(of.id, click, body() ?? {});
    if (!done) return;
    setSaid({ ...EMPTY, toldBy: said.toldBy });
    setFiles([]);
  };
  const line = (/** @type {keyof typeof EMPTY} */ name, /** @type {string} */ label, most = 100) =>
    html`<label>
      <span>${label}</span>
      <input class="input" name=${name} maxlength=${most} value=${said[name]} onInput=${(/** @type {any} */ event) => set({ [name]: event.target.value })} />
    </label>`;
  const seal = (/** @type {boolean} */ sealed) => void incidents.write(of.id, 'incident write', { kind: 'change', sealed });
  return html`<form class="incident-write" onSubmit=${submit}>
    <${Choice}
      name="write" value=${now} onChange=${(/** @type {any} */ one) => setKind(one)}
      options=${allowed.map((value) => ({ value, words: t(`incident.write.${value}`) }))}
    />
    ${now === 'told' ? html`<div class="incident-fields">${line('who', t('incident.whom'))}${line('how', t('incident.how'))}</div>` : null}
    ${now === 'change'
      ? html`<div class="incident-fields">
          ${line('title', t('incident.title'), 200)}${line('minutes', t('incident.minutes'), 3)}
          ${of.sealed
            ? of.may.seal
              ? html`<button type="button" class="button" onClick=${() => seal(false)}>${t('incident.unseal')}</button>`
              : null
            : html`<button type="button" class="button" onClick=${() => seal(true)}>${t('incident.seal')}</button>`}
        </div>`
      : null}
    ${now === 'people'
      ? html`<label>
            <span class="sr-only">${t('incident.tickets')}</span>
            <textarea
              class="input" name="tickets" rows="2" value=${said.tickets} placeholder=${t('incident.tickets')}
              onInput=${(/** @type {any} */ event) => set({ tickets: event.target.value })}
            ></textarea>
          </label>
          <label class="incident-check">
            <input type="checkbox" checked=${removed} onChange=${(/** @type {any} */ event) => setRemoved(event.target.checked)} />
            <span>${t('incident.people.remove')}</span>
          </label>`
      : null}
    ${now === 'file' ? html`<${Files} files=${files} onFiles=${setFiles} large=${large.length > 0} />` : null}
    <label>
      <span class="sr-only">${t('incident.text')}</span>
      <textarea
        class="input" name="text" rows="2" maxlength="4000" value=${said.text} placeholder=${t('incident.text')}
        onInput=${(/** @type {any} */ event) => set({ text: event.target.value })}
      ></textarea>
    </label>
    <div class="incident-write-foot">
      <input
        class="input" name="toldBy" maxlength="100" value=${said.toldBy} aria-label=${t('incident.toldBy')} placeholder=${t('incident.toldBy')}
        onInput=${(/** @type {any} */ event) => set({ toldBy: event.target.value })}
      />
      <button class="button button-primary" aria-disabled=${ready && desk.busy.value === null ? null : 'true'}>${t('incident.add')}</button>
    </div>
    <${Outcome} at=${['incident write', 'incident file']} />
  </form>`;
}

/** The tablet's camera, or a file. @param {{files: globalThis.File[], onFiles: (files: globalThis.File[]) => void, large: boolean}} props */
function Files({ files, onFiles, large }) {
  const { t } = useApp();
  const pick = (/** @type {any} */ event) => {
    onFiles([...files, ...event.target.files].slice(0, 20));
    // The same photo may be chosen again after it was taken off the list.
    event.target.value = '';
  };
  return html`<div class="incident-files">
    <label class="button">
      <input class="sr-only" type="file" accept="image/*" capture="environment" onChange=${pick} />${t('incident.photo')}
    </label>
    <label class="button">
      <input class="sr-only" type="file" accept=${FILES} multiple onChange=${pick} />${t('incident.file')}
    </label>
    <ul>
      ${files.map(
        (file, n) => html`<li key=${`${file.name} ${n}`} data-large=${file.size > LARGEST_FILE ? 'yes' : null}>
          <span>${file.name}</span> <span class="soft number">${Math.ceil(file.size / 1024)} KB</span>
          <button class="button-link" type="button" onClick=${() => onFiles(files.filter((one) => one !== file))}>${t('incident.file.off')}</button>
        </li>`,
      )}
    </ul>
    ${large ? html`<p class="note note-warn">${t('incident.file.large', { mb: LARGEST_FILE >> 20 })}</p>` : null}
  </div>`;
}
