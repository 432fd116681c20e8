/**
 * What just happened in the room, told for a few seconds.
 *
 * @typedef {{id: number, kind: string, name: string, seat: string}} Notice
 */
import { signal } from '../../shared/ui.js';

const NOTICE_MS = 12_000;
const NOTICES = 4;

/** @param {{timers: import('../../shared/api.js').Timers}} ports */
export function createNotices({ timers }) {
  const notices = signal(/** @type {Notice[]} */ ([]));
  let last = 0;

  /** @param {number} id */
  const dismiss = (id) => {
    notices.value = notices.value.filter((notice) => notice.id !== id);
  };

  return {
    notices, dismiss,
    /** @param {Omit<Notice, 'id'>} notice */
    notify(notice) {
      const id = (last += 1);
      notices.value = [...notices.value, { ...notice, id }].slice(-NOTICES);
      timers.setTimeout(() => dismiss(id), NOTICE_MS);
    },
  };
}
