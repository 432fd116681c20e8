/** Signs drawn in the current text colour; each stands beside a word, so none is read aloud. */
import { html } from '../../../shared/ui.js';

/** @param {string} path @param {number} [width] */
const stroke = (path, width = 2.2) => html`
  <svg class="icon" viewBox="0 0 24 24" width="1.25em" height="1.25em" aria-hidden="true" focusable="false">
    <path
      d=${path}
      fill="none"
      stroke="currentColor"
      stroke-width=${width}
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
`;

export const Check = () => stroke('M5 12.5l4.5 4.500L19 7.500', 2.8);
export const Cross = () => stroke('M6 6l12 12M18 6L6 18', 2.8);
export const Left = () => stroke('M15 5l-7 7 7 7');
export const Right = () => stroke('M9 5l7 7-7 7');
export const Disk = () => stroke('M4 5h16v10H4zM9 20h6M12 15v5');
export const Up = () => stroke('M12 19V6M6 11.500L12 5.500l6 6');
export const Layers = () => stroke('M12 4l8 4-8 4-8-4zM4 12.500l8 4 8-4M4 17l8 4 8-4');
export const Hand = () =>
  stroke('M8 13V6a1.500 1.500 0 013 0v5V4.500a1.500 1.500 0 013 0V11V6a1.500 1.500 0 013 0v8c0 4-2.500 6.500-6 6.500-3 0-4.500-1.500-6-4.500l-1.700-3a1.400 1.400 0 012.400-1.400z', 1.8);
export const Link = () => stroke('M4 9.500a12 12 0 0116 0M7 13a7.500 7.500 0 0110 0M10 16.500a3 3 0 014 0M12 19.500v.01');
export const Clock = () => stroke('M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4.500l3 2');
export const Bell = () => stroke('M6.500 16.500V11a5.500 5.500 0 0111 0v5.500l1.500 1.500H5zM10 20.500h4');
export const Pause = () => stroke('M8.500 6v12M15.500 6v12', 3);
/** Out of the room. */
export const Door = () => stroke('M6 20V4h8v16M3 20h14M11 12h.010M17.500 9l3 3-3 3M20 12h-4', 2);
export const Contrast = () => html`
  <svg class="icon" viewBox="0 0 24 24" width="1.25em" height="1.25em" aria-hidden="true" focusable="false">
    <circle cx="12" cy="12" r="8.500" fill="none" stroke="currentColor" stroke-width="2" />
    <path d="M12 3.500a8.500 8.500 0 010 17z" fill="currentColor" />
  </svg>
`;

/** @param {{filled?: boolean}} props */
export const Flag = ({ filled = false }) => html`
  <svg class="icon" viewBox="0 0 24 24" width="1.25em" height="1.25em" aria-hidden="true" focusable="false">
    <path
      d="M6 21V4M6 4.500h11l-2.500 4 2.500 4H6"
      fill=${filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      stroke-width="2.200"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
  </svg>
`;

export const Mark = () => html`
  <svg class="brand-mark" viewBox="0 0 32 32" width="2.25rem" height="2.25rem" aria-hidden="true" focusable="false">
    <rect class="brand-ground" width="32" height="32" rx="7" />
    <path class="brand-letter" d="M10 7.500v14M22 7.500v14M10 14.500h12" fill="none" stroke-width="3.200" stroke-linecap="round" />
    <path class="brand-water" d="M6.500 25.500c3.200 2 6.300 2 9.500 0s6.300-2 9.500 0" fill="none" stroke-width="2.200" stroke-linecap="round" />
  </svg>
`;
