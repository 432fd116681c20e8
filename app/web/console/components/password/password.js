/** One's own password: chosen at the first sign-in, before anything else, and changed whenever one likes. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { Look } from '../top-bar/look.js';

const SHORTEST = 8;

/** Before the first page: the password was chosen by somebody else. */
export function FirstPassword() {
  const { desk, t } = useApp();
  return html`<div class="sign-in">
    <div class="sign-in-look"><${Look} /></div>
    <main class="sign-in-card card">
      <p class="sign-in-brand">Holdfast</p>
      <${PasswordForm} title=${t('password.first')} more=${t('password.first.more', { username: desk.staff.value?.username ?? '' })} />
      <button class="button button-quiet button-wide" onClick=${() => void desk.signOut()}>${t('top.signOut')}</button>
    </main>
  </div>`;
}

/** The page behind the button in the top bar. */
export function Password() {
  const { desk, t } = useApp();
  const [done, setDone] = useState(false);
  return html`<main class="password">
    <div class="card password-card">
      ${done
        ? html`<p class="note note-good" role="status">${t('password.done')}</p>`
        : html`<${PasswordForm} title=${t('password.title')} more=${t('password.more')} onDone=${() => setDone(true)} />`}
      <button class="button button-wide" onClick=${() => desk.leaveViews()}>${t('password.back')}</button>
    </div>
  </main>`;
}

/** @param {{title: string, more: string, onDone?: () => void}} props */
function PasswordForm({ title, more, onDone }) {
  const app = useApp();
  const { desk, t } = app;
  const [wrong, setWrong] = useState(/** @type {'short' | 'differ' | 'same' | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const old = useRef(/** @type {HTMLInputElement | null} */ (null));
  const next = useRef(/** @type {HTMLInputElement | null} */ (null));
  const again = useRef(/** @type {HTMLInputElement | null} */ (null));
  const busy = desk.busy.value?.at === 'password';
  const fault = desk.fault.value?.at === 'password' ? desk.fault.value.error : null;
  const told = wrong ? t(`password.wrong.${wrong}`, { n: SHORTEST }) : fault ? wordsFor(app, fault) : null;

  useLayoutEffect(() => heading.current?.focus(), []);
  useLayoutEffect(() => {
    if (fault) old.current?.focus();
  }, [fault]);

  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    // Read from the fields: a password manager may fill them without an input event.
    const [before, chosen, repeated] = [old, next, again].map((field) => field.current?.value ?? '');
    const fault = chosen.length < SHORTEST ? 'short' : chosen === before ? 'same' : chosen !== repeated ? 'differ' : null;
    setWrong(fault);
    if (before === '') return old.current?.focus();
    if (fault !== null) return (fault === 'differ' ? again : next).current?.focus();
    if (await desk.changePassword(before, chosen)) onDone?.();
  };

  return html`<h1 tabindex="-1" ref=${heading}>${title}</h1>
    <p class="soft password-more">${more}</p>
    <form onSubmit=${submit} novalidate>
      <input type="text" class="sr-only" tabindex="-1" aria-hidden="true" autocomplete="username" readonly value=${desk.staff.value?.username ?? ''} />
      <${Field} name="old" at=${old} label=${t('password.old')} autocomplete="current-password" />
      <${Field} name="new" at=${next} label=${t('password.new')} hint=${t('password.hint', { n: SHORTEST })} autocomplete="new-password" bad=${wrong !== null && wrong !== 'differ'} />
      <${Field} name="again" at=${again} label=${t('password.again')} autocomplete="new-password" bad=${wrong === 'differ'} />
      <div aria-live="assertive">${told ? html`<p id="password-fault" class="note note-bad">${told}</p>` : null}</div>
      <button class="button button-primary button-large button-wide" aria-disabled=${busy ? 'true' : null}>
        ${t(busy ? 'password.busy' : 'password.submit')}
      </button>
    </form>`;
}

/** @param {{name: string, at: any, label: string, hint?: string, autocomplete: string, bad?: boolean}} props */
function Field({ name, at, label, hint, autocomplete, bad = false }) {
  return html`<label class="field">
    <span class="field-label">${label}</span>
    ${hint ? html`<span class="field-hint">${hint}</span>` : null}
    <input
      class="input" ref=${at} name=${name} type="password" autocomplete=${autocomplete} maxlength="1024"
      aria-invalid=${bad ? 'true' : null} aria-describedby=${bad ? 'password-fault' : null}
    />
  </label>`;
}
