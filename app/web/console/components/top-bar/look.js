/** Language and contrast. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Icon } from '../icons/icons.js';

export function Look() {
  const { i18n, contrast, t } = useApp();
  const { languages, language, setLanguage } = i18n;
  const next = languages[(languages.indexOf(language.value) + 1) % languages.length];
  return html`<div class="look" role="group" aria-label=${t('look.label')}>
    <button
      class="button button-quiet look-button" aria-pressed=${contrast.value ? 'true' : 'false'}
      title=${t('look.contrast')} aria-label=${t('look.contrast')}
      onClick=${() => (contrast.value = !contrast.value)}
    >
      <${Icon} name="contrast" size=${20} />
    </button>
    <button class="button button-quiet look-button" lang=${next} onClick=${() => setLanguage(next)}>
      ${t('look.language')}
    </button>
  </div>`;
}
