/** How a receipt words the end it is for: who did not hand in themselves is not told a time at which they did. */

/** @type {Readonly<Record<string, {title: string, time: string}>>} */
const ENDS = Object.freeze({
  time_out: { title: 'receipt.titleTime', time: 'receipt.timeOut' },
  forced: { title: 'receipt.titleForced', time: 'receipt.timeForced' },
  deferred: { title: 'receipt.titleDeferred', time: 'receipt.timeDeferred' },
});
const HANDED_IN = Object.freeze({ title: 'receipt.title', time: 'receipt.time' });

/** The names of the texts for a reason that the service gives. @param {string} reason */
export const endTexts = (reason) => ENDS[reason] ?? HANDED_IN;
