/**
 * What every component may use: the desk, the words, the ticking second.
 *
 * @typedef {{
 *   desk: import('./core/desk.js').Desk,
 *   i18n: import('../shared/i18n.js').I18n,
 *   now: {value: number},
 *   contrast: {value: boolean},
 * }} App
 */
import { ApiError, Refused } from '../shared/api.js';
import { createContext, useContext } from '../shared/ui.js';
import { TRUSTED_MS } from './core/room.js';

/** @type {any} */
export const AppContext = createContext(/** @type {any} */ (null));

/** @returns {App & {t: import('../shared/i18n.js').I18n['t']}} */
export function useApp() {
  /** @type {App} */
  const app = useContext(AppContext);
  return { ...app, t: app.i18n.t };
}

/** Milliseconds since the picture came; whoever asks renders again as the second ticks. */
export function useSince() {
  const { desk, now } = useApp();
  return now.value - desk.pictureAt.value;
}

/**
 * How fresh the picture is: `live`, `away` (the service cannot read the room), `down` (nothing comes), `opening`.
 *
 * @param {{away: {value: boolean}, picture: {value: unknown}}} desk
 * @param {number} since
 */
export function linkOf(desk, since) {
  if (desk.away.value) return 'away';
  if (desk.picture.value === null) return 'opening';
  return since > TRUSTED_MS ? 'down' : 'live';
}

/** How fresh what is shown is: the hall where it is open, the room otherwise. */
export function useLink() {
  const { desk, now } = useApp();
  const { hall } = desk;
  const since = useSince();
  if (hall.session.value === null) return linkOf(desk, since);
  return linkOf({ away: hall.away, picture: hall.overview }, now.value - hall.at.value);
}

/**
 * A seat by its label as people say it; a spare seat's label is no bare number.
 *
 * @param {import('../shared/i18n.js').I18n['t']} t
 * @param {string} label
 * @param {string | null} [room] when it is another one
 */
export function seatText(t, label, room = null) {
  const seat = t(/^\d+$/.test(label) ? 'seat.regular' : 'seat.spare', { seat: label });
  return room ? `${room} ${seat}` : seat;
}

/**
 * An error in words: the service's own sentence, or what it means that none came.
 *
 * @param {App} app
 * @param {unknown} error
 */
export function wordsFor({ i18n }, error) {
  if (error instanceof Refused) return error.text(i18n.language.value);
  return i18n.t(error instanceof ApiError ? 'error.unknown' : 'error.page');
}
