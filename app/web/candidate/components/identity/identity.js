/** Is this you, and is this your seat? One look, one button; the other way out is calm too. */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { Frame } from '../frame/frame.js';

export function Identity() {
  const { t, state, sitting } = useApp();
  const [notMe, setNotMe] = useState(false);
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => title.current?.focus(), [notMe]);
  const { candidate = {}, session = {}, seat = {} } = state.value.work?.grant.who ?? {};

  if (notMe) {
    return html`
      <${Frame}>
        <section class="card identity">
          <h1 tabindex="-1" ref=${title}>${t('identity.notMe.title')}</h1>
          <p class="identity-text">${t('identity.notMe.text')}</p>
          <div class="identity-actions">
            <button type="button" class="button button-large" onClick=${() => setNotMe(false)}>
              ${t('identity.notMe.back')}
            </button>
            <button type="button" class="button button-large button-primary" onClick=${() => void sitting.leave()}>
              ${t('identity.notMe.leave')}
            </button>
          </div>
        </section>
      <//>
    `;
  }
  return html`
    <${Frame}>
      <section class="card identity">
        <h1 tabindex="-1" ref=${title}>${t('identity.title')}</h1>
        <p class="identity-name" aria-label=${`${t('identity.name')} ${candidate.name}`}>${candidate.name}</p>
        <dl class="facts">
          <${Fact} label=${t('identity.id')} value=${candidate.id_masked} number />
          <${Fact} label=${t('identity.ticket')} value=${candidate.ticket} number />
          <${Fact} label=${t('identity.specialty')} value=${candidate.specialty} />
          <${Fact} label=${t('identity.session')} value=${session.name} />
        </dl>
        <div class="identity-seat">
          <span>${t('identity.seat')}</span>
          <strong>${seatText(t, seat)}</strong>
        </div>
        <div class="identity-actions">
          <button type="button" class="button button-large" onClick=${() => setNotMe(true)}>${t('identity.notMe')}</button>
          <button type="button" class="button button-large button-primary" onClick=${() => void sitting.work()?.confirm()}>
            ${t('identity.confirm')}
          </button>
        </div>
      </section>
    <//>
  `;
}

/** @param {{label: string, value?: string, number?: boolean}} props */
export function Fact({ label, value, number = false }) {
  if (!value) return null;
  return html`
    <div class="fact">
      <dt>${label}</dt>
      <dd class=${number ? 'number' : ''}>${value}</dd>
    </div>
  `;
}
