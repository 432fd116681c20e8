/**
 * 点名: everybody who is here with their seat, one press for each, and the counts in words. On paper it is the same list,
 * with boxes where nothing was pressed; the rest of the page is not printed.
 */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { present } from '../../core/calls.js';
import { minutesAgo } from '../../core/room.js';
import { Outcome } from '../panel/panel.js';

/** @typedef {import('../../core/room.js').Picture} Picture */

/** @param {{picture: Picture, may: boolean}} props */
export function Roll({ picture, may }) {
  const { desk, t } = useApp();
  const call = picture.roll_call;
  const busy = desk.busy.value !== null ? 'true' : null;
  if (!call) {
    const here = present(picture);
    return html`<section class="calls-part roll" aria-label=${t('roll.title')}>
      <h3>${t('roll.title')}</h3>
      <p class="panel-hint soft">${t('roll.hint', { n: here.length })}</p>
      ${may
        ? html`<button
            class="button button-primary button-large button-wide"
            aria-disabled=${busy || here.length === 0 ? 'true' : null}
            onClick=${() => void desk.calls.callRoll()}
          >
            ${t('roll.begin')}
          </button>`
        : null}
      <button class="button button-wide" onClick=${() => window.print()}>${t('roll.print.blank')}</button>
      <${Outcome} at=${['roll']} />
      <${Paper}
        picture=${picture}
        people=${here.map(({ label, occupant }) => ({ seat: label, name: occupant?.name ?? '', ticket: occupant?.ticket ?? '', found: null }))}
      />
    </section>`;
  }
  const { counts, people } = call;
  const open = people.filter((one) => one.found === null).map((one) => one.ticket);
  return html`<section class="calls-part roll" aria-label=${t('roll.title')}>
    <h3>
      ${t('roll.title')}
      <span class="record-by">
        ${t('record.by', { name: call.opened.by, ago: t('ago.minutes', { n: minutesAgo(picture.clock, call.opened.ms) }) })}
      </span>
    </h3>
    <p class="roll-counts" role="status" data-missing=${counts.missing > 0 ? 'yes' : null}>
      ${t('roll.counts', counts)}
    </p>
    <ul class="calls-people">
      ${people.map(
        (one) => html`<li class="roll-one" key=${one.ticket} data-found=${String(one.found)}>
          <span class="number calls-seat">${one.seat}</span>
          <span class="roll-name">${one.name}</span>
          ${may
            ? html`<span class="roll-marks" role="group" aria-label=${`${one.seat} ${one.name}`}>
                <${Mark} id=${call.id} one=${one} found=${true} /> <${Mark} id=${call.id} one=${one} found=${false} />
              </span>`
            : html`<span>${t(one.found === null ? 'roll.open' : one.found ? 'roll.found' : 'roll.missing')}</span>`}
        </li>`,
      )}
    </ul>
    ${may
      ? html`${open.length > 0
            ? html`<button
                class="button button-wide" aria-disabled=${busy}
                onClick=${() => void desk.calls.mark(call.id, open, true)}
              >
                ${t('roll.rest', { n: open.length })}
              </button>`
            : null}
          <button
            class="button button-primary button-wide" aria-disabled=${busy}
            onClick=${() => void desk.calls.endRoll(call.id)}
          >
            ${t('roll.end')}
          </button>`
      : null}
    <button class="button button-wide" onClick=${() => window.print()}>${t('roll.print')}</button>
    <${Outcome} at=${['roll']} />
    <${Paper} picture=${picture} people=${people} />
  </section>`;
}

/** Pressed again it is taken back. @param {{id: number, one: {ticket: string, found: boolean | null}, found: boolean}} props */
function Mark({ id, one, found }) {
  const { desk, t } = useApp();
  const stands = one.found === found;
  return html`<button
    class="button roll-mark" data-found=${String(found)} aria-pressed=${stands ? 'true' : 'false'}
    aria-disabled=${desk.busy.value !== null ? 'true' : null}
    onClick=${() => void desk.calls.mark(id, [one.ticket], stands ? null : found)}
  >
    ${t(found ? 'roll.found' : 'roll.missing')}
  </button>`;
}

/**
 * What the printer gets.
 *
 * @param {{
 *   picture: Picture, people: {seat: string, name: string, ticket: string, found: boolean | null, by?: string | null}[],
 * }} props
 */
function Paper({ picture, people }) {
  const { t } = useApp();
  const box = (/** @type {boolean} */ on) => (on ? '☑' : '☐');
  return html`<div class="roll-paper" aria-hidden="true">
    <h1>${t('roll.paper.title')}</h1>
    <p>
      ${picture.room.exam_name} · ${picture.session.name} · ${picture.room.building} ${picture.room.name} ·
      ${t('roll.paper.people', { n: people.length })}
    </p>
    <table>
      <thead>
        <tr>
          <th>${t('roll.paper.seat')}</th>
          <th>${t('roll.paper.name')}</th>
          <th>${t('roll.paper.ticket')}</th>
          <th>${t('roll.found')}</th>
          <th>${t('roll.missing')}</th>
          <th>${t('roll.paper.note')}</th>
        </tr>
      </thead>
      <tbody>
        ${people.map(
          (one) => html`<tr key=${one.ticket}>
            <td>${one.seat}</td>
            <td>${one.name}</td>
            <td>${one.ticket}</td>
            <td>${box(one.found === true)}</td>
            <td>${box(one.found === false)}</td>
            <td>${one.by ?? ''}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    <p class="roll-signs">${t('roll.paper.signs')}</p>
  </div>`;
}
