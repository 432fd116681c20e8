/** The staff's accounts: the list, and beside it the one that is open or the form for another one. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { matching } from '../../core/accounts.js';
import { AccountPanel } from './account.js';
import { NewAccount } from './new-account.js';

/** @typedef {import('../../core/accounts.js').Account} Account */

export function Accounts() {
  const app = useApp();
  const { desk, t } = app;
  const { accounts } = desk;
  const { list, open, fault, told } = accounts;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const [typed, setTyped] = useState('');

  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    accounts.start();
    return () => accounts.stop();
  }, []);

  const all = list.value;
  const shown = matching(all ?? [], typed, (role) => t(`role.${role}`));
  const one = all?.find(({ id }) => id === open.value);
  return html`<main class="accounts" data-panel=${open.value !== null ? 'open' : 'closed'} aria-labelledby="accounts-title">
    <section class="accounts-list">
      <header class="accounts-head">
        <div>
          <h1 id="accounts-title" tabindex="-1" ref=${heading}>${t('accounts.title')}</h1>
          <p class="soft">${t('accounts.what')}</p>
        </div>
        <label class="accounts-find">
          <span class="sr-only">${t('accounts.find')}</span>
          <input
            class="input" type="search" placeholder=${t('accounts.find')} value=${typed} autocomplete="off"
            onInput=${(/** @type {any} */ event) => setTyped(event.target.value)}
          />
        </label>
        <button class="button button-primary" onClick=${() => accounts.show('new')}>${t('accounts.new')}</button>
      </header>
      ${fault.value
        ? html`<div class="note note-bad" role="alert">
            <p>${wordsFor(app, fault.value)}</p>
            <button class="button" onClick=${() => void accounts.reload()}>${t('accounts.again')}</button>
          </div>`
        : null}
      <div role="status">
        ${told.value && !told.value.password
          ? html`<p class="note note-good">${t(`accounts.told.${told.value.what}`, { username: told.value.username, n: told.value.n ?? 0 })}</p>`
          : null}
      </div>
      ${all === null
        ? fault.value
          ? null
          : html`<p class="page-wait" role="status">${t('accounts.opening')}</p>`
        : html`<p class="sr-only" role="status">${t('accounts.shown', { n: shown.length })}</p>
            <table class="accounts-table">
              <thead>
                <tr>
                  ${['name', 'role', 'rooms', 'logins', 'state'].map((name) => html`<th key=${name} scope="col">${t(`accounts.head.${name}`)}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${shown.map((account) => html`<${Row} key=${account.id} account=${account} />`)}
              </tbody>
            </table>`}
    </section>
    ${open.value === 'new' ? html`<${NewAccount} />` : one ? html`<${AccountPanel} key=${one.id} account=${one} />` : null}
  </main>`;
}

/** @param {{account: Account}} props */
function Row({ account }) {
  const { desk, t } = useApp();
  const { open, show } = desk.accounts;
  const { id, name, username, role, rooms, logins } = account;
  return html`<tr data-open=${open.value === id ? 'yes' : null} data-disabled=${account.disabled ? 'yes' : null}>
    <th scope="row">
      <button class="accounts-open" aria-pressed=${open.value === id ? 'true' : 'false'} onClick=${() => show(id)}>
        <strong>${name}</strong> <span class="soft">${username}</span>
      </button>
    </th>
    <td>${t(`role.${role}`)}</td>
    <td>${account.needs_rooms ? roomsText(t, rooms) : t('accounts.rooms.all')}</td>
    <td class="number">${logins.length}</td>
    <td><${States} account=${account} /></td>
  </tr>`;
}

/** What is not as usual, in words. @param {{account: Account}} props */
export function States({ account }) {
  const { t } = useApp();
  const states = [
    account.disabled ? 'disabled' : null,
    account.must_change ? 'must-change' : null,
    account.needs_rooms && account.rooms.length === 0 && !account.disabled ? 'no-room' : null,
    account.is_demo ? 'demo' : null,
  ].filter((one) => one !== null);
  if (states.length === 0) return html`<span class="soft">${t('accounts.state.active')}</span>`;
  return states.map((one) => html`<span class="accounts-state" key=${one} data-state=${one}>${t(`accounts.state.${one}`)}</span> `);
}

const NAMED = 3;

/** @param {import('../../../shared/i18n.js').I18n['t']} t @param {{name: string}[]} rooms */
function roomsText(t, rooms) {
  const names = rooms.slice(0, NAMED).map(({ name }) => name).join('、');
  return rooms.length > NAMED ? t('accounts.rooms.more', { names, n: rooms.length }) : names || '—';
}
