/** One item of one candidate: what counts on the left, what was kept aside on the right. */
import { formulaParts } from '../../../shared/formula.js';
import { html } from '../../../shared/ui.js';
import { seatText, useApp } from '../../app.js';
import { shownAs } from '../../core/aside.js';
import { Confirm } from './confirm.js';

/**
 * @typedef {import('../../core/aside.js').Item} Item
 * @typedef {import('../../core/aside.js').Kept} Kept
 * @typedef {import('../../core/aside.js').Attempt} Attempt
 */

/** @param {{attempt: Attempt, item: Item, may: boolean}} props */
export function AsideItem({ attempt, item, may }) {
  const { t } = useApp();
  const title = item.position === null ? t('aside.item.unknown') : t('aside.item', { n: item.position });
  return html`<li class="aside-item">
    <h3>
      ${title} <span class="soft">${t(`aside.type.${item.type}`)}</span>
      ${item.pictures > 0 ? html`<span class="soft">${t('aside.pictures', { n: item.pictures })}</span>` : null}
    </h3>
    <p class="aside-stem"><${Formula} text=${item.stem} /></p>
    <div class="aside-sides">
      <section class="aside-side" aria-label=${t('aside.accepted')}>
        <h4>${t('aside.accepted')}</h4>
        <${Value} item=${item} value=${item.accepted?.value} />
        ${item.accepted ? html`<${AcceptedFrom} accepted=${item.accepted} />` : null}
      </section>
      <div class="aside-side-kept">
        ${item.kept.map((kept) => html`<${KeptValue} key=${kept.stranded} attempt=${attempt} item=${item} kept=${kept} may=${may} />`)}
      </div>
    </div>
  </li>`;
}

/** @param {{accepted: import('../../core/aside.js').Accepted}} props */
function AcceptedFrom({ accepted }) {
  const { t } = useApp();
  const time = useWall();
  return html`<p class="soft aside-from">
    ${accepted.seat !== null ? seatText(t, accepted.seat, accepted.room) : t('aside.seat.unknown')}
    ${accepted.device ? html`<span> · ${t('aside.device', { id: accepted.device })}</span>` : null}
    ${accepted.typed_at ? html`<br /><span class="number">${t('aside.typed', { time: time(accepted.typed_at) })}</span>` : null}
    ${accepted.adopted_by ? html`<br />${t('aside.adoptedBy', { name: accepted.adopted_by })}` : null}
  </p>`;
}

/** @param {{attempt: Attempt, item: Item, kept: Kept, may: boolean}} props */
function KeptValue({ attempt, item, kept, may }) {
  const { desk, t, i18n } = useApp();
  const time = useWall();
  const { asking } = desk.aside;
  const key = `one ${kept.stranded}`;
  const confirming = asking.value?.key === key;
  const chinese = i18n.language.value.startsWith('zh');
  const choices = [{ stranded: kept.stranded, seen: item.seen }];
  const waits = kept.state === 'kept';
  const sure = () => {
    if (asking.value?.how === 'dismiss') return t('aside.sure.dismiss', { name: attempt.name });
    const now = item.accepted ? 'aside.sure.adopt' : 'aside.sure.adopt.none';
    return t(now, { name: attempt.name, n: item.position ?? '', value: plain(item, kept.value) });
  };
  const ask = (/** @type {'adopt' | 'dismiss'} */ how) => desk.aside.ask({ how, key, choices });
  return html`<section class="aside-side aside-kept" data-state=${kept.state} aria-label=${t('aside.kept')}>
    <h4>
      ${t('aside.kept')}
      ${kept.same ? html` <span class="aside-tag">${t('aside.same')}</span>` : null}
      ${waits ? null : html` <span class="aside-tag" data-state=${kept.state}>${t(`aside.verdict.${kept.state}`)}</span>`}
    </h4>
    <${Value} item=${item} value=${kept.value} />
    <p class="soft aside-from">
      ${kept.seat !== null ? seatText(t, kept.seat, kept.room) : t('aside.seat.unknown')}
      ${kept.device ? html`<span> · ${t('aside.device', { id: kept.device })}</span>` : null}
      <br />
      <span class="number">
        ${kept.typed_at
          ? t('aside.when', { typed: time(kept.typed_at), received: time(kept.received_at) })
          : t('aside.received', { time: time(kept.received_at) })}
      </span>
    </p>
    <p class="aside-why">${t('aside.why', { reason: chinese ? kept.reason_zh : kept.reason_en })}</p>
    ${kept.in_credit && waits ? html`<p class="aside-why aside-credit">${t('aside.inCredit')}</p>` : null}
    ${waits
      ? null
      : html`<p class="aside-why">
          ${t('aside.by', { name: kept.decided_by ?? '' })}${kept.note ? html` · ${kept.note}` : null}
          ${kept.state === 'adopted' && !kept.same ? html`<br />${t('aside.overtaken')}` : null}
        </p>`}
    ${may && waits && !confirming
      ? html`<div class="aside-buttons">
          <button class="button" aria-disabled=${desk.busy.value ? 'true' : null} onClick=${() => ask('adopt')}>
            ${t('aside.adopt')}
          </button>
          <button
            class="button button-quiet" aria-disabled=${desk.busy.value ? 'true' : null} onClick=${() => ask('dismiss')}
          >
            ${t('aside.dismiss')}
          </button>
        </div>`
      : null}
    ${confirming ? html`<${Confirm} sentence=${sure()} />` : null}
  </section>`;
}

/** A value with the words of its options. @param {{item: Item, value: any}} props */
function Value({ item, value }) {
  const { t } = useApp();
  const shown = shownAs(item, value);
  if (shown.kind === 'none') return html`<p class="aside-value aside-value-none">${t('aside.empty')}</p>`;
  if (shown.kind === 'text') return html`<p class="aside-value aside-text">${shown.text}</p>`;
  if (shown.kind === 'blanks') {
    return html`<ol class="aside-value aside-blanks">
      ${shown.parts.map(
        (part, index) => html`<li key=${index}>
          <span class="soft">${t('aside.blank', { n: index + 1 })}</span> ${part || t('aside.empty')}
        </li>`,
      )}
    </ol>`;
  }
  return html`<ul class="aside-value aside-options">
    ${shown.chosen.map(
      (one, index) => html`<li key=${index}>
        ${one.letter ? html`<strong class="aside-letter">${one.letter}</strong>` : null}
        <span><${Formula} text=${one.text} /></span>
      </li>`,
    )}
  </ul>`;
}

/** The same in a sentence. @param {Item} item @param {any} value */
function plain(item, value) {
  const shown = shownAs(item, value);
  if (shown.kind === 'options') return shown.chosen.map((one) => one.letter || one.text).join('');
  if (shown.kind === 'blanks') return shown.parts.join(' / ');
  return shown.kind === 'text' ? (shown.text.length > 20 ? `${shown.text.slice(0, 20)}…` : shown.text) : '';
}

/** @param {{text: string}} props */
function Formula({ text }) {
  return formulaParts(text).map(({ text: part, style }) => {
    if (style === 'sub') return html`<sub>${part}</sub>`;
    if (style === 'sup') return html`<sup>${part}</sup>`;
    if (style === 'letter') return html`<i>${part}</i>`;
    return part;
  });
}

/** Wall clocks in the exam's zone. @returns {(iso: string) => string} */
function useWall() {
  const { desk, i18n } = useApp();
  const zone = desk.aside.list.value?.session.timezone;
  return (iso) =>
    new Date(iso).toLocaleTimeString(i18n.language.value, {
      hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZone: zone,
    });
}
