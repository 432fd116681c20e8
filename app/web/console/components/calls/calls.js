/** In an emergency: stop the room, the building, everything; call the roll; let go on who can. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { WHY, stopped } from '../../core/calls.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from '../panel/panel.js';
import { Roll } from './roll.js';

/** @typedef {import('../../core/room.js').Picture} Picture */
/** @typedef {{picture: Picture, may: (action: string) => boolean}} Props */

/** The action that reaches so far. */
const REACH = /** @type {const} */ ([
  ['room', 'time-pause-room'],
  ['building', 'time-pause-building'],
  ['site', 'time-decide'],
]);

/** @param {Props} props */
export function Calls({ picture, may }) {
  const { desk, t } = useApp();
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  useLayoutEffect(() => {
    const onKey = (/** @type {KeyboardEvent} */ event) => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      const inside = document.activeElement?.closest('.panel');
      desk.calls.open.value = false;
      // The keyboard goes on where it came from.
      if (inside) /** @type {HTMLElement | null} */ (document.querySelector('button[data-alarm]'))?.focus();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
  return html`<aside class="panel calls" aria-labelledby="calls-title">
    <header class="panel-head">
      <h2 id="calls-title" tabindex="-1" ref=${heading}>${t('calls.title')}</h2>
      <button
        class="button button-quiet panel-close" aria-label=${t('panel.close')}
        onClick=${() => (desk.calls.open.value = false)}
      >
        <${Icon} name="close" size=${18} />
      </button>
    </header>
    ${may('time-pause-room') || may('time-decide')
      ? html`<${Halt} picture=${picture} may=${may} />`
      : null}
    <${Roll} picture=${picture} may=${may('roll-call')} />
    ${may('time-pause-room') || may('time-decide') ? html`<${GoOn} picture=${picture} may=${may} />` : null}
  </aside>`;
}

/** @param {Props} props */
function reaches({ picture, may }) {
  const { state } = picture.clock;
  const decides = may('time-decide');
  return state === 'planned' ? [] : REACH.filter(([, action]) => decides || may(action)).map(([reach]) => reach);
}

/** @param {Props} props */
function Halt(props) {
  const { desk, i18n, t } = useApp();
  const { picture } = props;
  const [reason, setReason] = useState('fire');
  const [note, setNote] = useState('');
  const busy = desk.busy.value !== null;
  const lacks = reason === 'other' && note.trim() === '';
  const told = desk.calls.told.value;
  const name = { room: picture.room.name, building: picture.room.building, site: '' };
  return html`<section class="calls-part" aria-label=${t('halt.title')}>
    <h3>${t('halt.title')}</h3>
    <div class="move-why">
      <label for="halt-why">${t('halt.why')}</label>
      <select
        class="move-field" id="halt-why" value=${reason}
        onChange=${(/** @type {any} */ event) => setReason(event.target.value)}
      >
        ${WHY.map((one) => html`<option key=${one} value=${one}>${t(`halt.why.${one}`)}</option>`)}
      </select>
      <label for="halt-note">${t('move.note')}</label>
      <input
        class="move-field" id="halt-note" maxlength="200" value=${note}
        placeholder=${t(lacks ? 'halt.note.needed' : 'move.note.hint')}
        onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
      />
    </div>
    ${reaches(props).map(
      (reach) => html`<button
        class="button button-large button-wide calls-stop" key=${reach} data-reach=${reach}
        aria-disabled=${busy || lacks ? 'true' : null}
        onClick=${() => {
          if (!lacks) void desk.calls.pause(reach, reason, note.trim());
        }}
      >
        <${Icon} name="paused" size=${18} /> ${t(`halt.${reach}`, { name: name[reach] })}
      </button>`,
    )}
    <p class="panel-hint soft">${t('halt.hint')}</p>
    ${told
      ? html`<p class="note" role="status">
          <strong>${t(`halt.told.${told.how}`)}</strong> ${i18n.language.value === 'en' ? told.en : told.zh}
          ${told.stay > 0 ? html`<br />${t('halt.stay', { n: told.stay })}` : null}
        </p>`
      : null}
    <${Outcome} at=${['halt']} />
  </section>`;
}

/** Who stands still goes on, except who is named. @param {Props} props */
function GoOn(props) {
  const { desk, t } = useApp();
  const { picture } = props;
  const [stay, setStay] = useState(/** @type {string[]} */ ([]));
  const [note, setNote] = useState('');
  const still = stopped(picture);
  const busy = desk.busy.value !== null ? 'true' : null;
  if (still.length === 0) return null;
  const kept = still.flatMap(({ occupant }) =>
    occupant?.attempt_id && stay.includes(occupant.attempt_id) ? [occupant.attempt_id] : [],
  );
  const toggle = (/** @type {string} */ attempt) =>
    setStay(stay.includes(attempt) ? stay.filter((one) => one !== attempt) : [...stay, attempt]);
  return html`<section class="calls-part" aria-label=${t('goOn.title')}>
    <h3>${t('goOn.title')} <span class="soft">${t('goOn.count', { n: still.length })}</span></h3>
    <details class="calls-but">
      <summary>${t('goOn.but')}</summary>
      <p class="panel-hint soft">${t('goOn.hint')}</p>
      <ul class="calls-people">
        ${still.map((seat) => {
          const attempt = seat.occupant?.attempt_id;
          if (!attempt) return null;
          return html`<li key=${seat.seat_id}>
            <label class="calls-check">
              <input type="checkbox" checked=${stay.includes(attempt)} onChange=${() => toggle(attempt)} />
              <span class="number calls-seat">${seat.label}</span> <span>${seat.occupant?.name}</span>
              ${stay.includes(attempt) ? html`<strong class="calls-stay">${t('goOn.stays')}</strong>` : null}
            </label>
          </li>`;
        })}
      </ul>
    </details>
    ${kept.length > 0
      ? html`<label for="go-on-note">${t('goOn.why')}</label>
          <input
            class="move-field" id="go-on-note" maxlength="200" value=${note} placeholder=${t('move.note.hint')}
            onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
          />`
      : null}
    ${reaches(props).map(
      (reach) => html`<button
        class=${`button button-wide ${reach === 'room' ? 'button-primary button-large' : ''}`} key=${reach}
        aria-disabled=${busy}
        onClick=${async () => {
          if (await desk.calls.resume(reach, kept, note.trim())) setStay([]);
        }}
      >
        ${t(reach === 'room' && kept.length > 0 ? 'goOn.room.but' : `goOn.${reach}`, { n: kept.length })}
      </button>`,
    )}
  </section>`;
}
