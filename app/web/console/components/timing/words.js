/**
 * Entries, bars, rooms and reasons in words, in the language of the page and the zone of the exam.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Said} Said
 * @typedef {import('../../core/timing-view.js').Room} Room
 * @typedef {import('../../core/timing-picture.js').Row} Row
 * @typedef {import('../../core/timing-picture.js').Mark} Mark
 */
import { useApp } from '../../app.js';
import { ticketsIn } from '../../core/timing-draft.js';
import { namesOf } from '../../core/timing-picture.js';
import { clockText, lengthText, wallText } from '../../core/wall.js';

/** @param {View} view */
export function useWords(view) {
  const { t, i18n } = useApp();
  const chinese = i18n.language.value.startsWith('zh');
  const zone = view.session.timezone;
  const wall = (/** @type {string | null} */ iso) => wallText(iso, zone);
  /** A sentence the service made in both languages. @param {Said} one */
  const said = (one) => (chinese ? one.zh : one.en);
  /** @param {Room[]} rooms @param {Room[]} all */
  const rooms = (rooms, all) => {
    const { key, first, last, n } = namesOf(rooms, all);
    return t(`timing.rooms.${key}`, { first, last, n });
  };
  /** @param {{reason_zh: string, reason_en: string, note: string}} one */
  const why = (one) => [chinese ? one.reason_zh : one.reason_en, one.note].filter(Boolean).join(t('list.comma'));
  return {
    said, wall, why, rooms,

    /** @param {Row} row @param {Mark} mark */
    mark(row, mark) {
      const entry = view.entries.find(({ id }) => id === mark.entry);
      const from = clockText(mark.from, zone);
      const times = mark.open ? t('timing.since', { from }) : t('timing.span', { from, to: clockText(mark.to, zone) });
      const where = `${row.building} ${rooms(row.rooms, view.rooms)}`;
      const length = lengthText(mark.to - mark.from);
      const words = [where, t(`timing.kind.${mark.kind}`), times, length, entry && why(entry), entry?.by];
      return words.filter(Boolean).join(' · ');
    },

    /** Whom it is about. @param {{scope: string, scope_names: string[], candidates: number}} one */
    whom(one) {
      const some = one.scope === 'site' ? t('timing.scope.site') : named(t, one.scope_names, 3);
      return [some, t('timing.people', { n: one.candidates })].filter(Boolean).join(' · ');
    },

    /** How long, or from when to when. @param {import('../../core/timing-view.js').Entry} one */
    extent({ kind, from_at: from, to_at: to, amount_ms: amount }) {
      if (kind === 'pause') return from ? t('timing.since', { from: wall(from) }) : '';
      if (kind === 'resume') return wall(to);
      if (from && to) {
        const length = lengthText(Date.parse(to) - Date.parse(from));
        return `${t('timing.span', { from: wall(from), to: wall(to) })} · ${length}`;
      }
      return amount ? lengthText(amount) : '';
    },
  };
}

/** Whom a draft is for, before the service is asked. @param {View} view */
export function useWhom(view) {
  const { t } = useApp();
  return {
    /** @param {import('../../core/timing-draft.js').Draft} draft */
    whom({ scope, buildings, rooms, tickets, person }) {
      const inside = view.rooms.filter((room) => buildings.includes(room.building_id));
      if (scope === 'building') return named(t, [...new Set(inside.map(({ building }) => building))], 6);
      const chosen = view.rooms.filter(({ id }) => rooms.includes(id));
      if (scope === 'room') return named(t, chosen.map(({ name }) => name), 6);
      if (scope === 'list') return named(t, ticketsIn(tickets), 6);
      return scope === 'candidate' && person ? `${person.room} ${person.seat} ${person.name}` : t('timing.scope.site');
    },
  };
}

/**
 * Names, the first of them where there are many.
 *
 * @param {import('../../../shared/i18n.js').I18n['t']} t
 * @param {string[]} names
 * @param {number} most
 */
function named(t, names, most) {
  const some = names.slice(0, most).join(t('timing.and'));
  return names.length > most ? t('timing.names.more', { names: some, n: names.length }) : some;
}
