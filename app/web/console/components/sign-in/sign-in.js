import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { Look } from '../top-bar/look.js';

export function SignIn() {
  const app = useApp();
  const { desk, t } = app;
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  const second = useRef(/** @type {HTMLInputElement | null} */ (null));
  const busy = desk.busy.value?.at === 'sign-in';
  const fault = desk.fault.value?.at === 'sign-in' ? desk.fault.value.error : null;
  const why = desk.farewell.value;

  useLayoutEffect(() => first.current?.focus(), []);
  useLayoutEffect(() => {
    if (fault) second.current?.focus();
  }, [fault]);

  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    // Read from the fields: a password manager may fill them without an input event.
    const [name, secret] = [first.current?.value.trim() ?? '', second.current?.value ?? ''];
    if (name === '') return first.current?.focus();
    if (secret === '') return second.current?.focus();
    void desk.signIn(name, secret);
  };

  return html`<div class="sign-in">
    <div class="sign-in-look"><${Look} /></div>
    <main class="sign-in-card card">
      <p class="sign-in-brand">Holdfast</p>
      <h1>${t('signIn.title')}</h1>
      ${why === 'ended' || why === 'not-told'
        ? html`<p class="note note-info" role="status">${t(`signIn.${why}`)}</p>`
        : null}
      <form onSubmit=${submit} novalidate>
        <label class="field">
          <span class="field-label">${t('signIn.username')}</span>
          <input
            class="input" ref=${first} name="username" autocomplete="username" autocapitalize="none"
            spellcheck=${false} maxlength="64" value=${username}
            onInput=${(/** @type {any} */ event) => setUsername(event.target.value)}
          />
        </label>
        <label class="field">
          <span class="field-label">${t('signIn.password')}</span>
          <input
            class="input" ref=${second} name="password" type="password" autocomplete="current-password"
            maxlength="1024" value=${password} aria-invalid=${fault ? 'true' : null}
            aria-describedby=${fault ? 'sign-in-fault' : null}
            onInput=${(/** @type {any} */ event) => setPassword(event.target.value)}
          />
        </label>
        <div aria-live="assertive">
          ${fault ? html`<p id="sign-in-fault" class="note note-bad">${wordsFor(app, fault)}</p>` : null}
        </div>
        <button class="button button-primary button-large button-wide" aria-disabled=${busy ? 'true' : null}>
          ${t(busy ? 'signIn.busy' : 'signIn.submit')}
        </button>
      </form>
    </main>
  </div>`;
}
