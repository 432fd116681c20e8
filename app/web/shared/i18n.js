import { signal } from './ui.js';

/**
 * Texts in several languages, switched while the page runs.
 *
 * A catalogue maps a key to a sentence with `{name}` places, or to `{one, other}` chosen by the number `n`. A key that
 * no catalogue knows is shown as it is: a missing word must never blank a page in an exam (`tests/web/files.test.js`
 * keeps the catalogues equal).
 *
 * @typedef {string | {one: string, other: string}} Message
 * @typedef {Record<string, Message>} Catalogue
 * @typedef {Record<string, unknown>} Params
 * @typedef {{
 *   t: (key: string, params?: Params) => string,
 *   has: (key: string) => boolean,
 *   language: import('../vendor/signals-core.js').Signal<string>,
 *   languages: string[],
 *   setLanguage: (language: string) => void,
 * }} I18n
 */

/**
 * @param {Record<string, Catalogue>} catalogues by BCP 47 tag; the first is the fallback
 * @param {{initial?: string, onChange?: (language: string) => void}} [options]
 * @returns {I18n}
 */
export function createI18n(catalogues, { initial, onChange } = {}) {
  const languages = Object.keys(catalogues);
  const fallback = languages[0];
  const language = signal(initial && catalogues[initial] ? initial : fallback);

  /** @param {string} key */
  const find = (key) => catalogues[language.value][key] ?? catalogues[fallback][key];

  return {
    language,
    languages,
    has: (key) => find(key) !== undefined,
    t(key, params = {}) {
      const message = find(key);
      if (message === undefined) return key;
      return fill(choose(message, language.value, params.n), params);
    },
    setLanguage(next) {
      if (!catalogues[next] || next === language.value) return;
      language.value = next;
      onChange?.(next);
    },
  };
}

/**
 * @param {Message} message
 * @param {string} language
 * @param {unknown} n
 */
function choose(message, language, n) {
  if (typeof message === 'string') return message;
  const form = new Intl.PluralRules(language).select(Number(n ?? 0));
  return form === 'one' ? message.one : message.other;
}

/**
 * @param {string} text
 * @param {Params} params
 */
export function fill(text, params) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (params[name] === undefined ? place : String(params[name])));
}
