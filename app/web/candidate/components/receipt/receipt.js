/**
 * The receipt: what was handed in, in figures a candidate can write down, read aloud or print. Then the next candidate's
 * sign-in. On paper the chain's code stands in full: it is what the record is held against (docs/operations.md).
 */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { endTexts } from '../../core/receipt.js';
import { Frame } from '../frame/frame.js';
import { Fact } from '../identity/identity.js';
import { Check } from '../icons/icons.js';

/** Long enough to read and to print; the candidate can stop it. */
const RETURN_S = 180;
/** Hex digits of the chain's code that are shown on the screen; the audit takes them or all of them. */
const SHORT_DIGITS = 16;

export function Receipt() {
  const { t, state, sitting, zh } = useApp();
  const [left, setLeft] = useState(/** @type {number | null} */ (RETURN_S));
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => title.current?.focus(), []);
  useEffect(() => {
    if (left === null) return undefined;
    if (left === 0) {
      void sitting.leave();
      return undefined;
    }
    const handle = setTimeout(() => setLeft(left - 1), 1000);
    return () => clearTimeout(handle);
  }, [left]);

  const work = state.value.work;
  const receipt = work?.grant.receipt;
  if (!work || !receipt) return null;
  const words = endTexts(receipt.reason);
  const { tally } = work;
  const waiting = tally.local + tally.sending + tally.buffered;
  const when = receipt.handed_in_at ? new Date(receipt.handed_in_at) : null;
  const time = when?.toLocaleString(zh ? 'zh-CN' : 'en-GB', { hour12: false });
  const total = receipt.total ?? work.paper?.items.length;
  const answered = total === undefined ? receipt.answered : t('receipt.answeredOf', { answered: receipt.answered, total });

  return html`
    <${Frame} wide>
      <section class="card receipt">
        <p class="receipt-paper">${t('receipt.paper')}</p>
        <header class="receipt-head">
          <span class="receipt-sign"><${Check} /></span>
          <h1 tabindex="-1" ref=${title}>${t(words.title)}</h1>
        </header>
        <dl class="facts">
          <${Fact} label=${t('receipt.name')} value=${receipt.name} />
          <${Fact} label=${t('receipt.ticket')} value=${receipt.ticket} number />
          <${Fact} label=${t('receipt.session')} value=${receipt.session} />
          <${Fact} label=${t('receipt.seat')} value=${receipt.seat} />
          <${Fact} label=${t('receipt.answered')} value=${String(answered)} number />
          <${Fact} label=${t('receipt.count')} value=${String(receipt.count)} number />
          <${Fact} label=${t('receipt.links')} value=${receipt.links === undefined ? '' : String(receipt.links)} number />
          <${Fact} label=${t(words.time)} value=${time} number />
        </dl>
        <div class="receipt-codes">
          <div class="receipt-hash receipt-code">
            <span>${t('receipt.hash')}</span>
            <strong class="number">${receipt.answers_hash}</strong>
            <p class="soft">${t('receipt.hashNote')}</p>
          </div>
          ${receipt.chain &&
          html`
            <div class="receipt-chain receipt-code">
              <span>${t('receipt.chain')}</span>
              <strong class="number">${grouped(receipt.chain.slice(0, SHORT_DIGITS))}</strong>
              <p class="soft">${t('receipt.chainNote')}</p>
            </div>
          `}
        </div>
        <div class="receipt-paper">
          ${receipt.chain &&
          html`
            <span>${t('receipt.chainFull')}</span>
            <p class="receipt-full number">${grouped(receipt.chain)}</p>
          `}
          <p>${t('receipt.keep')}</p>
        </div>
        ${tally.stranded > 0 && html`<p class="note note-warn">${t('receipt.late', { n: tally.stranded })}</p>`}
        ${waiting > 0 && html`<p class="note note-info" role="status">${t('receipt.left', { n: waiting })}</p>`}
        <p class="receipt-thanks">${t('receipt.thanks')}</p>
        <div class="receipt-actions">
          <button type="button" class="button button-large" onClick=${() => window.print()}>${t('receipt.print')}</button>
          <button type="button" class="button button-large button-primary" onClick=${() => void sitting.leave()}>
            ${t('receipt.done')}
          </button>
        </div>
        ${left !== null &&
        html`
          <p class="receipt-auto soft">
            <span class="number">${t('receipt.auto', { n: left })}</span>
            <button type="button" class="button button-quiet" onClick=${() => setLeft(null)}>${t('receipt.stay')}</button>
          </p>
        `}
      </section>
    <//>
  `;
}

/** In groups of four, as digits are read aloud. @param {string} digits */
function grouped(digits) {
  return (digits.match(/.{1,4}/g) ?? []).join(' ');
}
