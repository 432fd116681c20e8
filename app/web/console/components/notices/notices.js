/** What just happened, for a few seconds, and spoken. */
import { html } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { Icon } from '../icons/icons.js';

/** @type {Record<string, string>} */
const LOOK = { moved: 'note-good', returned: 'note-good', silent: 'note-warn' };

export function Notices() {
  const { desk, t } = useApp();
  return html`<div class="notices" role="status">
    ${desk.notices.value.map(
      ({ id, kind, name, seat }) => html`<div class=${`note notice ${LOOK[kind]}`} key=${id}>
        <span>${t(`notice.${kind}`, { name, seat: seatText(t, seat) })}</span>
        <button class="notice-close" aria-label=${t('notice.close')} onClick=${() => desk.dismiss(id)}>
          <${Icon} name="close" />
        </button>
      </div>`,
    )}
  </div>`;
}
