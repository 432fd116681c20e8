/** Ticket and the last six of the ID: two large fields, one button, one sentence when something is wrong. */
import { Refused } from '../../../shared/api.js';
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp, useTick } from '../../app.js';
import { digits } from '../../core/timer.js';
import { Frame } from '../frame/frame.js';

/** Full-width digits and stray blanks come from habit and from pasted text. @param {string} text */
const tidy = (text) => text.normalize('NFKC').replace(/\s+/g, '').toUpperCase();

export function SignIn() {
  const { t, state, sitting, kiosk } = useApp();
  const { signIn, waiting, storage } = state.value;
  const [ticket, setTicket] = useState(signIn.ticket);
  const [tail, setTail] = useState('');
  const [missing, setMissing] = useState(/** @type {'ticket' | 'tail' | null} */ (null));
  const ticketField = useRef(/** @type {HTMLInputElement | null} */ (null));
  const tailField = useRef(/** @type {HTMLInputElement | null} */ (null));

  useLayoutEffect(() => {
    (signIn.ticket ? tailField : ticketField).current?.focus();
  }, []);
  useEffect(() => {
    // A refused sign-in: the digits are typed anew, the ticket stays to be compared with the paper one.
    if (!signIn.problem) return;
    setTail('');
    tailField.current?.focus();
  }, [signIn.problem]);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    const lacks = tidy(ticket) === '' ? 'ticket' : tidy(tail).length !== 6 ? 'tail' : null;
    setMissing(lacks);
    if (lacks) return (lacks === 'ticket' ? ticketField : tailField).current?.focus();
    void sitting.signIn({ ticket: tidy(ticket), idTail: tidy(tail), seat: kiosk });
  };

  return html`
    <${Frame}>
      <form class="card sign-in" onSubmit=${submit} novalidate>
        <h1>${t('signIn.title')}</h1>
        ${kiosk?.seat && html`<p class="sign-in-seat">${t('signIn.seat', { seat: seatText(t, kiosk) })}</p>`}
        ${signIn.ticket && !signIn.problem && !signIn.busy
          ? html`<p class="note note-info">${t('signIn.again')}</p>`
          : null}
        ${storage === 'memory' && html`<p class="note note-warn">${t('app.storage')}</p>`}
        <label class="field">
          <span class="field-label">${t('signIn.ticket')}</span>
          <input
            ref=${ticketField}
            class="input sign-in-input number"
            name="ticket"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck=${false}
            maxlength="64"
            value=${ticket}
            disabled=${signIn.busy}
            aria-invalid=${String(missing === 'ticket')}
            aria-describedby="sign-in-said"
            onInput=${(/** @type {any} */ event) => setTicket(event.target.value)}
          />
        </label>
        <label class="field">
          <span class="field-label">${t('signIn.tail')}</span>
          <input
            ref=${tailField}
            class="input sign-in-input sign-in-tail number"
            name="tail"
            autocomplete="off"
            spellcheck=${false}
            maxlength="12"
            value=${tail}
            disabled=${signIn.busy}
            aria-invalid=${String(missing === 'tail')}
            aria-describedby="sign-in-hint sign-in-said"
            onInput=${(/** @type {any} */ event) => setTail(event.target.value)}
          />
          <span class="sign-in-hint soft" id="sign-in-hint">${t('signIn.tailHint')}</span>
        </label>
        <div id="sign-in-said" role="alert">
          ${missing && html`<p class="note note-bad">${t(missing === 'ticket' ? 'signIn.needTicket' : 'signIn.needTail')}</p>`}
          ${!missing && signIn.problem && html`<${Problem} problem=${signIn.problem} />`}
        </div>
        <button class="button button-primary button-large button-wide" disabled=${signIn.busy}>
          ${t(signIn.busy ? 'signIn.busy' : 'signIn.submit')}
        </button>
        ${signIn.busy &&
        waiting &&
        html`
          <div class="sign-in-waiting" role="status">
            <p>${t('signIn.waiting')}</p>
            <button type="button" class="button button-quiet" onClick=${sitting.cancelSignIn}>${t('signIn.cancel')}</button>
          </div>
        `}
      </form>
      <p class="sign-in-help soft">${t('signIn.help')}</p>
    <//>
  `;
}

/** @param {{problem: Error}} props */
function Problem({ problem }) {
  const { t, i18n } = useApp();
  const until = useRef({ problem, at: performance.now() });
  if (until.current.problem !== problem) until.current = { problem, at: performance.now() };
  useTick(500);
  if (!(problem instanceof Refused)) return html`<p class="note note-bad">${t('signIn.fault')}</p>`;

  const { opens_in_ms: opensIn, attempts_left: left } = problem.params;
  const passed = performance.now() - until.current.at;
  const waitMs = opensIn ?? (problem.code === 'too-many-tries' ? problem.retryAfterMs : null);
  const rest = waitMs == null ? null : Math.max(0, waitMs - passed);
  return html`
    <div class=${problem.code === 'not-open' ? 'note note-info' : 'note note-bad'}>
      <p>${problem.text(i18n.language.value)}</p>
      ${rest !== null &&
      rest > 0 &&
      html`<p class="number">${t(opensIn == null ? 'signIn.waitFor' : 'signIn.opensIn', { time: digits(rest) })}</p>`}
      ${Number.isInteger(left) && html`<p>${t('signIn.left', { n: left })}</p>`}
    </div>
  `;
}
