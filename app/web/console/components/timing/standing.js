/** What stands right now and waits for somebody: held scopes in red, open pauses with the way to end them. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { lengthText } from '../../core/wall.js';
import { Icon } from '../icons/icons.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

/** @param {{view: any}} props */
export function Standing({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const now = view.now_at ? Date.parse(view.now_at) : null;
  const heldBy = new Set(view.held.map((/** @type {any} */ one) => one.entry).filter(Boolean));
  const paused = view.entries.filter((/** @type {any} */ one) => one.open && !heldBy.has(one.id));
  if (paused.length + view.held.length === 0) return null;
  const resume = (/** @type {any} */ entry) =>
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', words: 'timing.do.resume', whom: words.whom(entry),
      body: { action: 'resume', scope: { session: view.session.id, kind: 'site' }, entry: entry.id, reason: '', note: '' },
    });
  /** Asked for exactly those who are held; where their limit stands, the way to lift it has them already. */
  const release = (/** @type {any} */ one) => {
    const tickets = one.members.map((/** @type {any} */ member) => member.ticket);
    timing.edit({ action: 'resume', scope: 'list', tickets: tickets.join('\n') });
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', words: 'timing.do.resume', whom: words.whom(one),
      body: { action: 'resume', scope: { session: view.session.id, kind: 'list', tickets }, reason: '', note: '' },
    });
  };
  return html`<ul class="standing">
    ${view.held.map(
      (/** @type {any} */ one, /** @type {number} */ index) => html`<li class="standing-one note note-bad" key=${`held ${one.entry ?? index}`}>
        <span>
          <strong><${Icon} name="forced" /> ${t('timing.held')}</strong> ${words.whom(one)}
          ${one.lost_ms ? html` · <span class="number">${lengthText(one.lost_ms)}</span>` : null}
          <span class="standing-more">${t('timing.held.more')}</span>
        </span>
        ${may
          ? html`<button class="button standing-resume" aria-disabled=${timing.checking.value ? 'true' : null} onClick=${() => release(one)}>
              ${t('timing.resume')}
            </button>`
          : null}
      </li>`,
    )}
    ${paused.map(
      (/** @type {any} */ entry) => html`<li class="standing-one note note-warn" key=${entry.id}>
        <span>
          <strong>${t('timing.stands')}</strong>${' '}
          ${[words.whom(entry), words.extent(entry), now !== null && entry.from_at && lengthText(now - Date.parse(entry.from_at)), words.why(entry)].filter(Boolean).join(' · ')}
        </span>
        ${may
          ? html`<button class="button standing-resume" aria-disabled=${timing.checking.value ? 'true' : null} onClick=${() => resume(entry)}>
              ${t('timing.resume')}
            </button>`
          : null}
      </li>`,
    )}
  </ul>`;
}
