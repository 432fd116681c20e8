/** A picture of the paper, and the same one large. */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{address: string, label: string, small?: boolean}} props */
export function Picture({ address, label, small = false }) {
  const { t, media } = useApp();
  const [large, setLarge] = useState(false);
  const { state, url } = media.picture(address).value;
  if (state !== 'ready') {
    return html`
      <div class=${small ? 'picture picture-small' : 'picture'} role="status">
        <span class="picture-wait soft">${t(state === 'loading' ? 'exam.picture.loading' : 'exam.picture.failed')}</span>
      </div>
    `;
  }
  if (small) return html`<img class="picture-small" src=${url} alt=${label} />`;
  return html`
    <figure class="picture">
      <button type="button" class="picture-open" data-place=${address} onClick=${() => setLarge(true)}>
        <img src=${url} alt=${label} />
        <span>${t('exam.picture.enlarge')}</span>
      </button>
      ${large && html`<${Large} url=${url} label=${label} onClose=${() => setLarge(false)} />`}
    </figure>
  `;
}

/** @param {{url: string | null, label: string, onClose: () => void}} props */
function Large({ url, label, onClose }) {
  const { t } = useApp();
  const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    dialog.current?.showModal();
    return () => dialog.current?.close();
  }, []);
  return html`
    <dialog class="picture-large" ref=${dialog} aria-label=${label} onClose=${onClose} onClick=${onClose}>
      <img src=${url} alt=${label} />
      <button type="button" class="button button-large" onClick=${onClose}>${t('exam.picture.close')}</button>
    </dialog>
  `;
}
