/**
 * One candidate's time in the room view: what it is made of, pausing and resuming it, and proposing a credit to the
 * office. Each says what it will do before it is confirmed.
 *
 * @typedef {import('../../core/room.js').Occupant} Occupant
 */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { parseWall } from '../../core/wall.js';
import { Checking, Effect, Told } from '../timing/effect.js';
import { Explain } from '../timing/explain.js';

const AT = 'panel-time';
const ENDED = ['handed_in', 'timed_out', 'forced', 'deferred'];
const REASONS = ['medical', 'pc', 'power', 'disturbance', 'other'];

/** @param {{occupant: Occupant, picture: import('../../core/room.js').Picture}} props */
export function Time({ occupant, picture }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const { attempt_id: attempt, state } = occupant;
  const [open, setOpen] = useState(/** @type {'pause' | 'resume' | 'propose' | null} */ (null));
  const may = (/** @type {string} */ action) => desk.staff.value?.may.includes(action) ?? false;
  const zone = picture.room.timezone;
  const asked = timing.asking.value;

  // Another candidate's effect is no longer asked about.
  useEffect(
    () => () => {
      timing.unask();
      if (timing.told.value?.at === AT) timing.told.value = null;
    },
    [attempt],
  );
  if (attempt === null || !may('time-view')) return null;
  if (asked !== null && asked.at === AT) return html`<section class="panel-time"><${Effect} at=${AT} zone=${zone} /></section>`;
  const paused = state === 'paused';
  const ended = ENDED.includes(state);
  const pauses = !ended && may('time-pause-one');
  const proposes = may('time-propose');
  const toggle = (/** @type {'pause' | 'resume' | 'propose'} */ what) => {
    timing.unask();
    timing.told.value = null;
    setOpen(open === what ? null : what);
  };
  return html`<section class="panel-time" aria-label=${t('timing.own')}>
    <${Told} at=${AT} />
    <div class="panel-time-buttons">
      ${pauses
        ? html`<button class="button" aria-expanded=${open === 'pause' || open === 'resume' ? 'true' : 'false'} onClick=${() => toggle(paused ? 'resume' : 'pause')}>
            ${t(paused ? 'timing.one.resume' : 'timing.one.pause')}
          </button>`
        : null}
      ${proposes
        ? html`<button class="button" aria-expanded=${open === 'propose' ? 'true' : 'false'} onClick=${() => toggle('propose')}>${t('timing.one.propose')}</button>`
        : null}
    </div>
    ${open === 'pause' || open === 'resume' ? html`<${Pause} key=${open} attempt=${attempt} how=${open} onDone=${() => setOpen(null)} />` : null}
    ${open === 'propose' ? html`<${Propose} attempt=${attempt} picture=${picture} onDone=${() => setOpen(null)} />` : null}
    <${Explain} attempt=${attempt} />
  </section>`;
}

/** @param {{attempt: string, how: 'pause' | 'resume', onDone: () => void}} props */
function Pause({ attempt, how, onDone }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [reason, setReason] = useState('medical');
  const [note, setNote] = useState('');
  const lacks = how === 'pause' && reason === 'other' && note.trim() === '';
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (lacks) return;
    const scope = { session: desk.sessionId.value, kind: 'candidate', attempt };
    const body = { action: how, scope, reason: how === 'pause' ? reason : '', note: note.trim() };
    void timing.ask({ at: AT, path: '/time/preview', to: '/time/actions', body, words: `timing.do.${how}` });
    onDone();
  };
  return html`<form class="move" onSubmit=${submit}>
    ${how === 'pause' ? html`<${Why} value=${reason} onChange=${setReason} />` : null}
    <${Note} value=${note} onInput=${setNote} needed=${lacks} />
    <${Checking} at=${AT} />
    <button class="button button-primary" aria-disabled=${lacks ? 'true' : null}>${t('timing.look')}</button>
  </form>`;
}

/**
 * From when to when the candidate could not work; the office decides.
 *
 * @param {{attempt: string, picture: import('../../core/room.js').Picture, onDone: () => void}} props
 */
function Propose({ attempt, picture, onDone }) {
  const app = useApp();
  const { desk, t } = app;
  const { timing } = desk;
  const [fields, setFields] = useState({ from: '', to: '', reason: 'pc', note: '' });
  const [tried, setTried] = useState(false);
  const near = picture.session.planned_start;
  const from = parseWall(fields.from, near, picture.room.timezone);
  const to = parseWall(fields.to, near, picture.room.timezone);
  const late = from !== null && to !== null && Date.parse(to) > Date.parse(from);
  const lacks = from === null ? 'from' : !late ? 'to' : fields.note.trim() === '' ? 'note' : null;
  const fault = desk.fault.value?.at === AT ? desk.fault.value.error : null;
  const edit = (/** @type {Partial<typeof fields>} */ change) => setFields({ ...fields, ...change });
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setTried(true);
    if (lacks !== null || desk.busy.value !== null) return;
    const scope = { session: desk.sessionId.value, kind: 'candidate', attempt };
    const body = { scope, from_at: from, to_at: to, reason: fields.reason, note: fields.note.trim() };
    if (await timing.decide(AT, '/time/proposals', body, 'timing.one.proposed')) onDone();
  };
  return html`<form class="move" onSubmit=${submit} novalidate>
    ${['from', 'to'].map(
      (name) => html`<label class="decide-field" key=${name}>
        <span>${t(`timing.field.${name}`)}</span>
        <input
          class="move-field number" name=${name} maxlength="8" value=${fields[/** @type {'from'} */ (name)]}
          placeholder=${t('timing.from.hint')} autocomplete="off"
          onInput=${(/** @type {any} */ event) => edit({ [name]: event.target.value })}
        />
      </label>`,
    )}
    <${Why} value=${fields.reason} onChange=${(/** @type {string} */ reason) => edit({ reason })} />
    <${Note} value=${fields.note} onInput=${(/** @type {string} */ note) => edit({ note })} needed=${fields.note.trim() === ''} />
    ${tried && lacks ? html`<p class="note note-warn" role="alert">${t(`timing.lacks.${lacks}`)}</p>` : null}
    ${fault ? html`<p class="note note-bad" role="alert">${wordsFor(app, fault)}</p>` : null}
    <button class="button button-primary">${t('timing.one.propose.submit')}</button>
  </form>`;
}

/** @param {{value: string, onChange: (value: string) => void}} props */
function Why({ value, onChange }) {
  const { t } = useApp();
  return html`<label class="decide-field">
    <span>${t('timing.field.reason')}</span>
    <select class="move-field" value=${value} onChange=${(/** @type {any} */ event) => onChange(event.target.value)}>
      ${REASONS.map((one) => html`<option key=${one} value=${one}>${t(`timing.reason.${one}`)}</option>`)}
    </select>
  </label>`;
}

/** @param {{value: string, onInput: (value: string) => void, needed: boolean}} props */
function Note({ value, onInput, needed }) {
  const { t } = useApp();
  return html`<label class="decide-field">
    <span>${t('timing.field.note')}</span>
    <input
      class="move-field" maxlength="200" value=${value} placeholder=${t(needed ? 'timing.note.needed' : 'move.note.hint')}
      onInput=${(/** @type {any} */ event) => onInput(event.target.value)}
    />
  </label>`;
}
