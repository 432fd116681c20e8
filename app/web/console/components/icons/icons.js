/** Shapes: each state has its own outline, so that it is told apart without colour. */
import { html } from '../../../shared/ui.js';

/** @type {Record<string, any>} */
const PATHS = {
  not_arrived: html`<circle cx="8" cy="8" r="5.5" fill="none" stroke="currentColor" stroke-width="1.75" stroke-dasharray="2.6 2.1" />`,
  checked_in: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="m5 8.2 2.2 2.2L11.2 6" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" />`,
  absent: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="m4 12 8-8" stroke="currentColor" stroke-width="1.75" />`,
  on_leave: html`<path d="M9 2.500H3v11h6" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="M6.500 8H14M11 5l3 3-3 3" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" />`,
  waiting: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="M8 4.5V8l2.5 1.75" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" />`,
  answering: html`<circle cx="8" cy="8" r="6" fill="currentColor" />`,
  silent: html`<path d="M8 1.2 15.4 14.2H.6Z" fill="currentColor" /><path d="M8 6v4.2M8 11.7v1.3" stroke="var(--icon-gap, #fff)" stroke-width="1.7" />`,
  handed_in: html`<path d="m2.5 8.5 3.8 3.8 7.4-8" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" />`,
  timed_out: html`<rect x="3" y="3" width="10" height="10" rx="1" fill="currentColor" />`,
  paused: html`<path d="M5 3v10M11 3v10" stroke="currentColor" stroke-width="3" stroke-linecap="round" />`,
  deferred: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="M5 8h6" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" />`,
  forced: html`<path d="M5.2 1.5h5.6l3.7 3.7v5.6l-3.7 3.7H5.2l-3.7-3.7V5.2Z" fill="currentColor" /><path d="M4.5 8h7" stroke="var(--icon-gap, #fff)" stroke-width="2" />`,
  withdrew: html`<path d="M6.500 2.500H13v11H6.500" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="M9.500 8H2M5 5 2 8l3 3" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" />`,
  free: html`<path d="M8 3v10M3 8h10" stroke="currentColor" stroke-width="2" stroke-linecap="round" />`,
  kept: html`<path d="M2 8h10M8 4l4 4-4 4" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />`,
  broken: html`<path d="m3.5 3.5 9 9m0-9-9 9" stroke="currentColor" stroke-width="2" stroke-linecap="round" />`,
  empty: html`<path d="M4 8h8" stroke="currentColor" stroke-width="2" stroke-linecap="round" />`,
  search: html`<circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" stroke-width="1.75" /><path d="m10.5 10.5 3.5 3.5" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" />`,
  close: html`<path d="m3.5 3.5 9 9m0-9-9 9" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" />`,
  contrast: html`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 2a6 6 0 0 1 0 12Z" fill="currentColor" />`,
};
PATHS.moving = PATHS.kept;

/** @param {{name: string, size?: number}} props */
export function Icon({ name, size = 16 }) {
  return html`<svg class="icon" width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
    ${PATHS[name]}
  </svg>`;
}
