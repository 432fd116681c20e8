/**
 * What the evidence proposes, or an invigilator: approved as it is, changed, or dismissed. The effect on the clocks is
 * shown before it is confirmed, as for every other decision.
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { approved, asProposed, fieldsOf } from '../../core/timing-proposal.js';
import { lengthText } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

/** @param {{view: any}} props */
export function Proposals({ view }) {
  const { t } = useApp();
  const waiting = view.proposals.filter((/** @type {any} */ one) => one.state === 'open');
  const decided = view.proposals.filter((/** @type {any} */ one) => one.state !== 'open');
  if (view.proposals.length === 0) return html`<p class="soft timing-none">${t('timing.proposals.none')}</p>`;
  return html`<ul class="proposals">
    ${[...waiting, ...decided.reverse()].map((/** @type {any} */ one) => html`<${Proposal} key=${one.id} one=${one} view=${view} />`)}
  </ul>`;
}

/** @param {{one: any, view: any}} props */
function Proposal({ one, view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const [how, setHow] = useState(/** @type {'approve' | 'change' | 'dismiss' | null} */ (null));
  const [fields, setFields] = useState({ from: '', to: '', length: '', note: '' });
  const may = desk.staff.value?.may.includes('time-decide') ?? false;
  const waits = one.state === 'open';
  const at = `proposal ${one.id}`;
  const where = { near: one.from_at ?? view.now_at, zone: view.session.timezone, wall: words.wall };
  const open = (/** @type {'approve' | 'change' | 'dismiss'} */ next) => {
    setFields(asProposed(one, words.wall));
    setHow(how === next ? null : next);
  };
  const interval = approved(one, fields, where);
  const [decision, setDecision] = useState('');
  const lifted = view.decisions.filter((/** @type {any} */ other) => other.kind === 'lift-cap' && other.state === 'approved');
  const lacks = interval === null ? fieldsOf(one)[fieldsOf(one).length - 1] : how === 'dismiss' && fields.note.trim() === '' ? 'note' : null;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (desk.busy.value !== null || interval === null || lacks !== null) return;
    if (how === 'dismiss') {
      void timing.decide(at, `/time/proposals/${one.id}/dismiss`, { note: fields.note.trim() }, 'timing.proposal.dismiss');
      return setHow(null);
    }
    const path = `/time/proposals/${one.id}`;
    const body = { ...interval, note: fields.note.trim(), ...(decision === '' ? {} : { decision: Number(decision) }) };
    void timing.ask({ at: AT, path: `${path}/preview`, to: `${path}/approve`, body, words: 'timing.proposal.approve', whom: words.whom(one) });
    return setHow(null);
  };
  const edit = (/** @type {string} */ name) => (/** @type {any} */ event) => setFields({ ...fields, [name]: event.target.value });
  return html`<li class="proposal" data-state=${one.state}>
    <div class="proposal-what">
      <strong>${t(`timing.proposal.${one.kind}`)}</strong> ${words.whom(one)}
      ${waits ? null : html`<span class="aside-tag">${t(`timing.proposal.state.${one.state}`)}</span>`}
      <span class="proposal-more">
        ${words.said(one) ? html`<span>${words.said(one)}</span>` : html`<span class="number">${words.extent(one)}</span>`}
        <span class="soft">${[words.why(one), one.decided_by && t('timing.proposal.decidedBy', { name: one.decided_by })].filter(Boolean).join(' · ')}</span>
      </span>
    </div>
    ${may && waits
      ? html`<div class="aside-buttons">
          ${['approve', 'change', 'dismiss'].map(
            (/** @type {any} */ next) => html`<button
              key=${next} class=${`button ${next === 'approve' ? 'button-primary' : ''}`} aria-expanded=${how === next ? 'true' : 'false'}
              aria-disabled=${desk.busy.value ? 'true' : null} onClick=${() => open(next)}
            >
              ${t(`timing.proposal.${next}`)}${next === 'approve' && one.amount_ms ? html`${' '}<span class="number proposal-length">${lengthText(one.amount_ms)}</span>` : null}
            </button>`,
          )}
        </div>`
      : null}
    ${how
      ? html`<form class="proposal-form" onSubmit=${submit} aria-label=${t(`timing.proposal.${how}`)}>
          ${how === 'change'
            ? fieldsOf(one).map(
                (/** @type {any} */ name) => html`<label class="decide-field" key=${name}>
                  <span>${t(`timing.field.${name}`)}</span>
                  <input class="move-field number" name=${name} maxlength="20" value=${fields[/** @type {'from'} */ (name)]} onInput=${edit(name)} />
                </label>`,
              )
            : null}
          <label class="decide-field">
            <span>${t('timing.field.note')}</span>
            <input class="move-field" maxlength="200" placeholder=${t(how === 'dismiss' ? 'timing.note.needed' : 'move.note.hint')} value=${fields.note} onInput=${edit('note')} />
          </label>
          ${lifted.length > 0 && how !== 'dismiss'
            ? html`<label class="decide-field">
                <span>${t('timing.field.decision')}</span>
                <select class="move-field" value=${decision} onChange=${(/** @type {any} */ event) => setDecision(event.target.value)}>
                  <option value="">${t('timing.decision.none')}</option>
                  ${lifted.map((/** @type {any} */ other) => html`<option key=${other.id} value=${String(other.id)}>${other.number}</option>`)}
                </select>
              </label>`
            : null}
          ${lacks !== null && lacks !== 'note' ? html`<p class="note note-warn">${t(`timing.lacks.${lacks}`)}</p>` : null}
          <button class="button button-primary" aria-disabled=${lacks !== null ? 'true' : null}>
            ${t(how === 'dismiss' ? 'timing.proposal.dismiss.sure' : 'timing.look')}
          </button>
        </form>`
      : null}
    <${Outcome} at=${[at]} />
  </li>`;
}
