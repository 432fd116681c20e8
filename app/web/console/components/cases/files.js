/** Pictures and files to send with a record: the tablet's camera, or a file. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { FILES, LARGEST_FILE } from '../../core/incidents.js';

export const MOST_FILES = 20;

/** Whether all of them can be sent. @param {readonly globalThis.File[]} files */
export const sendable = (files) => files.every(({ size }) => size <= LARGEST_FILE);

/** @param {readonly globalThis.File[]} files */
export const named = (files) => files.map((file) => ({ name: file.name, body: file }));

/** @param {{files: globalThis.File[], onFiles: (files: globalThis.File[]) => void}} props */
export function CaseFiles({ files, onFiles }) {
  const { t } = useApp();
  const pick = (/** @type {any} */ event) => {
    onFiles([...files, ...event.target.files].slice(0, MOST_FILES));
    // The same photo may be chosen again after it was taken off the list.
    event.target.value = '';
  };
  return html`<div class="case-files">
    <label class="button">
      <input class="sr-only" type="file" name="photo" accept="image/*" capture="environment" onChange=${pick} />${t('case.photo')}
    </label>
    <label class="button">
      <input class="sr-only" type="file" name="files" accept=${FILES} multiple onChange=${pick} />${t('case.file')}
    </label>
    <ul>
      ${files.map(
        (file, n) => html`<li key=${`${file.name} ${n}`}>
          <span>${file.name}</span> <span class="soft number">${Math.ceil(file.size / 1024)} KB</span>
          <button class="button button-quiet" type="button" onClick=${() => onFiles(files.filter((one) => one !== file))}>
            ${t('case.file.off')}
          </button>
        </li>`,
      )}
    </ul>
    ${sendable(files) ? null : html`<p class="note note-warn">${t('case.file.large', { mb: LARGEST_FILE >> 20 })}</p>`}
  </div>`;
}
