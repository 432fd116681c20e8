/** The next decision: put together, its effect looked at, confirmed. What was confirmed is told where it was asked for. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { ACTIONS, missing, needs, takesFrom, toAction, wantsNote } from '../../core/timing-draft.js';
import { Lift } from './decisions.js';
import { Checking, Effect, Told } from './effect.js';
import { Rounds } from './rounds.js';
import { Choice, ScopePicker } from './scope.js';
import { AT } from './timing.js';
import { reasonsOf, useWhom, useWords } from './words.js';

/** @param {{view: any}} props */
export function Decide({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [mode, setMode] = useState('time');
  const may = desk.staff.value?.may ?? [];
  const zone = view.session.timezone;
  if (!may.includes('time-decide')) return null;
  const asked = timing.asking.value;
  const lift = () => {
    timing.unask();
    setMode('lift');
  };
  if (asked !== null && asked.at === AT) {
    return html`<aside class="decide" aria-label=${t('timing.decide')}>
      <${Effect} at=${AT} zone=${zone} onLift=${asked.body.decision === undefined ? lift : null} />
    </aside>`;
  }
  const modes = ['time', ...(may.includes('rounds-decide') ? ['rounds'] : []), 'lift'];
  return html`<aside class="decide" aria-label=${t('timing.decide')}>
    <${Told} />
    <${Choice}
      name="mode" options=${modes.map((one) => ({ value: one, words: t(`timing.mode.${one}`) }))} value=${mode} onChange=${setMode}
    />
    ${mode === 'time' ? html`<${ActionForm} view=${view} onLift=${lift} />` : null}
    ${mode === 'rounds' ? html`<${Rounds} view=${view} />` : null}
    ${mode === 'lift' ? html`<${Lift} view=${view} onDone=${() => setMode('time')} />` : null}
  </aside>`;
}

/** @param {{view: any, onLift: () => void}} props */
function ActionForm({ view, onLift }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const draft = timing.draft.value;
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const where = { session: view.session.id, zone: view.session.timezone, near: view.actual?.start_at ?? view.planned?.start_at ?? view.now_at };
  const what = needs(draft);
  const { whom } = useWhom(view);
  const edit = timing.edit;
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const first = missing(draft, where);
    setLacks(first);
    if (first !== null) {
      /** @type {HTMLElement | null} */ (document.querySelector(`.decide [name="${first}"]`))?.focus();
      return;
    }
    const words = `timing.do.${draft.action}`;
    void timing.ask({ at: AT, path: '/time/preview', to: '/time/actions', body: toAction(draft, where), words, whom: whom(draft) });
  };
  const now = missing(draft, where);
  return html`<form class="decide-form" onSubmit=${submit} novalidate>
    <fieldset>
      <legend>${t('timing.what')}</legend>
      <${Choice}
        name="action" options=${ACTIONS.map((one) => ({ value: one, words: t(`timing.do.${one}`) }))} value=${draft.action}
        onChange=${(/** @type {any} */ action) => edit({ action, entry: null })}
      />
      <p class="decide-hint soft">${t(`timing.do.${draft.action}.hint`)}</p>
    </fieldset>
    <${ScopePicker} view=${view} />
    <div class="decide-fields">
      ${what === 'length' ? html`<${Field} name="length" hint=${t('timing.length.hint')} />` : null}
      ${takesFrom(draft) ? html`<${Field} name="from" hint=${t(draft.action === 'pause' ? 'timing.from.now' : 'timing.from.hint')} />` : null}
      ${what === 'interval' ? html`<${Field} name="to" hint=${t('timing.from.hint')} />` : null}
      ${draft.action === 'resume' ? null : html`<${Reason} view=${view} />`}
      <${Field} name="note" hint=${wantsNote(draft) ? t('timing.note.needed') : t('move.note.hint')} most=${200} />
      <${Field} name="incident" hint=${t('move.note.hint')} most=${100} />
      <${Lifted} view=${view} />
    </div>
    <div class="outcome" aria-live="polite">
      ${lacks !== null && lacks === now ? html`<p class="note note-warn">${t(`timing.lacks.${lacks}`)}</p>` : null}
    </div>
    <${Checking} at=${AT} onLift=${onLift} />
    <button class="button button-primary button-large button-wide" aria-disabled=${timing.checking.value ? 'true' : null}>
      ${t('timing.look')}
    </button>
  </form>`;
}

/** @param {{name: 'length' | 'from' | 'to' | 'note' | 'incident', hint: string, most?: number}} props */
export function Field({ name, hint, most = 20 }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  return html`<label class="decide-field">
    <span>${t(`timing.field.${name}`)}</span>
    <input
      class=${`move-field${most === 20 ? ' number' : ''}`} name=${name} value=${timing.draft.value[name]} placeholder=${hint}
      maxlength=${most} autocomplete="off" spellcheck=${false}
      onInput=${(/** @type {any} */ event) => timing.edit({ [name]: event.target.value })}
    />
  </label>`;
}

/** @param {{view: any}} props */
export function Reason({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const words = useWords(view);
  return html`<label class="decide-field">
    <span>${t('timing.field.reason')}</span>
    <select
      class="move-field" name="reason" value=${timing.draft.value.reason}
      onChange=${(/** @type {any} */ event) => timing.edit({ reason: event.target.value })}
    >
      <option value="">${t('timing.reason.choose')}</option>
      ${reasonsOf(view).filter((one) => !one.automatic).map(
        (one) => html`<option key=${one.code} value=${one.code}>${words.said(one)}</option>`,
      )}
    </select>
  </label>`;
}

/** On which recorded decision it rests, where one has lifted the cap. @param {{view: any}} props */
function Lifted({ view }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const some = view.decisions.filter((/** @type {any} */ one) => one.kind === 'lift-cap' && one.state === 'approved');
  if (some.length === 0) return null;
  return html`<label class="decide-field">
    <span>${t('timing.field.decision')}</span>
    <select
      class="move-field" name="decision" value=${String(timing.draft.value.decision ?? '')}
      onChange=${(/** @type {any} */ event) => timing.edit({ decision: event.target.value === '' ? null : Number(event.target.value) })}
    >
      <option value="">${t('timing.decision.none')}</option>
      ${some.map((/** @type {any} */ one) => html`<option key=${one.id} value=${String(one.id)}>${one.number}</option>`)}
    </select>
  </label>`;
}
