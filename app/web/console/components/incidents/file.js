/** Files of an incident: shown, saved, printed. They come with the token, which no link could carry. */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{file: import('../../core/incidents.js').File}} props */
export function EvidenceFile({ file }) {
  const { desk, t } = useApp();
  const picture = file.content_type.startsWith('image/');
  const [url, setUrl] = useState(/** @type {string | null} */ (null));
  const [fault, setFault] = useState(false);
  const path = `/evidence/${file.id}`;

  useEffect(() => {
    if (!picture) return undefined;
    let gone = false;
    /** @type {string | null} */
    let made = null;
    desk.file(path).then(
      (blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      },
      () => setFault(true),
    );
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [file.id]);

  const save = async () => {
    setFault(false);
    try {
      saveFile(await desk.file(path), file.name);
    } catch {
      setFault(true);
    }
  };
  return html`<span class="incident-file">
    ${url ? html`<img src=${url} alt=${file.name} loading="lazy" />` : null}
    <button class="button-link" onClick=${() => void save()}>${file.name}</button>
    <span class="soft number">${Math.ceil(file.size / 1024)} KB · ${file.sha256.slice(0, 12)}…</span>
    ${fault ? html`<span class="note note-bad">${t('incident.noFile')}</span>` : null}
  </span>`;
}

/** @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The click has started the download; the address is needed a moment longer.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/**
 * Prints a page of its own from a frame that is not seen: the console stays as it is.
 *
 * @param {string} page
 * @returns {Promise<void>}
 */
export function printPage(page) {
  document.querySelector('.print-frame')?.remove();
  const frame = document.createElement('iframe');
  frame.className = 'print-frame';
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  return new Promise((resolve) => {
    frame.addEventListener('load', () => {
      frame.contentWindow?.focus();
      frame.contentWindow?.print();
      resolve();
    });
    frame.srcdoc = page;
    document.body.append(frame);
  });
}
