/**
 * Keys of the exam. Pure: which action a key means, given where the focus is.
 *
 * Arrows left and right change the question; up and down walk the options without choosing one (a radio group that
 * selects on arrow keys would change an answer by accident). In a text field every key but PageUp and PageDown belongs
 * to the text. Alt with an arrow would leave the page in a browser: swallowed.
 *
 * @typedef {{kind: 'pick', index: number} | {kind: 'move', by: 1 | -1} | {kind: 'walk', by: 1 | -1} | {kind: 'mark'} |
 *   {kind: 'swallow'} | null} KeyAction
 */

/**
 * @param {{key: string, ctrlKey: boolean, altKey: boolean, metaKey: boolean, isComposing?: boolean}} event
 * @param {{inText: boolean, options: number, trueFalse: boolean}} where
 * @returns {KeyAction}
 */
export function keyAction(event, { inText, options, trueFalse }) {
  const { key } = event;
  if (event.altKey && (key === 'ArrowLeft' || key === 'ArrowRight')) return { kind: 'swallow' };
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return null;
  if (key === 'PageDown') return { kind: 'move', by: 1 };
  if (key === 'PageUp') return { kind: 'move', by: -1 };
  if (inText) return null;
  if (key === 'ArrowRight') return { kind: 'move', by: 1 };
  if (key === 'ArrowLeft') return { kind: 'move', by: -1 };
  if (key === 'ArrowDown') return options ? { kind: 'walk', by: 1 } : null;
  if (key === 'ArrowUp') return options ? { kind: 'walk', by: -1 } : null;
  // Backspace goes back in the history of old Chromium shells.
  if (key === 'Backspace') return { kind: 'swallow' };
  const letter = key.length === 1 ? key.normalize('NFKC').toUpperCase() : '';
  if (trueFalse && (letter === 'T' || letter === 'F')) return { kind: 'pick', index: letter === 'T' ? 0 : 1 };
  if (/^[1-9]$/.test(letter) && Number(letter) <= options) return { kind: 'pick', index: Number(letter) - 1 };
  if (letter === 'M' && options < 13) return { kind: 'mark' };
  if (/^[A-Z]$/.test(letter) && letter.charCodeAt(0) - 65 < options) {
    return { kind: 'pick', index: letter.charCodeAt(0) - 65 };
  }
  return null;
}
