/**
 * The paper as the page walks through it, and what counts as answered. Pure.
 *
 * @typedef {'single' | 'multiple' | 'true_false' | 'blank' | 'text'} ItemType
 * @typedef {{id: string, text: string, media: string | null}} Option
 * @typedef {{
 *   item: number, position: number, type: ItemType, points: number, stem: string, media: string[],
 *   options: Option[], blanks: number,
 * }} Item
 * @typedef {{title: string, items: Item[]}} Section
 * @typedef {{etag: string, sections: Section[], items: Item[], sectionOf: Map<number, number>}} Paper `items` in order of
 *   position; `sectionOf` maps an item to the index of its section
 */

/**
 * @param {any} body the reply of `GET /attempt/paper`
 * @returns {Paper | null} null when it is not a paper
 */
export function readPaper(body) {
  const whole = Array.isArray(body?.sections) && body.sections.every((/** @type {any} */ one) => Array.isArray(one?.items));
  if (!whole) return null;
  /** @type {Section[]} */
  const sections = body.sections.map((/** @type {any} */ section) => ({
    title: String(section.title ?? ''),
    items: section.items.map(readItem),
  }));
  const sectionOf = new Map();
  sections.forEach((section, index) => section.items.forEach((item) => sectionOf.set(item.item, index)));
  const items = sections.flatMap((section) => section.items).sort((a, b) => a.position - b.position);
  if (items.length === 0) return null;
  return { etag: String(body.paper ?? ''), sections, items, sectionOf };
}

/** @param {any} raw @returns {Item} */
function readItem(raw) {
  return {
    item: Number(raw.item),
    position: Number(raw.position),
    type: raw.type,
    points: Number(raw.points ?? 0),
    stem: String(raw.stem ?? ''),
    media: raw.media ?? [],
    options: (raw.options ?? []).map((/** @type {any} */ option) => ({
      id: String(option.id),
      text: String(option.text ?? ''),
      media: option.media ?? null,
    })),
    blanks: raw.type === 'blank' ? Math.max(1, Number(raw.blanks ?? 1)) : 0,
  };
}

/** Every picture of the paper, in order. @param {Paper} paper */
export function pictures(paper) {
  const all = paper.items.flatMap((item) => [...item.media, ...item.options.map((option) => option.media)]);
  return [...new Set(all.filter((address) => address !== null))];
}

/**
 * The value after one option was picked. Letters shown to the candidate follow the drawn order; the value keeps the
 * bank's ids, sorted, so that one set of picks has one spelling.
 *
 * @param {Item} item
 * @param {any} value
 * @param {string} id
 */
export function picked(item, value, id) {
  if (item.type !== 'multiple') return id;
  const had = Array.isArray(value) ? value : [];
  const next = had.includes(id) ? had.filter((other) => other !== id) : [...had, id];
  return next.length ? next.sort() : null;
}

/**
 * The value after one blank was typed into.
 *
 * @param {Item} item
 * @param {any} value
 * @param {number} index
 * @param {string} text
 */
export function filled(item, value, index, text) {
  const had = Array.isArray(value) ? value : [];
  const next = Array.from({ length: item.blanks }, (_unused, at) => (at === index ? storable(text) : String(had[at] ?? '')));
  return next.some((part) => part !== '') ? next : null;
}

/**
 * Text as it can be stored: no NUL, no half of a surrogate pair (what is left when half an emoji is deleted).
 *
 * @param {string} text
 */
export function storable(text) {
  return text.replace(/\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '');
}

/**
 * Every blank filled, anything picked or written. A half-filled item is not answered: the hand-in names it.
 *
 * @param {Item} item
 * @param {any} value
 */
export function isAnswered(item, value) {
  if (value === null || value === undefined) return false;
  if (item.type === 'blank') {
    return Array.isArray(value) && value.length >= item.blanks && value.every((part) => String(part).trim() !== '');
  }
  if (Array.isArray(value)) return value.length > 0;
  return String(value).trim() !== '';
}

/** The letter an option is shown under: A for the first, whatever its id. @param {number} index */
export function letter(index) {
  return String.fromCharCode(65 + index);
}
