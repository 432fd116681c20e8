import { html } from '../../../shared/ui.js';
import { formulaParts } from '../../../shared/formula.js';

/** Text with formulas in it. @param {{text: string}} props */
export function Formula({ text }) {
  return formulaParts(text).map(({ text: part, style }) => {
    if (style === 'sub') return html`<sub>${part}</sub>`;
    if (style === 'sup') return html`<sup>${part}</sup>`;
    if (style === 'letter') return html`<i>${part}</i>`;
    return part;
  });
}
