/**
 * What is left when an hour does not mend it: exchange two sessions, move rooms or candidates to another one, defer,
 * and allocate those who were deferred. Extending beyond the cap is a time decision that rests on a recorded one
 * (`decisions.js`).
 *
 * @typedef {import('../../core/timing-view.js').View} View
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { toScope } from '../../core/timing-draft.js';
import { Checking } from './effect.js';
import { Choice, Lacks, SelectField, TextField } from './field.js';
import { ScopePicker } from './scope.js';
import { AT } from './timing.js';
import { useWhom } from './words.js';

const KINDS = ['swap', 'move', 'defer', 'allocate'];

/** @param {{view: View}} props */
export function Rounds({ view }) {
  const { desk, t } = useApp();
  const { timing, sessions } = desk;
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const { whom } = useWhom(view);
  const draft = timing.draft.value;
  // With the draft, not here: who thinks it over finds everything as it was typed.
  const { kind, ...fields } = timing.rounds.value;
  const here = sessions.value.find(({ id }) => id === view.session.id);
  const others = sessions.value.filter(({ id, exam_id: exam }) => id !== view.session.id && exam === here?.exam_id);
  const scope = toScope(draft, view.session.id);
  const now = () => {
    if (kind !== 'swap' && scope === null) return draft.scope;
    if (kind !== 'defer' && fields.other === '') return 'other';
    if (fields.number.trim() === '') return 'number';
    return fields.text.trim() === '' ? 'text' : null;
  };
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now());
    if (now() !== null) return;
    const other = Number(fields.other);
    /** @type {Record<string, Record<string, unknown>>} */
    const about = {
      swap: { session: view.session.id, with_session: other }, defer: { scope },
      move: { scope, to_session: other }, allocate: { scope, to_session: other },
    };
    void timing.ask({
      at: AT, path: '/rounds/preview', to: '/rounds/actions', words: `timing.do.${kind}`,
      whom: kind === 'swap' ? undefined : () => whom(draft),
      body: { kind, ...about[kind], number: fields.number.trim(), text: fields.text.trim() },
    });
  };
  const edit = (/** @type {string} */ name) => (/** @type {string} */ value) => timing.editRounds({ [name]: value });
  const named = (/** @type {typeof others[0]} */ { id, name, state }) => {
    return { value: String(id), words: `${name} · ${t(`session.${state}`)}` };
  };
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <fieldset>
      <legend>${t('timing.what')}</legend>
      <${Choice}
        name="round" value=${kind} onChange=${edit('kind')}
        options=${KINDS.map((value) => ({ value, words: t(`timing.do.${value}`) }))}
      />
      <p class="decide-hint soft">${t(`timing.do.${kind}.hint`)}</p>
    </fieldset>
    ${kind === 'swap' ? null : html`<${ScopePicker} view=${view} />`}
    <div class="decide-fields">
      ${kind === 'defer'
        ? null
        : html`<${SelectField}
            name="other" label=${t(kind === 'swap' ? 'timing.field.with' : 'timing.field.other')} value=${fields.other}
            onChange=${edit('other')} options=${[{ value: '', words: t('timing.reason.choose') }, ...others.map(named)]}
          />`}
      <${TextField}
        name="number" label=${t('timing.field.number')} value=${fields.number} onInput=${edit('number')}
      />
      <${TextField}
        name="text" label=${t('timing.field.text')} value=${fields.text} onInput=${edit('text')} most=${2000}
      />
    </div>
    <${Lacks} words=${lacks !== null && lacks === now() ? t(`timing.lacks.${lacks}`) : null} />
    <${Checking} at=${AT} />
    <button
      class="button button-primary button-large button-wide" aria-disabled=${timing.checking.value ? 'true' : null}
    >
      ${t('timing.look')}
    </button>
  </form>`;
}
