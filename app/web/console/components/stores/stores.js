/** A quiet line while one of the service's stores is away: what it means for the hall, and that nothing is to be done. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { missing } from '../../core/stores.js';

export function StoresLine() {
  const { desk, t } = useApp();
  const away = missing(desk.stores.value);
  return html`<div class="stores" role="status">
    ${away ? html`<p class="stores-line" data-away=${away}>
      <strong>${t(`stores.${away}`)}</strong> <span>${t(`stores.${away}.more`)}</span>
    </p>` : null}
  </div>`;
}
