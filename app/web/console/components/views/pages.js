/** The component of each page that may lie over the room (`core/views.js` names them). */

import { Incidents } from '../incidents/incidents.js';

/** @type {Record<string, any>} */
export const PAGES = {
  incidents: Incidents,
};
