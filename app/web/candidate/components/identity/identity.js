/** Is this you, and is this your seat? One look, one button; the other way out is calm too. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { Frame } from '../frame/frame.js';

export function Identity() {
  const { t, state, sitting, media } = useApp();
  const [notMe, setNotMe] = useState(false);
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  const [face, setFace] = useState(/** @type {string | null | undefined} */ (undefined));
  const attempt = state.value.work?.grant.attempt ?? null;
  useLayoutEffect(() => title.current?.focus(), [notMe]);
  useEffect(() => media.face(setFace), [attempt]);
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
        <div class="identity-who">
          <div>
            <p class="identity-name" aria-label=${`${t('identity.name')} ${candidate.name}`}>${candidate.name}</p>
            <dl class="facts">
              <${Fact} label=${t('identity.id')} value=${candidate.id_masked} number />
              <${Fact} label=${t('identity.ticket')} value=${candidate.ticket} number />
              <${Fact} label=${t('identity.specialty')} value=${candidate.specialty} />
              <${Fact} label=${t('identity.session')} value=${session.name} />
            </dl>
          </div>
          <${Face} url=${face} name=${candidate.name} />
        </div>
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

/** @param {{url: string | null | undefined, name: string}} props `url` undefined: not known, and nothing is said */
function Face({ url, name }) {
  const { t } = useApp();
  if (url === undefined) return null;
  if (url !== null) return html`<img class="identity-face" src=${url} alt=${t('identity.photo', { name })} />`;
  return html`
    <span class="identity-face identity-faceless">
      <svg viewBox="0 0 48 64" aria-hidden="true" focusable="false">
        <circle cx="24" cy="22" r="11" />
        <path d="M4 64c0-16 8-25 20-25s20 9 20 25Z" />
      </svg>
      <span>${t('identity.photo.none')}</span>
    </span>
  `;
}
