/** Sheets and records on paper, of one room or of all within reach: put it wherever a session is at hand. */
import { html, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { printPage, saveFile } from '../incidents/file.js';

/** A whole site takes a while to write down. */
const PAPER_MS = 60_000;
const SHEETS = ['door-list', 'sign-in-sheet', 'seat-map', 'roll', 'room-record'];

/** Prints or saves what a path gives: `[get, fault, waiting]`. */
export function usePaper() {
  const { desk, i18n } = useApp();
  const [fault, setFault] = useState(false);
  const [waiting, setWaiting] = useState(false);
  /** @param {string} path with its query @param {string} form @param {string} [name] */
  const get = async (path, form, name = '') => {
    setFault(false);
    setWaiting(true);
    try {
      const language = i18n.language.value.startsWith('zh') ? 'zh' : 'en';
      const blob = await desk.file(`${path}&format=${form}&language=${language}`, PAPER_MS);
      if (form === 'html') {
        const page = await blob.text();
        const before = document.activeElement;
        await printPage(page);
        // Printing has taken the focus into its frame, where no key does anything.
        if (before instanceof HTMLElement) before.focus();
      } else saveFile(blob, `${name}.${form}`);
    } catch {
      // Whatever it was: there is no paper, and a second try is the only remedy.
      setFault(true);
    } finally {
      setWaiting(false);
    }
  };
  return /** @type {const} */ ([get, fault, waiting]);
}

/** @param {{session: number, room?: number | null}} props `room` null: every room within reach */
export function PrintMenu({ session, room = null }) {
  const { t } = useApp();
  const menu = useRef(/** @type {HTMLDetailsElement | null} */ (null));
  const [get, fault, waiting] = usePaper();
  const close = () => {
    if (!menu.current) return;
    menu.current.open = false;
    menu.current.querySelector('summary')?.focus();
  };
  return html`<details
    class="print-menu" ref=${menu}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    }}
  >
    <summary class="button">${t(waiting ? 'print.waiting' : 'print.open')}</summary>
    <div class="print-menu-list" role="group" aria-label=${t('print.open')}>
      ${SHEETS.map(
        (what) => html`<button
          key=${what} class="button button-quiet" aria-disabled=${waiting ? 'true' : null}
          onClick=${() => {
            if (waiting) return;
            close();
            void get(`/print/${what}?session=${session}${room === null ? '' : `&room=${room}`}`, 'html');
          }}
        >
          ${t(`print.${what}`)}
        </button>`,
      )}
    </div>
    ${fault ? html`<p class="note note-bad" role="alert">${t('print.failed')}</p>` : null}
  </details>`;
}
