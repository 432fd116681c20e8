/** A candidate's photo, to compare with who stands there; without one a silhouette that says so. */
import { html, useEffect, useMemo } from '../../../shared/ui.js';
import { useApp } from '../../app.js';

/** @param {{ticket: string, name: string, large?: boolean}} props */
export function Photo({ ticket, name, large = false }) {
  const { desk, t } = useApp();
  const session = desk.sessionId.value;
  const may = desk.staff.value?.may.includes('check-in') ?? false;
  const found = useMemo(() => (session === null || !may ? null : desk.faces.of(session, ticket)), [session, ticket, may]);
  useEffect(() => found?.look(), [found]);
  if (!found) return null;
  const { state, url } = found.face.value;
  if (state === 'ready' && url) {
    return html`<img class="photo" data-large=${large ? 'yes' : null} src=${url} alt=${t('photo.of', { name })} />`;
  }
  return html`<span class="photo photo-none" data-large=${large ? 'yes' : null}>
    <svg viewBox="0 0 48 64" aria-hidden="true" focusable="false">
      <circle cx="24" cy="22" r="11" /><path d="M4 64c0-16 8-25 20-25s20 9 20 25Z" />
    </svg>
    <span>${t(state === 'none' ? 'photo.none' : 'photo.waits')}</span>
  </span>`;
}
