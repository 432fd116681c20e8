/**
 * One candidate's time in the room view: what it is made of, pausing and resuming it, and proposing a credit to the
 * office. Each says what it will do before it is confirmed.
 *
 * @typedef {import('../../core/room.js').Occupant} Occupant
 */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { parseWall } from '../../core/wall.js';
import { Checking, Effect, Told } from '../timing/effect.js';
import { Explain } from '../timing/explain.js';
import { Lacks, SelectField, TextField } from '../timing/field.js';
import { Outcome } from './panel.js';

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
  if (asked !== null && asked.at === AT) {
    return html`<section class="panel-time"><${Effect} at=${AT} zone=${zone} /></section>`;
  }
  const how = state === 'paused' ? 'resume' : 'pause';
  const toggle = (/** @type {'pause' | 'resume' | 'propose'} */ what) => {
    timing.unask();
    timing.told.value = null;
    setOpen(open === what ? null : what);
  };
  const button = (/** @type {'pause' | 'resume' | 'propose'} */ what) =>
    html`<button class="button" aria-expanded=${open === what ? 'true' : 'false'} onClick=${() => toggle(what)}>
      ${t(`timing.one.${what}`)}
    </button>`;
  const close = () => setOpen(null);
  return html`<section class="panel-time" aria-label=${t('timing.own')}>
    <${Told} at=${AT} />
    <div class="panel-time-buttons">
      ${!ENDED.includes(state) && may('time-pause-one') ? button(how) : null}
      ${may('time-propose') ? button('propose') : null}
    </div>
    ${open === 'pause' || open === 'resume'
      ? html`<${Pause} key=${open} attempt=${attempt} how=${open} onDone=${close} />`
      : null}
    ${open === 'propose' ? html`<${Propose} attempt=${attempt} picture=${picture} onDone=${close} />` : null}
    <${Checking} at=${AT} />
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
    <button class="button button-primary" aria-disabled=${lacks ? 'true' : null}>${t('timing.look')}</button>
  </form>`;
}

/**
 * From when to when the candidate could not work; the office decides.
 *
 * @param {{attempt: string, picture: import('../../core/room.js').Picture, onDone: () => void}} props
 */
function Propose({ attempt, picture, onDone }) {
  const { desk, t } = useApp();
  const { timing } = desk;
  const [fields, setFields] = useState({ from: '', to: '', reason: 'pc', note: '' });
  const [tried, setTried] = useState(false);
  const near = picture.session.planned_start;
  const from = parseWall(fields.from, near, picture.room.timezone);
  const to = parseWall(fields.to, near, picture.room.timezone);
  const late = from !== null && to !== null && Date.parse(to) > Date.parse(from);
  const note = fields.note.trim();
  const lacks = from === null ? 'from' : !late ? 'to' : note === '' ? 'note' : null;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setTried(true);
    if (lacks !== null || desk.busy.value !== null) return;
    const scope = { session: desk.sessionId.value, kind: 'candidate', attempt };
    const body = { scope, from_at: from, to_at: to, reason: fields.reason, note };
    if (await timing.decide(AT, '/time/proposals', body, 'timing.one.proposed')) onDone();
  };
  const edit = (/** @type {string} */ name) => (/** @type {string} */ value) => setFields({ ...fields, [name]: value });
  const time = (/** @type {'from' | 'to'} */ name) =>
    html`<${TextField}
      name=${name} label=${t(`timing.field.${name}`)} value=${fields[name]} hint=${t('timing.from.hint')} most=${8}
      digits onInput=${edit(name)}
    />`;
  return html`<form class="move" onSubmit=${submit} novalidate>
    ${time('from')} ${time('to')}
    <${Why} value=${fields.reason} onChange=${edit('reason')} />
    <${Note} value=${fields.note} onInput=${edit('note')} needed=${note === ''} />
    <${Lacks} words=${tried && lacks ? t(`timing.lacks.${lacks}`) : null} />
    <${Outcome} at=${[AT]} />
    <button class="button button-primary">${t('timing.one.propose.submit')}</button>
  </form>`;
}

/** @param {{value: string, onChange: (value: string) => void}} props */
function Why({ value, onChange }) {
  const { t } = useApp();
  const options = REASONS.map((one) => ({ value: one, words: t(`timing.reason.${one}`) }));
  return html`<${SelectField}
    name="reason" label=${t('timing.field.reason')} value=${value} onChange=${onChange} options=${options}
  />`;
}

/** @param {{value: string, onInput: (value: string) => void, needed: boolean}} props */
function Note({ value, onInput, needed }) {
  const { t } = useApp();
  return html`<${TextField}
    name="note" label=${t('timing.field.note')} value=${value} onInput=${onInput}
    hint=${t(needed ? 'timing.note.needed' : 'move.note.hint')}
  />`;
}
