/** The form for one more account; its password is good for one sign-in. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Outcome } from '../panel/panel.js';
import { CLICKS } from './account.js';
import { RoomPicker } from './room-picker.js';

const ROLES = ['invigilator', 'chief', 'office', 'admin', 'auditor', 'inspector'];
/** Who sees nothing without rooms. */
const WITH_ROOMS = new Set(['invigilator', 'chief']);

export function NewAccount() {
  const { desk, t } = useApp();
  const { accounts } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  const [fields, setFields] = useState(() => ({ username: '', name: '', role: 'invigilator', password: accounts.suggest() }));
  const [rooms, setRooms] = useState(() => /** @type {Set<number>} */ (new Set()));
  const [tried, setTried] = useState(false);
  const missing = (/** @type {'username' | 'name' | 'password'} */ name) => tried && fields[name].trim() === '';
  /** @param {'username' | 'name' | 'password'} name @param {number} longest */
  const bind = (name, longest) => ({
    class: 'input', name, maxlength: longest, autocomplete: 'off', value: fields[name], 'aria-invalid': missing(name) ? 'true' : null,
    onInput: (/** @type {any} */ event) => setFields({ ...fields, [name]: event.target.value }),
  });
  const submit = (/** @type {any} */ event) => {
    event.preventDefault();
    setTried(true);
    const { username, name, password } = fields;
    const empty = Object.entries({ username, name, password }).find(([, text]) => text.trim() === '');
    if (empty) return event.target.elements[empty[0]].focus();
    const room_ids = WITH_ROOMS.has(fields.role) ? [...rooms] : [];
    void accounts.add({ ...fields, username: username.trim(), name: name.trim(), room_ids });
  };
  return html`<aside class="accounts-panel" aria-labelledby="account-new">
    <header class="accounts-panel-head">
      <h2 id="account-new" tabindex="-1" ref=${heading}>${t('accounts.new')}</h2>
      <button class="button button-quiet" onClick=${() => accounts.show(null)}>${t('accounts.close')}</button>
    </header>
    <form class="accounts-form" onSubmit=${submit} novalidate>
      <label class="field">
        <span class="field-label">${t('accounts.head.name')}</span>
        <input ...${bind('name', 100)} />
      </label>
      <label class="field">
        <span class="field-label">${t('signIn.username')}</span>
        <input autocapitalize="none" spellcheck=${false} ...${bind('username', 64)} />
      </label>
      <label class="field">
        <span class="field-label">${t('accounts.head.role')}</span>
        <select
          class="input" value=${fields.role}
          onChange=${(/** @type {any} */ event) => setFields({ ...fields, role: event.target.value })}
        >
          ${ROLES.map((role) => html`<option key=${role} value=${role}>${t(`role.${role}`)}</option>`)}
        </select>
      </label>
      <label class="field">
        <span class="field-label">${t('accounts.password.new')}</span>
        <span class="field-hint">${t('accounts.password.hint')}</span>
        <input spellcheck=${false} ...${bind('password', 1024)} />
      </label>
      ${WITH_ROOMS.has(fields.role)
        ? html`<div>
            <h3>${t('accounts.head.rooms')}</h3>
            <${RoomPicker} chosen=${rooms} onChange=${setRooms} />
          </div>`
        : null}
      <${Outcome} at=${CLICKS} />
      <button class="button button-primary button-wide" aria-disabled=${desk.busy.value ? 'true' : null}>${t('accounts.add')}</button>
    </form>
  </aside>`;
}
