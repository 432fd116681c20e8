/**
 * What is left when an hour does not mend it: exchange two sessions, move rooms or candidates to another one, defer, and
 * allocate those who were deferred.
 * Extending beyond the cap is a time decision on a recorded one (`decisions.js`).
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { toScope } from '../../core/timing-draft.js';
import { Line } from './decisions.js';
import { Checking } from './effect.js';
import { Choice, ScopePicker } from './scope.js';
import { AT } from './timing.js';
import { useWhom } from './words.js';

const KINDS = ['swap', 'move', 'defer', 'allocate'];

/** @param {{view: any}} props */
export function Rounds({ view }) {
  const { desk, t } = useApp();
  const { timing, sessions } = desk;
  const [kind, setKind] = useState('move');
  const [other, setOther] = useState('');
  const [number, setNumber] = useState('');
  const [text, setText] = useState('');
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const here = sessions.value.find(({ id }) => id === view.session.id);
  const others = sessions.value.filter(({ id, exam_id: exam }) => id !== view.session.id && exam === here?.exam_id);
  const draft = timing.draft.value;
  const { whom } = useWhom(view);
  const scope = kind === 'swap' ? {} : toScope(draft, view.session.id);
  const first = () => {
    if (scope === null) return draft.scope;
    if (kind !== 'defer' && other === '') return 'other';
    if (number.trim() === '') return 'number';
    return text.trim() === '' ? 'text' : null;
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(first());
    if (first() !== null) return;
    /** @type {Record<string, unknown>} */
    const body = { kind, number: number.trim(), text: text.trim() };
    if (kind === 'swap') Object.assign(body, { session: view.session.id, with_session: Number(other) });
    else body.scope = scope;
    if (kind === 'move' || kind === 'allocate') body.to_session = Number(other);
    void timing.ask({ at: AT, path: '/rounds/preview', to: '/rounds/actions', body, words: `timing.do.${kind}`, whom: kind === 'swap' ? '' : whom(draft) });
  };
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <fieldset>
      <legend>${t('timing.what')}</legend>
      <${Choice} name="round" options=${KINDS.map((one) => ({ value: one, words: t(`timing.do.${one}`) }))} value=${kind} onChange=${setKind} />
      <p class="decide-hint soft">${t(`timing.do.${kind}.hint`)}</p>
    </fieldset>
    ${kind === 'swap' ? null : html`<${ScopePicker} view=${view} />`}
    <div class="decide-fields">
      ${kind === 'defer'
        ? null
        : html`<label class="decide-field">
            <span>${t(kind === 'swap' ? 'timing.field.with' : 'timing.field.other')}</span>
            <select class="move-field" name="other" value=${other} onChange=${(/** @type {any} */ event) => setOther(event.target.value)}>
              <option value="">${t('timing.reason.choose')}</option>
              ${others.map(({ id, name, state }) => html`<option key=${id} value=${String(id)}>${name} · ${t(`session.${state}`)}</option>`)}
            </select>
          </label>`}
      <${Line} name="number" value=${number} most=${60} onInput=${setNumber} />
      <${Line} name="text" value=${text} most=${1000} onInput=${setText} />
    </div>
    <div class="outcome" aria-live="polite">
      ${lacks !== null && lacks === first() ? html`<p class="note note-warn">${t(`timing.lacks.${lacks}`)}</p>` : null}
    </div>
    <${Checking} at=${AT} />
    <button class="button button-primary button-large button-wide" aria-disabled=${timing.checking.value ? 'true' : null}>
      ${t('timing.look')}
    </button>
  </form>`;
}
