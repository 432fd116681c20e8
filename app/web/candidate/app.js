/**
 * What every component may use: the state, the words, the look. One context, no globals.
 *
 * @typedef {import('./core/sitting.js').Sitting} Sitting
 * @typedef {import('./core/sitting.js').SittingState} SittingState
 * @typedef {{
 *   sitting: Sitting,
 *   state: {value: SittingState},
 *   i18n: import('../shared/i18n.js').I18n,
 *   look: import('./look.js').Look,
 *   media: import('./media.js').Media,
 *   kiosk: {room?: string, seat?: string} | null,
 *   fault: {value: boolean},
 * }} App
 */
import { createContext, useContext, useEffect, useState } from '../shared/ui.js';

/** @type {any} */
export const AppContext = createContext(/** @type {any} */ (null));

/** @returns {App & {t: import('../shared/i18n.js').I18n['t'], zh: boolean}} */
export function useApp() {
  /** @type {App} */
  const app = useContext(AppContext);
  return { ...app, t: app.i18n.t, zh: app.i18n.language.value.startsWith('zh') };
}

/**
 * @param {(key: string, params?: Record<string, unknown>) => string} t
 * @param {{building?: string, room?: string, seat?: string} | null | undefined} seat
 */
export function seatText(t, seat) {
  if (!seat) return '';
  const spare = !/^\d+$/.test(seat.seat ?? '');
  return t(spare ? 'seat.spare' : 'seat.regular', { building: '', room: '', seat: '', ...seat }).trim();
}

/**
 * A length of time in words, for sentences; digits are for clocks.
 *
 * @param {(key: string, params?: Record<string, unknown>) => string} t
 * @param {number} ms
 */
export function durationText(t, ms) {
  const total = Math.round(Math.abs(ms) / 1000);
  const [m, s] = [Math.floor(total / 60), total % 60];
  if (m === 0) return t('duration.seconds', { s });
  return t(s === 0 ? 'duration.minutes' : 'duration.both', { m, s });
}

/**
 * Renders again every `ms`: for digits that follow the monotonic clock.
 *
 * @param {number} ms
 */
export function useTick(ms) {
  const [, set] = useState(0);
  useEffect(() => {
    const handle = setInterval(() => set((/** @type {number} */ n) => n + 1), ms);
    return () => clearInterval(handle);
  }, [ms]);
}
