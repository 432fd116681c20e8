/** Entries, bars, rooms and reasons in words, in the language of the page and the zone of the exam. */
import { useApp } from '../../app.js';
import { ticketsIn } from '../../core/timing-draft.js';
import { namesOf } from '../../core/timing-picture.js';
import { clockText, lengthText, wallText } from '../../core/wall.js';

/** @param {any} view */
export function useWords(view) {
  const { t, i18n } = useApp();
  const chinese = i18n.language.value.startsWith('zh');
  const zone = view.session.timezone;
  const wall = (/** @type {string | null | undefined} */ iso) => wallText(iso, zone);
  /** A sentence the service made in both languages. @param {any} one */
  const said = (one) => (chinese ? one?.zh : one?.en) ?? '';
  /** @param {string} code */
  const reason = (code) => {
    const known = reasonsOf(view).find((one) => one.code === code);
    return known ? said(known) : code;
  };
  /** @param {any[]} rooms */
  const rooms = (rooms) => {
    const { key, first, last, n } = namesOf(rooms, view.rooms);
    return t(`timing.rooms.${key}`, { first, last, n });
  };
  /** @param {any} entry */
  const why = (entry) => [(chinese ? entry.reason_zh : entry.reason_en) || (entry.reason && reason(entry.reason)), entry.note].filter(Boolean).join(t('list.comma'));
  return {
    said, reason, rooms, wall, why,

    /** @param {import('../../core/timing-picture.js').Row} row @param {import('../../core/timing-picture.js').Mark} mark */
    mark(row, mark) {
      const entry = view.entries.find((/** @type {any} */ one) => one.id === mark.entry);
      const times = mark.open
        ? t('timing.since', { from: clockText(mark.from, zone) })
        : t('timing.span', { from: clockText(mark.from, zone), to: clockText(mark.to, zone) });
      return [
        `${row.building} ${rooms(row.rooms)}`, t(`timing.kind.${mark.kind}`), times, lengthText(mark.to - mark.from),
        entry && why(entry), entry?.by,
      ].filter(Boolean).join(' · ');
    },

    /** Whom an entry, a proposal or a decision is about. @param {any} one */
    whom(one) {
      const names = /** @type {string[]} */ (one.scope_names);
      const some = names.length > 3 ? t('timing.names.more', { names: names.slice(0, 3).join(t('timing.and')), n: names.length }) : names.join(t('timing.and'));
      const people = one.candidates === undefined ? '' : t('timing.people', { n: one.candidates });
      return [one.scope === 'site' ? t('timing.scope.site') : some, people].filter(Boolean).join(' · ');
    },

    /** How long or from when to when. @param {any} one */
    extent(one) {
      if (one.kind === 'pause') return one.from_at ? t('timing.since', { from: wall(one.from_at) }) : '';
      if (one.kind === 'resume') return wall(one.to_at);
      if (one.from_at && one.to_at) {
        const length = lengthText(Date.parse(one.to_at) - Date.parse(one.from_at));
        return `${t('timing.span', { from: wall(one.from_at), to: wall(one.to_at) })} · ${length}`;
      }
      return one.amount_ms ? lengthText(one.amount_ms) : '';
    },
  };
}

/** Whom a draft is for, before the service is asked. @param {any} view */
export function useWhom(view) {
  const { t } = useApp();
  const some = (/** @type {string[]} */ names) =>
    names.length > 6 ? t('timing.names.more', { names: names.slice(0, 6).join(t('timing.and')), n: names.length }) : names.join(t('timing.and'));
  return {
    /** @param {import('../../core/timing-draft.js').Draft} draft */
    whom(draft) {
      const { scope, person } = draft;
      const rooms = /** @type {any[]} */ (view.rooms);
      if (scope === 'building') return some([...new Set(rooms.filter((one) => draft.buildings.includes(one.building_id)).map((one) => one.building))]);
      if (scope === 'room') return some(rooms.filter((one) => draft.rooms.includes(one.id)).map((one) => one.name));
      if (scope === 'list') return some(ticketsIn(draft.tickets));
      return person && scope === 'candidate' ? `${person.room} ${person.seat} ${person.name}` : t('timing.scope.site');
    },
  };
}

/**
 * The reasons there are, as the service lists them.
 *
 * @param {any} view
 * @returns {{code: string, zh: string, en: string, automatic?: boolean}[]}
 */
export function reasonsOf(view) {
  return view.reasons;
}
