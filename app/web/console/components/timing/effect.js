/** What a decision will do, in full, before anybody confirms it; and the one button that says it again. */
import { Refused } from '../../../shared/api.js';
import { html, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { GRAVE } from '../../core/timing-draft.js';
import { lengthText, wallText } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';

const SHOWN = 50;
/** Refusals that a recorded decision would end. */
const CAPPED = new Set(['cap-held', 'cap-exceeded']);

/** @param {{at: string, zone: string | undefined, onLift?: (() => void) | null}} props */
export function Effect({ at, zone, onLift = null }) {
  const { desk, t, i18n } = useApp();
  const { timing } = desk;
  const asked = timing.asking.value;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const chinese = i18n.language.value.startsWith('zh');
  const said = (/** @type {any} */ one) => (chinese ? one?.zh : one?.en) ?? '';

  // Read first, then confirmed: the button is the next stop of the keyboard, not the first.
  useLayoutEffect(() => heading.current?.focus(), [asked?.seen]);
  if (asked === null || asked.at !== at) return null;
  const { effect } = asked;
  const over = [...(effect.over_cap ?? [])].sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
  const blocked = over.length > 0 || (effect.refused ?? null) !== null;
  const busy = desk.busy.value !== null;
  const what = t(asked.words);
  const grave = GRAVE.has(asked.body.action ?? asked.body.kind);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (!busy && !blocked) void timing.confirm();
  };
  const lift = onLift && html`<button class="button" type="button" onClick=${onLift}>${t('timing.lift.open')}</button>`;
  const changed = effect.changed ?? [];
  const { ms, from_at: from, to_at: to, reason, note } = asked.body;
  const why = timing.view.value?.reasons.find(({ code }) => code === reason);
  // Also what was asked for: on the telephone it is read back before it is confirmed.
  const facts = [
    ['timing.field.length', ms ? lengthText(ms) : ''],
    ['timing.field.from', from ? wallText(from, zone) : ''],
    ['timing.field.to', to ? wallText(to, zone) : ''],
    ['timing.effect.starts', asked.body.action === 'postpone' ? range(effect.starts) : ''],
    ['timing.effect.ends', range(effect.ends)],
    ['timing.effect.seats', some(effect.seats) ? t('timing.effect.seats.n', effect.seats) : ''],
    ['timing.effect.papers', some(effect.papers) ? t('timing.effect.papers.n', effect.papers) : ''],
    ['timing.field.reason', [said(why), note].filter(Boolean).join(t('list.comma'))],
    ['timing.field.number', asked.body.number ?? ''],
  ];
  return html`<form class="effect" onSubmit=${submit} aria-labelledby="effect-title">
    <h2 id="effect-title" tabindex="-1" ref=${heading}>${t('timing.effect', { what })}</h2>
    ${asked.changed ? html`<p class="note note-warn" role="alert">${t('timing.effect.changed')}</p>` : null}
    ${asked.whom ? html`<p class="effect-whom">${asked.whom()}</p>` : null}
    <p class="effect-sentence">${said(effect)}</p>
    <dl class="effect-facts">
      ${facts
        .filter(([, words]) => words !== '')
        .map(([key, words]) => html`<div key=${key}><dt>${t(key)}</dt><dd class="number">${words}</dd></div>`)}
    </dl>
    ${effect.follows
      ? html`<section class="note note-warn">
          <h3>${t('timing.follows', { name: effect.follows.session.name })}</h3>
          <p>${said(effect.follows)}</p>
        </section>`
      : null}
    ${changed.length > 0
      ? html`<${People} people=${changed} of=${effect.seats?.changed ?? 0} />`
      : html`<${People} people=${effect.people ?? []} of=${effect.candidates ?? 0} />`}
    ${over.length > 0
      ? html`<section class="note note-bad effect-over" aria-labelledby="effect-over">
          <h3 id="effect-over">${t('timing.over', { n: over.length })}</h3>
          <ul class="effect-names" tabindex="0" aria-label=${t('timing.over.list')}>
            ${over.slice(0, SHOWN).map(
              (one) => html`<li key=${one.ticket}>
                <span>${one.room} ${one.seat} ${one.name}</span> <span class="number">${one.ticket}</span>
                <strong class="number">${lengthText(one.lost_ms)}</strong>
              </li>`,
            )}
          </ul>
          ${over.length > SHOWN ? html`<p>${t('timing.over.more', { n: over.length - SHOWN })}</p>` : null}
          ${lift}
        </section>`
      : null}
    ${effect.refused && over.length === 0 ? html`<p class="note note-bad">${said(effect.refused)}</p>` : null}
    ${effect.refused && CAPPED.has(effect.refused.code) && over.length === 0 ? lift : null}
    <${Outcome} at=${[at]} />
    <div class="effect-buttons">
      ${blocked
        ? null
        : html`<button
            class=${`button button-large ${grave ? 'button-danger' : 'button-primary'}`}
            aria-disabled=${busy ? 'true' : null}
          >
            ${t('timing.confirm', { what, effect: said(effect) })}
          </button>`}
      <button class="button button-large" type="button" onClick=${() => !busy && timing.unask()}>
        ${t('timing.unask')}
      </button>
    </div>
  </form>`;

  /** @param {{from: string, to: string} | null | undefined} span */
  function range(span) {
    if (!span?.from) return '';
    const [from, to] = [wallText(span.from, zone), wallText(span.to, zone)];
    return from === to ? from : `${from} – ${to}`;
  }
}

