/** The component of each page that may lie over the room (`core/views.js` names them). */

/** @type {Record<string, any>} */
export const PAGES = {};
