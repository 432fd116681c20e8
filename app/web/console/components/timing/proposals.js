/**
 * What the evidence proposes, or an invigilator: approved as it is, changed, or dismissed. The effect on the clocks is
 * shown before it is confirmed, as for every other decision.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Proposal} One
 * @typedef {'approve' | 'change' | 'dismiss'} How
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { approved, asProposed, fieldsOf } from '../../core/timing-proposal.js';
import { lifted } from '../../core/timing-view.js';
import { lengthText } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';
import { SelectField, TextField } from './field.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

/** @type {How[]} */
const HOW = ['approve', 'change', 'dismiss'];

/** @param {{view: View}} props */
export function Proposals({ view }) {
  const { t } = useApp();
  const waiting = view.proposals.filter(({ state }) => state === 'open');
  const decided = view.proposals.filter(({ state }) => state !== 'open');
  if (view.proposals.length === 0) return html`<p class="soft timing-none">${t('timing.proposals.none')}</p>`;
  return html`<ul class="proposals">
    ${[...waiting, ...decided.reverse()].map((one) => html`<${Proposal} key=${one.id} one=${one} view=${view} />`)}
  </ul>`;
}

/** @param {{one: One, view: View}} props */
function Proposal({ one, view }) {
  const { desk, t } = useApp();
  const words = useWords(view);
  const [how, setHow] = useState(/** @type {How | null} */ (null));
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const waits = one.state === 'open';
  const by = [words.why(one), one.decided_by && t('timing.proposal.decidedBy', { name: one.decided_by })];
  const length = (/** @type {How} */ next) => next === 'approve' && one.amount_ms > 0;
  return html`<li class="proposal" data-state=${one.state}>
    <div class="proposal-what">
      <strong>${t(`timing.proposal.${one.kind}`)}</strong> ${words.whom(one)}
      ${waits ? null : html`<span class="aside-tag">${t(`timing.proposal.state.${one.state}`)}</span>`}
      <span class="proposal-more">
        <span>${words.said(one)}</span>
        <span class="soft">${by.filter(Boolean).join(' · ')}</span>
      </span>
    </div>
    ${may && waits
      ? html`<div class="aside-buttons">
          ${HOW.map(
            (next) => html`<button
              key=${next} class=${next === 'approve' ? 'button button-primary' : 'button'}
              aria-expanded=${how === next ? 'true' : 'false'} aria-disabled=${desk.busy.value ? 'true' : null}
              onClick=${() => setHow(how === next ? null : next)}
            >
              ${t(`timing.proposal.${next}`)}
              ${length(next) ? html`<span class="number proposal-length">${lengthText(one.amount_ms)}</span>` : null}
            </button>`,
          )}
        </div>`
      : null}
    ${how ? html`<${Verdict} key=${how} one=${one} view=${view} how=${how} onDone=${() => setHow(null)} />` : null}
    <${Outcome} at=${[`proposal ${one.id}`]} />
  </li>`;
}

/** @param {{one: One, view: View, how: How, onDone: () => void}} props */
function Verdict({ one, view, how, onDone }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const [fields, setFields] = useState(() => asProposed(one, words.wall));
  const [decision, setDecision] = useState('');
  const where = { near: one.from_at ?? view.now_at, zone: view.session.timezone, wall: words.wall };
  const instead = approved(one, fields, where);
  const asked = fieldsOf(one);
  const note = fields.note.trim();
  const lacks = instead === null ? asked[asked.length - 1] : how === 'dismiss' && note === '' ? 'note' : null;
  const path = `/time/proposals/${one.id}`;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (desk.busy.value !== null || lacks !== null) return;
    if (how === 'dismiss') {
      void timing.decide(`proposal ${one.id}`, `${path}/dismiss`, { note }, 'timing.proposal.dismiss');
    } else {
      const body = { ...instead, note, ...(decision === '' ? {} : { decision: Number(decision) }) };
      const whom = () => words.whom(one);
      const to = `${path}/approve`;
      void timing.ask({ at: AT, path: `${path}/preview`, to, body, words: 'timing.proposal.approve', whom });
    }
    onDone();
  };
  const edit = (/** @type {string} */ name) => (/** @type {string} */ value) => setFields({ ...fields, [name]: value });
  const rests = how === 'dismiss' ? [] : lifted(view);
  return html`<form class="proposal-form" onSubmit=${submit} aria-label=${t(`timing.proposal.${how}`)}>
    ${how === 'change'
      ? asked.map(
          (name) => html`<${TextField}
            key=${name} name=${name} label=${t(`timing.field.${name}`)} value=${fields[name]} most=${10} digits
            onInput=${edit(name)}
          />`,
        )
      : null}
    <${TextField}
      name="note" label=${t('timing.field.note')} value=${fields.note} onInput=${edit('note')}
      hint=${t(how === 'dismiss' ? 'timing.note.needed' : 'move.note.hint')}
    />
    ${rests.length > 0
      ? html`<${SelectField}
          name="decision" label=${t('timing.field.decision')} value=${decision} onChange=${setDecision}
          options=${[
            { value: '', words: t('timing.decision.none') },
            ...rests.map(({ id, number }) => ({ value: String(id), words: number })),
          ]}
        />`
      : null}
    ${instead === null ? html`<p class="note note-warn">${t(`timing.lacks.${lacks}`)}</p>` : null}
    <button class="button button-primary" aria-disabled=${lacks !== null ? 'true' : null}>
      ${t(how === 'dismiss' ? 'timing.proposal.dismiss.sure' : 'timing.look')}
    </button>
  </form>`;
}
