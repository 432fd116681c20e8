/**
 * What was decided and what happened, the newest first; each can be taken back, which is an entry of its own.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Entry} One
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

const UNDOABLE = new Set(['postpone', 'pause', 'resume', 'extend', 'credit', 'undo']);
const SHOWN = 60;

/** @param {{view: View}} props */
export function Ledger({ view }) {
  const { t } = useApp();
  const [more, setMore] = useState(false);
  const entries = [...view.entries].sort((a, b) => b.made_ms - a.made_ms || b.id - a.id);
  if (entries.length === 0) return html`<p class="soft timing-none">${t('timing.ledger.none')}</p>`;
  const shown = more ? entries : entries.slice(0, SHOWN);
  const left = entries.length - shown.length;
  return html`<ol class="ledger">
      ${shown.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} view=${view} />`)}
    </ol>
    ${left > 0
      ? html`<button class="button" onClick=${() => setMore(true)}>${t('timing.ledger.more', { n: left })}</button>`
      : null}`;
}

/** @param {{entry: One, view: View}} props */
function Entry({ entry, view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const kind = t(`timing.do.${entry.kind}`);
  const about = view.entries.find(({ id }) => id === entry.refers_id);
  const number = view.decisions.find(({ id }) => id === entry.decision)?.number;
  const why = [
    words.why(entry),
    entry.by,
    entry.incident && t('timing.ledger.incident', { incident: entry.incident }),
    number && t('timing.ledger.decision', { number }),
    entry.partly && t('timing.ledger.partly'),
  ];
  const scope = { session: view.session.id, kind: 'site' };
  const undo = () =>
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', words: 'timing.do.undo',
      whom: () => `${t(`timing.do.${entry.kind}`)} · ${words.whom(entry)}`,
      body: { action: 'undo', scope, entry: entry.id, reason: '', note: '' },
    });
  return html`<li class="ledger-entry" data-kind=${entry.kind} data-taken=${entry.live ? null : 'yes'}>
    <span class="ledger-when number">${words.wall(entry.made_at)}</span>
    <span class="ledger-kind"><span class="mark-key" data-kind=${entry.kind} aria-hidden="true"></span> ${kind}</span>
    <span class="ledger-what">
      <strong>${words.whom(entry)}</strong> <span class="number">${words.extent(entry)}</span>
      ${about
        ? html`<span>
            ${t('timing.ledger.about', { what: t(`timing.do.${about.kind}`), at: words.wall(about.made_at) })}
          </span>`
        : null}
      <span class="ledger-why soft">${why.filter(Boolean).join(' · ')}</span>
    </span>
    ${!entry.live
      ? html`<span class="aside-tag">${t('timing.ledger.taken')}</span>`
      : may && UNDOABLE.has(entry.kind)
        ? html`<button
            class="button ledger-undo" aria-disabled=${timing.checking.value ? 'true' : null} onClick=${undo}
          >
            ${t('timing.do.undo')}
          </button>`
        : html`<span></span>`}
  </li>`;
}
