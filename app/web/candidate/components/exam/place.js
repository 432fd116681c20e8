/**
 * Where the candidate is on the page: a pause takes the question off it altogether, and a resume brings them back to the
 * control, the letter and the line at which they were. Names on the elements say what is the same after all is drawn anew:
 * `data-place` for what can have the focus, `data-scroll` for what can be scrolled.
 *
 * @typedef {{focus: string | null, from: number | null, to: number | null, scrolls: Record<string, number>}} Place
 */

/** Input types that have no caret throw when asked for one; those of the exam are all text. @param {Element | null} one */
const isText = (one) => one instanceof HTMLTextAreaElement || one instanceof HTMLInputElement;

/** @param {HTMLElement} root @returns {Place} */
export function placeIn(root) {
  const active = document.activeElement;
  const held = active && root.contains(active) ? /** @type {HTMLElement | null} */ (active.closest('[data-place]')) : null;
  const text = isText(held) ? /** @type {HTMLTextAreaElement} */ (held) : null;
  /** @type {Record<string, number>} */
  const scrolls = {};
  for (const one of scrollersOf(root)) scrolls[String(one.dataset.scroll)] = one.scrollTop;
  if (text) scrolls[String(text.dataset.place)] = text.scrollTop;
  return {
    focus: held?.dataset.place ?? null,
    from: text?.selectionStart ?? null,
    to: text?.selectionEnd ?? null,
    scrolls,
  };
}

/**
 * @param {HTMLElement} root
 * @param {Place} place
 * @returns {boolean} false when what had the focus is not there any more
 */
export function returnTo(root, place) {
  for (const one of scrollersOf(root)) one.scrollTop = place.scrolls[String(one.dataset.scroll)] ?? 0;
  const held = /** @type {HTMLElement | null} */ (
    place.focus === null ? null : root.querySelector(`[data-place="${CSS.escape(place.focus)}"]`)
  );
  if (!held) return false;
  held.focus({ preventScroll: true });
  if (isText(held)) {
    const text = /** @type {HTMLTextAreaElement} */ (held);
    text.setSelectionRange(place.from, place.to);
    text.scrollTop = place.scrolls[String(text.dataset.place)] ?? 0;
  }
  return true;
}

/** @param {HTMLElement} root @returns {HTMLElement[]} */
const scrollersOf = (root) => Array.from(root.querySelectorAll('[data-scroll]'));
