/** What was decided and what happened, the newest first; each can be taken back, which is an entry of its own. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

const UNDOABLE = new Set(['postpone', 'pause', 'resume', 'extend', 'credit', 'undo']);
const SHOWN = 60;

/** @param {{view: any}} props */
export function Ledger({ view }) {
  const { t } = useApp();
  const [more, setMore] = useState(false);
  const entries = [...view.entries].sort((a, b) => (b.made_ms ?? 0) - (a.made_ms ?? 0) || b.id - a.id);
  if (entries.length === 0) return html`<p class="soft timing-none">${t('timing.ledger.none')}</p>`;
  return html`<ol class="ledger">
      ${(more ? entries : entries.slice(0, SHOWN)).map((entry) => html`<${Entry} key=${entry.id} entry=${entry} view=${view} />`)}
    </ol>
    ${!more && entries.length > SHOWN
      ? html`<button class="button" onClick=${() => setMore(true)}>${t('timing.ledger.more', { n: entries.length - SHOWN })}</button>`
      : null}`;
}

/** @param {{entry: any, view: any}} props */
function Entry({ entry, view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const taken = !entry.live;
  const about = entry.refers_id ? view.entries.find((/** @type {any} */ one) => one.id === entry.refers_id) : null;
  const number = view.decisions.find((/** @type {any} */ one) => one.id === entry.decision)?.number;
  const undo = () =>
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', words: 'timing.do.undo', whom: `${t(`timing.do.${entry.kind}`)} · ${words.whom(entry)}`,
      body: { action: 'undo', scope: { session: view.session.id, kind: 'site' }, entry: entry.id, reason: '', note: '' },
    });
  return html`<li class="ledger-entry" data-kind=${entry.kind} data-taken=${taken ? 'yes' : null}>
    <span class="ledger-when number">${words.wall(entry.made_at)}</span>
    <span class="ledger-kind"><span class="mark-key" data-kind=${entry.kind} aria-hidden="true"></span> ${t(`timing.do.${entry.kind}`)}</span>
    <span class="ledger-what">
      <strong>${words.whom(entry)}</strong> <span class="number">${words.extent(entry)}</span>
      ${about ? html`<span> ${t('timing.ledger.about', { what: t(`timing.do.${about.kind}`), at: words.wall(about.made_at) })}</span>` : null}
      <span class="ledger-why soft">
        ${[words.why(entry), entry.by, entry.incident && t('timing.ledger.incident', { incident: entry.incident }), number && t('timing.ledger.decision', { number })]
          .filter(Boolean).join(' · ')}
      </span>
    </span>
    ${taken
      ? html`<span class="aside-tag">${t('timing.ledger.taken')}</span>`
      : may && UNDOABLE.has(entry.kind)
        ? html`<button class="button ledger-undo" aria-disabled=${timing.checking.value ? 'true' : null} onClick=${undo}>${t('timing.do.undo')}</button>`
        : html`<span></span>`}
  </li>`;
}
