/** A new incident: the plan, where, since when. Three clicks when it comes from a seat. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { lacking } from '../../core/incident-draft.js';
import { SCOPES } from '../../core/incidents.js';
import { Outcome } from '../panel/panel.js';
import { Choice } from '../timing/field.js';

export function Draft() {
  const { desk, t, i18n } = useApp();
  const { incidents } = desk;
  const draft = incidents.draft.value;
  const plans = incidents.plans.value;
  const [lacks, setLacks] = useState(/** @type {string | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const rooms = desk.staff.value?.rooms ?? [];
  const may = desk.staff.value?.may ?? [];
  const everywhere = may.includes('incident-sign');
  const zh = i18n.language.value.startsWith('zh');
  const busy = desk.busy.value?.at === 'incident';
  const plan = plans.find((one) => one.plan === draft.plan);
  const now = lacking(draft);
  useLayoutEffect(() => heading.current?.focus(), []);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    setLacks(now);
    if (now !== null) {
      /** @type {HTMLElement | null} */ (document.querySelector(`.incident-draft [name="${now}"], .incident-draft [data-of="${now}"] button`))?.focus();
      return;
    }
    void incidents.submit();
  };
  /** @param {'rooms' | 'buildings'} key @param {number} id */
  const toggle = (key, id) => {
    const some = draft[key];
    incidents.edit({ [key]: some.includes(id) ? some.filter((one) => one !== id) : [...some, id] });
  };
  const buildings = [...new Map(rooms.map((room) => [room.building_id, room.building]))];
  return html`<form class="incident-draft" onSubmit=${submit} novalidate>
    <h2 tabindex="-1" ref=${heading}>${t('incident.new')}</h2>
    <fieldset class="incident-choose-plan">
      <legend>${t('incident.plan')}</legend>
      ${plans.map(
        (one) => html`<label class="choice-one" key=${one.plan}>
          <input
            type="radio" name="plan" value=${one.plan} checked=${one.plan === draft.plan}
            onChange=${() => incidents.edit({ plan: one.plan })}
          />
          <span><b class="number">${one.plan}</b> ${zh ? one.title_zh : one.title_en}</span>
        </label>`,
      )}
    </fieldset>
    <fieldset>
      <legend>${t('incident.where')}</legend>
      <${Choice}
        name="scope" value=${draft.scope} onChange=${(/** @type {any} */ scope) => incidents.edit({ scope })}
        options=${SCOPES.filter((one) => one !== 'site' || everywhere).map((value) => ({ value, words: t(`incident.scope.${value}`) }))}
      />
      ${draft.scope === 'room'
        ? html`<div class="incident-chips" data-of="rooms">
            ${rooms.map(
              (room) => html`<button
                type="button" class="chip" key=${room.id} aria-pressed=${draft.rooms.includes(room.id) ? 'true' : 'false'}
                onClick=${() => toggle('rooms', room.id)}
              >
                ${room.name}
              </button>`,
            )}
          </div>`
        : null}
      ${draft.scope === 'building'
        ? html`<div class="incident-chips" data-of="buildings">
            ${buildings.map(
              ([id, name]) => html`<button
                type="button" class="chip" key=${id} aria-pressed=${draft.buildings.includes(id) ? 'true' : 'false'}
                onClick=${() => toggle('buildings', id)}
              >
                ${name}
              </button>`,
            )}
          </div>`
        : null}
      ${draft.scope === 'list'
        ? html`<textarea
            class="input" name="tickets" rows="2" maxlength="60000" spellcheck=${false} value=${draft.tickets}
            aria-label=${t('incident.tickets')} placeholder=${t('incident.tickets')}
            onInput=${(/** @type {any} */ event) => incidents.edit({ tickets: event.target.value })}
          ></textarea>`
        : null}
    </fieldset>
    <div class="incident-fields">
      <label>
        <span>${t('incident.minutes')}</span>
        <input
          class="input number" name="minutes" inputmode="numeric" maxlength="3" value=${draft.minutes}
          onInput=${(/** @type {any} */ event) => incidents.edit({ minutes: event.target.value })}
        />
      </label>
      <label class="incident-field-wide">
        <span>${t('incident.title')}</span>
        <input
          class="input" name="title" maxlength="200" value=${draft.title}
          placeholder=${plan ? (zh ? plan.title_zh : plan.title_en) : ''}
          onInput=${(/** @type {any} */ event) => incidents.edit({ title: event.target.value })}
        />
      </label>
      <label class="incident-field-all">
        <span>${t('incident.note')}</span>
        <textarea
          class="input" name="note" rows="2" maxlength="4000" value=${draft.note}
          onInput=${(/** @type {any} */ event) => incidents.edit({ note: event.target.value })}
        ></textarea>
      </label>
      <label>
        <span>${t('incident.toldBy')}</span>
        <input
          class="input" name="toldBy" maxlength="100" value=${draft.toldBy}
          onInput=${(/** @type {any} */ event) => incidents.edit({ toldBy: event.target.value })}
        />
      </label>
      <label class="incident-check">
        <input
          type="checkbox" checked=${draft.sealed || plan?.sealed} disabled=${plan?.sealed}
          onChange=${(/** @type {any} */ event) => incidents.edit({ sealed: event.target.checked })}
        />
        <span>${t('incident.seal.hint')}</span>
      </label>
    </div>
    <div class="outcome" aria-live="polite">
      ${lacks !== null && lacks === now ? html`<p class="note note-warn">${t(`incident.lacks.${lacks}`)}</p>` : null}
    </div>
    <${Outcome} at=${['incident']} />
    <div class="incident-buttons">
      <button class="button button-primary button-large" aria-disabled=${busy ? 'true' : null}>${t('incident.submit')}</button>
      <button class="button" type="button" onClick=${() => incidents.close()}>${t('incident.cancel')}</button>
    </div>
  </form>`;
}
