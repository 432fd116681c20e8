/**
 * The next decision: put together, its effect looked at, confirmed. What was confirmed is told where it was asked for.
 *
 * @typedef {import('../../core/timing-view.js').View} View
 */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { ACTIONS, missing, needs, toAction, wantsNote, withAction } from '../../core/timing-draft.js';
import { lifted, nearOf } from '../../core/timing-view.js';
import { Lift } from './decisions.js';
import { Checking, Effect, Told } from './effect.js';
import { Choice, Lacks, SelectField, TextField } from './field.js';
import { Rounds } from './rounds.js';
import { ScopePicker } from './scope.js';
import { AT } from './timing.js';
import { useWhom, useWords } from './words.js';

/** @param {{view: View}} props */
export function Decide({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [mode, setMode] = useState('time');
  const may = desk.staff.value?.may ?? [];
  if (!may.includes('time-decide')) return null;
  const asked = timing.asking.value;
  const lift = () => {
    timing.unask();
    setMode('lift');
  };
  if (asked !== null && asked.at === AT) {
    const bare = asked.body.decision === undefined;
    return html`<aside class="decide" aria-label=${t('timing.decide')}>
      <${Effect} at=${AT} zone=${view.session.timezone} onLift=${bare ? lift : null} />
    </aside>`;
  }
  const modes = ['time', ...(may.includes('rounds-decide') ? ['rounds'] : []), 'lift'];
  return html`<aside class="decide" aria-label=${t('timing.decide')}>
    <${Told} />
    <${Choice}
      name="mode" value=${mode} onChange=${setMode}
      options=${modes.map((value) => ({ value, words: t(`timing.mode.${value}`) }))}
    />
    ${mode === 'time' ? html`<${ActionForm} view=${view} onLift=${lift} />` : null}
    ${mode === 'rounds' ? html`<${Rounds} view=${view} />` : null}
    ${mode === 'lift' ? html`<${Lift} view=${view} onDone=${() => setMode('time')} />` : null}
  </aside>`;
}

/** @param {{view: View, onLift: () => void}} props */
function ActionForm({ view, onLift }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const draft = timing.draft.value;
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const where = { session: view.session.id, zone: view.session.timezone, near: nearOf(view) };
  const { whom } = useWhom(view);
  const what = needs(draft);
  const now = missing(draft, where);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now);
    if (now !== null) {
      /** @type {HTMLElement | null} */ (document.querySelector(`.decide [name="${now}"]`))?.focus();
      return;
    }
    void timing.ask({
      at: AT, path: '/time/preview', to: '/time/actions', body: toAction(draft, where),
      words: `timing.do.${draft.action}`, whom: () => whom(draft),
    });
  };
  // What must be filled in stands above the map of rooms, which fills the rest of a small screen.
  const required = [
    what === 'length' ? html`<${Field} key="length" name="length" hint=${t('timing.length.hint')} />` : null,
    what === 'interval' ? html`<${Field} key="from" name="from" hint=${t('timing.from.hint')} />` : null,
    what === 'interval' ? html`<${Field} key="to" name="to" hint=${t('timing.from.hint')} />` : null,
    draft.action === 'resume' ? null : html`<${Reason} key="reason" view=${view} />`,
    wantsNote(draft) ? html`<${Field} key="note" name="note" hint=${t('timing.note.needed')} most=${200} />` : null,
  ].filter(Boolean);
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <fieldset>
      <legend>${t('timing.what')}</legend>
      <${Choice}
        name="action" value=${draft.action}
        options=${ACTIONS.map((value) => ({ value, words: t(`timing.do.${value}`) }))}
        onChange=${(/** @type {any} */ action) => timing.edit(withAction(draft, action))}
      />
      <p class="decide-hint soft">${t(`timing.do.${draft.action}.hint`)}</p>
    </fieldset>
    ${required.length > 0 ? html`<div class="decide-fields">${required}</div>` : null}
    <${ScopePicker} view=${view} />
    <div class="decide-fields">
      ${draft.action === 'pause' ? html`<${Field} name="from" hint=${t('timing.from.now')} />` : null}
      ${wantsNote(draft) ? null : html`<${Field} name="note" hint=${t('move.note.hint')} most=${200} />`}
      <${Field} name="incident" hint=${t('move.note.hint')} most=${200} />
      <${Rests} view=${view} />
    </div>
    <${Lacks} words=${lacks !== null && lacks === now ? t(`timing.lacks.${lacks}`) : null} />
    <${Checking} at=${AT} onLift=${onLift} />
    <button
      class="button button-primary button-large button-wide" aria-disabled=${timing.checking.value ? 'true' : null}
    >
      ${t('timing.look')}
    </button>
  </form>`;
}

/** @param {{name: 'length' | 'from' | 'to' | 'note' | 'incident', hint: string, most?: number}} props */
function Field({ name, hint, most = 10 }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  return html`<${TextField}
    name=${name} label=${t(`timing.field.${name}`)} value=${timing.draft.value[name]} hint=${hint} most=${most}
    digits=${most === 10} onInput=${(/** @type {string} */ value) => timing.edit({ [name]: value })}
  />`;
}

/** @param {{view: View}} props */
function Reason({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  const known = view.reasons.filter(({ automatic }) => !automatic);
  return html`<${SelectField}
    name="reason" label=${t('timing.field.reason')} value=${timing.draft.value.reason}
    onChange=${(/** @type {string} */ reason) => timing.edit({ reason })}
    options=${[
      { value: '', words: t('timing.reason.choose') },
      ...known.map((one) => ({ value: one.code, words: words.said(one) })),
    ]}
  />`;
}

/** On which recorded decision it rests, where one has lifted the cap. @param {{view: View}} props */
function Rests({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const some = lifted(view);
  if (some.length === 0) return null;
  return html`<${SelectField}
    name="decision" label=${t('timing.field.decision')} value=${String(timing.draft.value.decision ?? '')}
    onChange=${(/** @type {string} */ value) => timing.edit({ decision: value === '' ? null : Number(value) })}
    options=${[
      { value: '', words: t('timing.decision.none') },
      ...some.map(({ id, number }) => ({ value: String(id), words: number })),
    ]}
  />`;
}
