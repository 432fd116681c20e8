/**
 * What stands right now and waits for somebody: held scopes in red, open pauses with the way to end them.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Entry} Entry
 * @typedef {import('../../core/timing-view.js').Held} Held
 */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { openPauses } from '../../core/timing-view.js';
import { lengthText } from '../../core/wall.js';
import { Icon } from '../icons/icons.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

/** @param {{view: View}} props */
export function Standing({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const paused = openPauses(view);
  if (paused.length + view.held.length === 0) return null;
  const session = view.session.id;
  const ask = (/** @type {Entry | Held} */ one, /** @type {Record<string, unknown>} */ about) =>
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', words: 'timing.do.resume', whom: () => words.whom(one),
      body: { action: 'resume', reason: '', note: '', ...about },
    });
  /** Asked for exactly those who are held; where their limit stands, the way to lift it has them already. */
  const release = (/** @type {Held} */ one) => {
    const tickets = one.members.map(({ ticket }) => ticket);
    timing.edit({ action: 'resume', scope: 'list', tickets: tickets.join('\n') });
    ask(one, { scope: { session, kind: 'list', tickets } });
  };
  const lasts = (/** @type {Entry} */ { from_at: from }) =>
    from && lengthText(Date.parse(view.now_at) - Date.parse(from));
  const button = (/** @type {() => void} */ onClick) =>
    may &&
    html`<button
      class="button standing-resume" aria-disabled=${timing.checking.value ? 'true' : null} onClick=${onClick}
    >
      ${t('timing.resume')}
    </button>`;
  return html`<ul class="standing">
    ${view.held.map(
      (one) => html`<li class="standing-one note note-bad" key=${`held ${one.entry}`}>
        <span>
          <strong><${Icon} name="forced" /> ${t('timing.held')}</strong> ${words.whom(one)} ·${' '}
          <span class="number">${lengthText(one.lost_ms)}</span>
          <span class="standing-more">${t('timing.held.more')}</span>
        </span>
        ${button(() => release(one))}
      </li>`,
    )}
    ${paused.map(
      (entry) => html`<li class="standing-one note note-warn" key=${entry.id}>
        <span>
          <strong>${t('timing.stands')}</strong>${' '}
          ${[words.whom(entry), words.extent(entry), lasts(entry), words.why(entry)].filter(Boolean).join(' · ')}
        </span>
        ${button(() => ask(entry, { scope: { session, kind: 'site' }, entry: entry.id }))}
      </li>`,
    )}
  </ul>`;
}
