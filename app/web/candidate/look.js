/**
 * Size of the text, contrast and language of this candidate. Kept with the attempt, so that a reload finds them again
 * and the next candidate does not.
 */
import { signal } from '../shared/ui.js';

/** @typedef {'s' | 'm' | 'l'} Size */

/**
 * @param {{
 *   root: HTMLElement, i18n: import('../shared/i18n.js').I18n, store: import('./core/store-memory.js').Store,
 *   onFault: (error: unknown) => void,
 * }} ports
 */
export function createLook({ root, i18n, store, onFault }) {
  const usual = i18n.language.value;
  const size = signal(/** @type {Size} */ ('m'));
  const contrast = signal(false);
  /** @type {string | null} */
  let attempt = null;

  const apply = () => {
    root.dataset.size = size.value;
    root.dataset.theme = contrast.value ? 'contrast' : 'light';
    root.lang = i18n.language.value;
    document.title = i18n.t('app.name');
  };

  const changed = () => {
    apply();
    if (attempt === null) return;
    const row = { name: 'look', attempt, size: size.value, contrast: contrast.value, language: i18n.language.value };
    store.transaction('readwrite', (tx) => tx.put('meta', row), { durability: 'relaxed' }).catch(onFault);
  };

  apply();
  return {
    size,
    contrast,
    /** @param {Size} next */
    setSize(next) {
      size.value = next;
      changed();
    },
    toggleContrast() {
      contrast.value = !contrast.value;
      changed();
    },
    nextLanguage() {
      const { languages, language, setLanguage } = i18n;
      setLanguage(languages[(languages.indexOf(language.value) + 1) % languages.length]);
      changed();
    },
    /**
     * Another attempt, or nobody (null), is on the page now. Whoever chose a look while signing in keeps it; a reload
     * takes it from the store; nobody gets the usual one.
     *
     * @param {string | null} next
     */
    async turnTo(next) {
      if (next === attempt) return;
      const before = attempt;
      attempt = next;
      if (next === null) {
        size.value = 'm';
        contrast.value = false;
        i18n.setLanguage(usual);
        return apply();
      }
      const stored = await store.transaction('readonly', (tx) => tx.get('meta', 'look'));
      if (stored?.attempt === next) {
        size.value = stored.size;
        contrast.value = stored.contrast;
        i18n.setLanguage(stored.language);
      }
      if (before === null) changed();
    },
  };
}

/** @typedef {ReturnType<typeof createLook>} Look */