/** Whether anything is counted there. @param {Record<string, number> | undefined} counts */
function some(counts) {
  return counts !== undefined && Object.values(counts).some((n) => n > 0);
}

/** Who goes where, the first of them. @param {{people: any[], of: number}} props */
function People({ people, of }) {
  const { t } = useApp();
  if (people.length === 0) return null;
  return html`<section aria-labelledby="effect-people">
    <h3 id="effect-people">${t('timing.effect.people')}</h3>
    <ul class="effect-names" tabindex="0" aria-labelledby="effect-people">
      ${people.map(
        (one) => html`<li key=${`${one.ticket} ${one.session}`}>
          <span>${one.name}</span> <span class="number">${one.ticket}</span>
          <strong>${[one.room, one.seat].join(' ')}${one.to_room ? ` → ${one.to_room} ${one.to_seat}` : ''}</strong>
        </li>`,
      )}
    </ul>
    ${of > people.length ? html`<p class="soft">${t('timing.over.more', { n: of - people.length })}</p>` : null}
  </section>`;
}

/**
 * What became of the last decision made at this place; of the last one, wherever it was made, without `at`.
 *
 * @param {{at?: string | null}} props
 */
export function Told({ at = null }) {
  const { desk, t, i18n } = useApp();
  const told = desk.timing.told.value;
  const chinese = i18n.language.value.startsWith('zh');
  const effect = told?.effect;
  return html`<div class="timing-told" role="status">
    ${told && (at === null || told.at === at)
      ? html`<p class="note note-good">
          <strong>${t('timing.done', { what: t(told.words) })}</strong>
          ${effect ? ` ${chinese ? effect.zh : effect.en}` : ''}
        </p>`
      : null}
  </div>`;
}

/**
 * Why no effect could be shown, or that one is awaited; and the way on, where it is the cap that stands before it.
 *
 * @param {{at: string, onLift?: (() => void) | null}} props
 */
export function Checking({ at, onLift = null }) {
  const app = useApp();
  const { checking, doubt } = app.desk.timing;
  const failed = doubt.value?.at === at ? doubt.value.error : null;
  const words = failed instanceof Refused ? wordsFor(app, failed) : app.t('timing.unknown');
  const capped = failed instanceof Refused && CAPPED.has(failed.code);
  return html`<div class="outcome" aria-live="assertive">
    ${checking.value === at ? html`<p class="soft">${app.t('timing.checking')}</p>` : null}
    ${failed ? html`<p class="note note-bad">${words}</p>` : null}
    ${capped && onLift
      ? html`<button class="button button-wide" type="button" onClick=${onLift}>${app.t('timing.lift.open')}</button>`
      : null}
  </div>`;
}
