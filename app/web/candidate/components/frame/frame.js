/** The quiet frame around every screen but the exam itself: brand, display settings, one card in the middle. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Contrast, Mark } from '../icons/icons.js';
import { Messages } from '../messages/messages.js';

/** @param {{children?: any, wide?: boolean}} props */
export function Frame({ children, wide = false }) {
  const { t, state } = useApp();
  const exam = state.value.work?.grant.who?.exam?.name;
  return html`
    <div class="frame">
      <header class="frame-head">
        <div class="brand"><${Mark} /><span>${exam ?? t('app.name')}</span></div>
        <${LookBar} />
      </header>
      <${Messages} />
      <main class=${wide ? 'frame-main frame-wide' : 'frame-main'}>${children}</main>
    </div>
  `;
}

/** Text size, contrast, language. @param {{sizes?: boolean}} props */
export function LookBar({ sizes = true }) {
  const { t, look, i18n } = useApp();
  const size = look.size.value;
  /** @param {'s' | 'm' | 'l'} which @param {string} sign @param {string} label */
  const sizeButton = (which, sign, label) => html`
    <button
      type="button"
      class=${`look-button look-size-${which}`}
      aria-pressed=${String(size === which)}
      aria-label=${label}
      title=${label}
      onClick=${() => look.setSize(which)}
    >
      ${sign}
    </button>
  `;
  return html`
    <div class="look" role="group" aria-label=${t('look.label')}>
      ${sizes &&
      html`
        ${sizeButton('s', 'A−', t('look.smaller'))} ${sizeButton('m', 'A', t('look.normal'))}
        ${sizeButton('l', 'A+', t('look.larger'))}
      `}
      <button
        type="button"
        class="look-button"
        aria-pressed=${String(look.contrast.value)}
        aria-label=${t('look.contrast')}
        title=${t('look.contrast')}
        onClick=${look.toggleContrast}
      >
        <${Contrast} />
      </button>
      <button
        type="button"
        class="look-button look-language"
        lang=${i18n.language.value === 'en' ? 'zh-CN' : 'en'}
        aria-label=${t('look.languageLabel')}
        onClick=${look.nextLanguage}
      >
        ${t('look.language')}
      </button>
    </div>
  `;
}

/** Something is on its way. @param {{text: string, more?: string}} props */
export function Waiting({ text, more }) {
  return html`
    <div class="waiting" role="status">
      <span class="waiting-dots" aria-hidden="true"><i></i><i></i><i></i></span>
      <p class="waiting-text">${text}</p>
      ${more && html`<p class="soft">${more}</p>`}
    </div>
  `;
}
