/** The room accounts for its session: the numbers, who is missing, the signature, the release, and who watches. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, useSince } from '../../app.js';
import { digits, minutesAgo, trusted } from '../../core/room.js';
import { Icon } from '../icons/icons.js';
import { Outcome } from '../panel/panel.js';
import { ByTelephone } from '../telephone/telephone.js';
import { Duty } from './duty.js';

/** @typedef {{picture: import('../../core/room.js').Picture, may: (action: string) => boolean}} Props */

/** Who has an attempt that is open. */
const AT_WORK = new Set(['waiting', 'answering', 'on_leave', 'paused', 'silent']);

/** @param {Props} props */
export function RoomRecord({ picture, may }) {
  const { desk, t } = useApp();
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  const { numbers } = picture;
  return html`<aside class="panel" aria-labelledby="record-title">
    <header class="panel-head">
      <h2 id="record-title" tabindex="-1" ref=${heading}>${t('record.title')}</h2>
      <button
        class="button button-quiet panel-close" aria-label=${t('panel.close')}
        onClick=${() => (desk.door.record.value = false)}
      >
        <${Icon} name="close" size=${18} />
      </button>
    </header>
    <p class="record-sum" data-settled=${numbers.unaccounted === 0 ? 'yes' : null}>
      <span><strong class="number">${numbers.expected}</strong> ${t('record.expected')}</span>
      <span aria-hidden="true">=</span>
      <span><strong class="number">${numbers.present}</strong> ${t('record.present')}</span>
      <span aria-hidden="true">+</span>
      <span><strong class="number">${numbers.absent}</strong> ${t('record.absent')}</span>
      ${numbers.deferred > 0
        ? html`<span class="record-deferred"><${Icon} name="deferred" size=${16} /> ${t('record.deferred', { n: numbers.deferred })}</span>`
        : null}
      ${numbers.unaccounted > 0
        ? html`<span class="record-open">${t('record.unaccounted', { n: numbers.unaccounted })}</span>`
        : null}
    </p>
    <${Times} picture=${picture} />
    <ol class="record-steps">
      <${AbsentStep} picture=${picture} may=${may} />
      <${SignStep} picture=${picture} may=${may} />
      <${ReleaseStep} picture=${picture} may=${may} />
    </ol>
    <${ByTelephone} />
    ${may('manage-duty') ? html`<${Duty} key=${picture.room.id} />` : null}
  </aside>`;
}

/** When the door opens and closes. @param {{picture: Props['picture']}} props */
function Times({ picture }) {
  const { t } = useApp();
  const since = trusted(useSince());
  const rows = /** @type {const} */ ([
    ['record.opens', picture.door.opens_in_ms],
    ['record.last', picture.door.last_admission_in_ms],
    ['record.handIn', picture.door.hand_in_in_ms],
  ]);
  return html`<dl class="panel-facts">
    ${rows.map(([key, ms]) => {
      const left = ms === null ? null : ms - since;
      return html`<div key=${key}>
        <dt>${t(key)}</dt>
        <dd class="number">
          ${left === null ? t('record.unset') : left > 0 ? t('record.in', { time: digits(left) }) : t('record.passed')}
        </dd>
      </div>`;
    })}
  </dl>`;
}

/** @param {{done: {by: string, ms: number} | null, title: string, picture: Props['picture'], children?: any}} props */
function Step({ done, title, picture, children }) {
  const { t } = useApp();
  return html`<li class="record-step" data-done=${done ? 'yes' : null}>
    <h3>
      <${Icon} name=${done ? 'handed_in' : 'not_arrived'} size=${18} /> ${title}
      ${done
        ? html`<span class="record-by">
            ${t('record.by', { name: done.by, ago: t('ago.minutes', { n: minutesAgo(picture.clock, done.ms) }) })}
          </span>`
        : null}
    </h3>
    ${children}
  </li>`;
}

/** @param {Props} props */
function AbsentStep({ picture, may }) {
  const { desk, t } = useApp();
  const { absent_due: due, record, numbers } = picture;
  const busy = desk.busy.value !== null ? 'true' : null;
  const due_seats = picture.seats.filter((seat) => seat.occupant && due.includes(seat.occupant.ticket));
  const all = numbers.unaccounted === 0;
  return html`<${Step} done=${all ? record.absent_confirmed : null} title=${t('record.absent.title')} picture=${picture}>
    ${due_seats.length > 0
      ? html`<ul class="record-names">
            ${due_seats.map(
              (seat) => html`<li key=${seat.seat_id}>
                <span class="number">${seat.label}</span> <span>${seat.occupant?.name}</span>
                <span class="soft number">${seat.occupant?.ticket}</span>
              </li>`,
            )}
          </ul>
          ${may('confirm-absent')
            ? html`<button
                class="button button-primary button-wide" aria-disabled=${busy}
                onClick=${() => void desk.door.confirmAbsent(due)}
              >
                ${t('record.absent.confirm', { n: due_seats.length })}
              </button>`
            : null}`
      : html`<p class="soft">
          ${t(all ? (numbers.absent > 0 ? 'record.absent.done' : 'record.absent.none') : 'record.absent.early', {
            n: numbers.unaccounted,
          })}
        </p>`}
    <${Outcome} at=${['absent']} />
  <//>`;
}

