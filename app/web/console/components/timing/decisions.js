/**
 * Decisions of the office that lift the cap for somebody: a number, a text, and a second person who approves it.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 * @typedef {import('../../core/timing-view.js').Decision} One
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { toScope } from '../../core/timing-draft.js';
import { lengthText, parseLength } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';
import { Checking } from './effect.js';
import { Lacks, TextField } from './field.js';
import { ScopePicker } from './scope.js';
import { AT } from './timing.js';
import { useWords } from './words.js';

/** @param {{view: View}} props */
export function Decisions({ view }) {
  const { t } = useApp();
  if (view.decisions.length === 0) return html`<p class="soft timing-none">${t('timing.decisions.none')}</p>`;
  return html`<ul class="proposals">
    ${[...view.decisions].reverse().map((one) => html`<${Decision} key=${one.id} one=${one} view=${view} />`)}
  </ul>`;
}

/** @param {{one: One, view: View}} props */
function Decision({ one, view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const [sure, setSure] = useState(/** @type {'approve' | 'withdraw' | null} */ (null));
  const staff = desk.staff.value;
  const may = staff?.may.includes('time-decide') ?? false;
  const own = one.proposed_by_username === staff?.username;
  const at = `decision ${one.id}`;
  const send = async (/** @type {'approve' | 'withdraw'} */ how) => {
    setSure(null);
    await timing.decide(at, `/time/decisions/${one.id}/${how}`, {}, `timing.decision.${how}`);
  };
  const button = (/** @type {'approve' | 'withdraw'} */ how) => {
    const what = t(`timing.decision.${how}`);
    if (sure === how) {
      return html`<button class="button button-primary" onClick=${() => void send(how)} onBlur=${() => setSure(null)}>
        ${t('timing.decision.sure', { what, number: one.number, whom: words.whom(one) })}
      </button>`;
    }
    return html`<button
      class="button" aria-disabled=${desk.busy.value ? 'true' : null} onClick=${() => setSure(how)}
    >
      ${what}
    </button>`;
  };
  const by = [
    t('timing.decision.by', { name: one.proposed_by }),
    one.approved_by && t('timing.decision.approvedBy', { name: one.approved_by }),
  ];
  return html`<li class="proposal" data-state=${one.state}>
    <div class="proposal-what">
      <strong>${t(`timing.decision.${one.kind}`)} ${one.number}</strong> ${words.whom(one)}
      <span class="aside-tag" data-state=${one.state === 'approved' ? 'adopted' : null}>
        ${t(`timing.decision.state.${one.state}`)}
      </span>
      <span class="proposal-more">
        ${one.limit_ms
          ? html`<span>${t('timing.decision.limit')} <span class="number">${lengthText(one.limit_ms)}</span></span>`
          : null}
        <span>${one.text}</span>
        <span class="soft">${by.filter(Boolean).join(' · ')}</span>
      </span>
    </div>
    ${may && one.state === 'proposed'
      ? html`<div class="aside-buttons">
          ${own ? html`<span class="soft decision-other">${t('timing.decision.other')}</span>` : button('approve')}
          ${button('withdraw')}
        </div>`
      : null}
    <${Outcome} at=${[at]} />
  </li>`;
}

/** The proposal to lift it. @param {{view: View, onDone: () => void}} props */
export function Lift({ view, onDone }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [fields, setFields] = useState({ number: '', text: '', limit: '' });
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const scope = toScope(timing.draft.value, view.session.id);
  const now = () => {
    if (scope === null) return timing.draft.value.scope;
    if (fields.number.trim() === '') return 'number';
    if (fields.text.trim() === '') return 'text';
    return parseLength(fields.limit) === null ? 'limit' : null;
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now());
    if (now() !== null || desk.busy.value !== null) return;
    const { number, text, limit } = fields;
    const body = { kind: 'lift-cap', scope, number: number.trim(), text: text.trim(), limit_ms: parseLength(limit) };
    if (await timing.decide('lift', '/time/decisions', body, 'timing.lift.told')) onDone();
  };
  const field = (/** @type {'number' | 'text' | 'limit'} */ name, /** @type {number} */ most, hint = '') =>
    html`<${TextField}
      name=${name} label=${t(`timing.field.${name}`)} value=${fields[name]} most=${most} hint=${hint}
      onInput=${(/** @type {string} */ value) => setFields({ ...fields, [name]: value })}
    />`;
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <p class="decide-hint soft">${t('timing.lift.hint')}</p>
    <${ScopePicker} view=${view} />
    <div class="decide-fields">
      ${field('number', 200)} ${field('text', 2000)} ${field('limit', 10, t('timing.lift.limit.hint'))}
    </div>
    <${Lacks} words=${lacks !== null && lacks === now() ? t(`timing.lacks.${lacks}`) : null} />
    <${Checking} at=${AT} />
    <${Outcome} at=${['lift']} />
    <button class="button button-primary button-large button-wide" aria-disabled=${desk.busy.value ? 'true' : null}>
      ${t('timing.lift.submit')}
    </button>
  </form>`;
}
