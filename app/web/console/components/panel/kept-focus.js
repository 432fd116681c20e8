/**
 * Where the keyboard goes on when what it was on is gone: a form that was sent, a confirmation that was given. Left on
 * nothing, a screen reader falls silent and the next Tab may begin at the top of the page.
 */
import { useLayoutEffect } from '../../../shared/ui.js';

/**
 * @param {{current: HTMLElement | null}} root within which the focus is kept, as long as it is shown
 * @param {{current: HTMLElement | null}} heading takes it
 */
export function useKeptFocus(root, heading) {
  useLayoutEffect(() => {
    const within = root.current;
    if (within === null) return undefined;
    /** @type {Node | null} */
    let last = null;
    const onFocus = (/** @type {FocusEvent} */ event) => {
      last = /** @type {Node} */ (event.target);
    };
    // After a rendering and its own moves of the focus: what those have chosen stays.
    const observer = new MutationObserver(() => {
      if (last === null || last.isConnected) return;
      last = null;
      const free = document.activeElement === null || document.activeElement === document.body;
      if (free) heading.current?.focus({ preventScroll: true });
    });
    observer.observe(within, { childList: true, subtree: true });
    within.addEventListener('focusin', onFocus);
    return () => {
      observer.disconnect();
      within.removeEventListener('focusin', onFocus);
    };
  }, []);
}
