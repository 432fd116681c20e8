/**
 * The pages that may lie over the room: which there are, who sees them, which one is open. One at a time.
 *
 * A page is named here once, in the order of its tab; its component is in `components/views/pages.js`, its tab's word is
 * `views.<name>`. `may`: the action without which there is no tab (what can be done on the page, the service decides).
 */
import { signal } from '../../shared/ui.js';

/** @type {readonly {name: string, may: string}[]} */
export const VIEWS = Object.freeze([
  { name: 'hall', may: 'hall-view' },
  { name: 'incidents', may: 'incident-view' },
  { name: 'discrepancies', may: 'discrepancy-view' },
  { name: 'misconduct', may: 'misconduct-view' },
  { name: 'records', may: 'export' },
  { name: 'site', may: 'manage-site' },
  { name: 'itemReports', may: 'item-report-view' },
  { name: 'photos', may: 'manage-site' },
  { name: 'audit', may: 'read-audit' },
  { name: 'accounts', may: 'manage-staff' },
]);

/** @param {{onLeave: () => void}} ports `onLeave`: what else lies over the room makes way */
export function createViews({ onLeave }) {
  const open = signal(/** @type {string | null} */ (null));
  return {
    open,

    /** @param {string} name */
    show(name) {
      onLeave();
      open.value = name;
    },

    hide() {
      open.value = null;
    },
  };
}

/**
 * The tabs of somebody who may do `may`.
 *
 * @param {readonly string[]} may
 */
export function viewsFor(may) {
  return VIEWS.filter((view) => may.includes(view.may)).map(({ name }) => name);
}