/**
 * Whether the room is not any more as it was signed.
 *
 * @param {import('../../core/room.js').Numbers} signed
 * @param {import('../../core/room.js').Numbers} now
 */
function moved(signed, now) {
  return signed.expected !== now.expected || signed.present !== now.present || signed.absent !== now.absent;
}

/** @param {Props} props */
function SignStep({ picture, may }) {
  const { desk, t } = useApp();
  const [remarks, setRemarks] = useState('');
  const [undoing, setUndoing] = useState(false);
  const [reason, setReason] = useState('');
  const { numbers, record } = picture;
  const busy = desk.busy.value !== null;
  if (record.signed) {
    return html`<${Step} done=${record.signed} title=${t('record.sign.title')} picture=${picture}>
      ${record.remarks ? html`<p>${record.remarks}</p>` : null}
      ${moved(record.signed.numbers, numbers)
        ? html`<p class="note note-warn" role="status">
            ${t('record.sign.moved', { ...record.signed.numbers, now: t('record.numbers', numbers) })}
          </p>`
        : null}
      ${!may('sign-off-room') || (record.released && !(may('release-room') && may('time-decide')))
        ? null
        : undoing
          ? html`<form
              class="move"
              onSubmit=${async (/** @type {Event} */ event) => {
                event.preventDefault();
                if (reason.trim() !== '' && (await desk.door.reopen(reason.trim()))) setUndoing(false);
              }}
            >
              <label for="reopen-reason">${t('record.reopen.reason')}</label>
              <input
                class="move-field" id="reopen-reason" maxlength="200" value=${reason}
                onInput=${(/** @type {any} */ event) => setReason(event.target.value)}
              />
              <div class="move-buttons">
                <button class="button button-primary" aria-disabled=${busy || reason.trim() === '' ? 'true' : null}>
                  ${t('record.reopen.confirm')}
                </button>
                <button class="button" type="button" onClick=${() => setUndoing(false)}>${t('move.cancel')}</button>
              </div>
            </form>`
          : html`<button class="button" onClick=${() => setUndoing(true)}>
              ${t(record.released ? 'record.reopen.released' : 'record.reopen')}
            </button>`}
      <${Outcome} at=${['sign-off']} />
    <//>`;
  }
  const ready = numbers.unaccounted === 0;
  return html`<${Step} done=${null} title=${t('record.sign.title')} picture=${picture}>
    ${!may('sign-off-room')
      ? null
      : ready
        ? html`<label for="remarks">${t('record.remarks')}</label>
            <textarea
              class="move-field record-remarks" id="remarks" rows="2" maxlength="2000" value=${remarks}
              placeholder=${t('record.remarks.hint')}
              onInput=${(/** @type {any} */ event) => setRemarks(event.target.value)}
            ></textarea>
            <button
              class="button button-primary button-wide" aria-disabled=${busy ? 'true' : null}
              onClick=${() => void desk.door.signOff(numbers, remarks.trim())}
            >
              ${t('record.sign', numbers)}
            </button>`
        : html`<p class="soft">${t('record.sign.wait', { n: numbers.unaccounted })}</p>`}
    <${Outcome} at=${['sign-off']} />
  <//>`;
}

/** @param {Props} props */
function ReleaseStep({ picture, may }) {
  const { desk, t } = useApp();
  const { record } = picture;
  const busy = desk.busy.value !== null ? 'true' : null;
  // Opened again by the office, or moved in, since the room was released.
  const working = picture.seats.filter((seat) => seat.occupant && AT_WORK.has(seat.occupant.state)).length;
  return html`<${Step} done=${record.released} title=${t('record.release.title')} picture=${picture}>
    ${record.released
      ? working > 0
        ? html`<p class="note note-warn" role="status">${t('record.release.working', { n: working })}</p>`
        : null
      : !record.signed
        ? html`<p class="soft">${t('record.release.wait')}</p>`
        : may('release-room')
          ? html`<button
              class="button button-primary button-wide" aria-disabled=${busy} onClick=${() => void desk.door.release()}
            >
              ${t('record.release')}
            </button>`
          : html`<p class="soft">${t('record.release.chief')}</p>`}
    <${Outcome} at=${['release']} />
  <//>`;
}
