/** Decisions of the office that lift the cap for somebody: a number, a text, and a second person who approves it. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { toScope } from '../../core/timing-draft.js';
import { lengthText, parseLength } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';
import { Checking } from './effect.js';
import { ScopePicker } from './scope.js';
import { useWords } from './words.js';

/** @param {{view: any}} props */
export function Decisions({ view }) {
  const { t } = useApp();
  if (view.decisions.length === 0) return html`<p class="soft timing-none">${t('timing.decisions.none')}</p>`;
  return html`<ul class="proposals">
    ${[...view.decisions].reverse().map((/** @type {any} */ one) => html`<${Decision} key=${one.id} one=${one} view=${view} />`)}
  </ul>`;
}

/** @param {{one: any, view: any}} props */
function Decision({ one, view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const [sure, setSure] = useState(/** @type {'approve' | 'withdraw' | null} */ (null));
  const staff = desk.staff.value;
  const may = staff?.may.includes('time-decide') ?? false;
  const own = one.proposed_by_username === staff?.username;
  const waits = one.state === 'proposed';
  const at = `decision ${one.id}`;
  const send = async (/** @type {'approve' | 'withdraw'} */ how) => {
    setSure(null);
    await timing.decide(at, `/time/decisions/${one.id}/${how}`, {}, `timing.decision.${how}`);
  };
  const button = (/** @type {'approve' | 'withdraw'} */ how) =>
    sure === how
      ? html`<button class="button button-primary" onClick=${() => void send(how)} onBlur=${() => setSure(null)}>
          ${t('timing.decision.sure', { what: t(`timing.decision.${how}`), number: one.number, whom: words.whom(one) })}
        </button>`
      : html`<button class="button" aria-disabled=${desk.busy.value ? 'true' : null} onClick=${() => setSure(how)}>${t(`timing.decision.${how}`)}</button>`;
  return html`<li class="proposal" data-state=${one.state}>
    <div class="proposal-what">
      <strong>${t(`timing.decision.${one.kind}`)} ${one.number}</strong> ${words.whom(one)}
      <span class="aside-tag" data-state=${one.state === 'approved' ? 'adopted' : null}>${t(`timing.decision.state.${one.state}`)}</span>
      <span class="proposal-more">
        ${one.limit_ms ? html`<span>${t('timing.decision.limit')} <span class="number">${lengthText(one.limit_ms)}</span></span>` : null}
        <span>${one.text}</span>
        <span class="soft">
          ${t('timing.decision.by', { name: one.proposed_by ?? '' })}${one.approved_by ? ` · ${t('timing.decision.approvedBy', { name: one.approved_by })}` : ''}
        </span>
      </span>
    </div>
    ${may && waits
      ? html`<div class="aside-buttons">
          ${own ? html`<span class="soft decision-other">${t('timing.decision.other')}</span>` : button('approve')} ${button('withdraw')}
        </div>`
      : null}
    <${Outcome} at=${[at]} />
  </li>`;
}

/** The proposal to lift it. @param {{view: any, onDone: () => void}} props */
export function Lift({ view, onDone }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [number, setNumber] = useState('');
  const [text, setText] = useState('');
  const [limit, setLimit] = useState('');
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const scope = toScope(timing.draft.value, view.session.id);
  const first = () => {
    if (scope === null) return timing.draft.value.scope;
    if (number.trim() === '') return 'number';
    if (text.trim() === '') return 'text';
    return parseLength(limit) === null ? 'limit' : null;
  };
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(first());
    if (first() !== null || desk.busy.value !== null) return;
    const body = { kind: 'lift-cap', scope, number: number.trim(), text: text.trim(), limit_ms: parseLength(limit) };
    if (await timing.decide('lift', '/time/decisions', body, 'timing.decision.lift-cap')) onDone();
  };
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <p class="decide-hint soft">${t('timing.lift.hint')}</p>
    <${ScopePicker} view=${view} />
    <div class="decide-fields">
      <${Line} name="number" value=${number} most=${60} onInput=${setNumber} />
      <${Line} name="text" value=${text} most=${1000} onInput=${setText} />
      <${Line} name="limit" value=${limit} most=${10} onInput=${setLimit} hint=${t('timing.lift.limit.hint')} />
    </div>
    <div class="outcome" aria-live="polite">
      ${lacks !== null && lacks === first() ? html`<p class="note note-warn">${t(`timing.lacks.${lacks}`)}</p>` : null}
    </div>
    <${Checking} at="timing" />
    <${Outcome} at=${['lift']} />
    <button class="button button-primary button-large button-wide" aria-disabled=${desk.busy.value ? 'true' : null}>
      ${t('timing.lift.submit')}
    </button>
  </form>`;
}

/** @param {{name: string, value: string, most: number, onInput: (value: string) => void, hint?: string}} props */
export function Line({ name, value, most, onInput, hint = '' }) {
  const { t } = useApp();
  return html`<label class="decide-field">
    <span>${t(`timing.field.${name}`)}</span>
    <input
      class="move-field" name=${name} value=${value} maxlength=${most} placeholder=${hint} autocomplete="off"
      onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
    />
  </label>`;
}
