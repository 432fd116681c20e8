/** One account, and what an administrator may do to it. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { dayTimeText } from '../../core/wall.js';
import { Outcome } from '../panel/panel.js';
import { States } from './accounts.js';
import { RoomPicker } from './room-picker.js';

/** @typedef {import('../../core/accounts.js').Account} Account */

/** Every click of this page, for telling what became of it. */
export const CLICKS = ['add', 'password', 'disable', 'enable', 'revoke', 'rooms'].map((what) => `accounts ${what}`);

/** @param {{account: Account}} props */
export function AccountPanel({ account }) {
  const { desk, t } = useApp();
  const { accounts } = desk;
  const [doing, setDoing] = useState(/** @type {'password' | 'disable' | 'rooms' | null} */ (null));
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), [account.id]);
  const own = account.username === desk.staff.value?.username;
  const busy = desk.busy.value !== null;
  const back = () => {
    setDoing(null);
    heading.current?.focus();
  };
  return html`<aside class="accounts-panel" aria-labelledby="account-name">
    <header class="accounts-panel-head">
      <div>
        <h2 id="account-name" tabindex="-1" ref=${heading}>${account.name}</h2>
        <p class="soft">${account.username} · ${t(`role.${account.role}`)}</p>
      </div>
      <button class="button button-quiet" onClick=${() => accounts.show(null)}>${t('accounts.close')}</button>
    </header>
    <p><${States} account=${account} /></p>
    <${Given} />
    <${Outcome} at=${CLICKS} />
    ${own ? html`<p class="note note-info">${t('accounts.own')}</p>` : null}
    <section>
      <h3>${t('accounts.head.rooms')}</h3>
      <p>${account.needs_rooms ? account.rooms.map(({ name }) => name).join('、') || t('accounts.rooms.none') : t('accounts.rooms.all')}</p>
      ${!own && account.needs_rooms
        ? doing === 'rooms'
          ? html`<${Rooms} account=${account} onBack=${back} />`
          : html`<button class="button" onClick=${() => setDoing('rooms')}>${t('accounts.rooms.change')}</button>`
        : null}
    </section>
    <section>
      <h3>${t('accounts.logins', { n: account.logins.length })}</h3>
      ${account.logins.length > 0
        ? html`<ul class="accounts-logins">
              ${account.logins.map(
                (login) => html`<li key=${login.created_at}>
                  <span class="number">${dayTimeText(login.created_at, accounts.timezone.value)}</span>
                  <span class="soft">${login.address}</span>
                </li>`,
              )}
            </ul>
            ${own
              ? null
              : html`<button
                  class="button" aria-disabled=${busy ? 'true' : null}
                  onClick=${() => void accounts.change(account, 'logins/revoke')}
                >
                  ${t('accounts.revoke')}
                </button>`}`
        : null}
    </section>
    ${own
      ? null
      : html`<section class="accounts-acts">
          ${doing === 'password'
            ? html`<${NewPassword} account=${account} onBack=${back} />`
            : html`<button class="button" onClick=${() => setDoing('password')}>${t('accounts.password')}</button>`}
          ${account.disabled
            ? html`<button class="button" aria-disabled=${busy ? 'true' : null} onClick=${() => void accounts.change(account, 'enable')}>
                ${t('accounts.enable')}
              </button>`
            : doing === 'disable'
              ? html`<div class="accounts-sure">
                  <p>${t('accounts.disable.sure', { name: account.name })}</p>
                  <button
                    class="button button-danger" aria-disabled=${busy ? 'true' : null}
                    onClick=${async () => {
                      await accounts.change(account, 'disable');
                      back();
                    }}
                  >
                    ${t('accounts.disable')}
                  </button>
                  <button class="button" onClick=${back}>${t('accounts.cancel')}</button>
                </div>`
              : html`<button class="button" onClick=${() => setDoing('disable')}>${t('accounts.disable')}</button>`}
        </section>`}
  </aside>`;
}

/** The password to be handed over: shown until it is put away, and nowhere again. */
export function Given() {
  const { desk, t } = useApp();
  const { told, putAway } = desk.accounts;
  if (!told.value?.password) return null;
  return html`<div class="note note-good accounts-given" role="status">
    <p>${t(`accounts.told.${told.value.what}`, { username: told.value.username, n: told.value.n ?? 0 })}</p>
    <p class="accounts-password">${told.value.password}</p>
    <p class="soft">${t('accounts.given')}</p>
    <button class="button" onClick=${putAway}>${t('accounts.given.done')}</button>
  </div>`;
}

/** @param {{account: Account, onBack: () => void}} props */
function NewPassword({ account, onBack }) {
  const { desk, t } = useApp();
  const { accounts } = desk;
  const [password, setPassword] = useState(accounts.suggest);
  return html`<form
    class="accounts-sure"
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (await accounts.setPassword(account, password)) onBack();
    }}
  >
    <label class="field">
      <span class="field-label">${t('accounts.password.new')}</span>
      <span class="field-hint">${t('accounts.password.hint')}</span>
      <input
        class="input" autocomplete="off" spellcheck=${false} maxlength="1024" value=${password}
        onInput=${(/** @type {any} */ event) => setPassword(event.target.value)}
      />
    </label>
    <button class="button button-primary" aria-disabled=${desk.busy.value ? 'true' : null}>${t('accounts.password.set')}</button>
    <button class="button" type="button" onClick=${onBack}>${t('accounts.cancel')}</button>
  </form>`;
}

/** @param {{account: Account, onBack: () => void}} props */
function Rooms({ account, onBack }) {
  const { desk, t } = useApp();
  const { accounts } = desk;
  const [chosen, setChosen] = useState(() => new Set(account.rooms.map(({ id }) => id)));
  return html`<form
    class="accounts-sure"
    onSubmit=${async (/** @type {Event} */ event) => {
      event.preventDefault();
      if (await accounts.setRooms(account, [...chosen])) onBack();
    }}
  >
    <${RoomPicker} chosen=${chosen} onChange=${setChosen} />
    <button class="button button-primary" aria-disabled=${desk.busy.value ? 'true' : null}>${t('accounts.rooms.save')}</button>
    <button class="button" type="button" onClick=${onBack}>${t('accounts.cancel')}</button>
  </form>`;
}
