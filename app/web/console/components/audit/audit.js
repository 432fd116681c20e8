/** The audit log: asked by candidate, person, room, action and time; the newest first, a page at a time. */
import { html, useEffect, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { NOTHING, about, details } from '../../core/audit.js';
import { dayTimeText } from '../../core/wall.js';

/** @typedef {import('../../core/audit.js').Entry} Entry */

export function Audit() {
  const app = useApp();
  const { desk, t } = app;
  const { audit } = desk;
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const { found, loading, fault } = audit;

  useLayoutEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    void audit.search(NOTHING);
    return () => audit.stop();
  }, []);

  const shown = found.value;
  return html`<main class="audit" aria-labelledby="audit-title" aria-busy=${loading.value ? 'true' : null}>
    <header class="audit-head">
      <h1 id="audit-title" tabindex="-1" ref=${heading}>${t('audit.title')}</h1>
      <p class="soft">${t('audit.what')}</p>
    </header>
    <${Search} />
    ${fault.value
      ? html`<div class="note note-bad audit-fault" role="alert">
          <p>${wordsFor(app, fault.value)}</p>
          <button class="button" onClick=${() => void audit.search(audit.sought.value)}>${t('audit.again')}</button>
        </div>`
      : null}
    ${shown === null
      ? fault.value
        ? null
        : html`<p class="page-wait" role="status">${t('audit.opening')}</p>`
      : html`<p class="sr-only" role="status">${t('audit.found', { n: shown.entries.length })}</p>
          ${shown.entries.length === 0 ? html`<p class="page-wait">${t('audit.none')}</p>` : html`<${Entries} />`}
          ${shown.next !== null
            ? html`<button
                class="button audit-more" aria-disabled=${loading.value ? 'true' : null}
                onClick=${() => !loading.value && void audit.more()}
              >
                ${t('audit.more')}
              </button>`
            : null}`}
  </main>`;
}

function Search() {
  const { desk, t, i18n } = useApp();
  const { audit, staff } = desk;
  const [typed, setTyped] = useState(audit.sought.value);
  const zh = i18n.language.value.startsWith('zh');
  /** @param {keyof typeof typed} name */
  const bind = (name) => ({
    value: typed[name],
    onInput: (/** @type {any} */ event) => setTyped({ ...typed, [name]: event.target.value }),
  });
  return html`<form
    class="audit-search" role="search" aria-label=${t('audit.search')}
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      void audit.search(typed);
    }}
  >
    <label class="field">
      <span class="field-label">${t('audit.by.ticket')}</span>
      <input class="input" maxlength="64" autocomplete="off" spellcheck=${false} ...${bind('ticket')} />
    </label>
    <label class="field">
      <span class="field-label">${t('audit.by.staff')}</span>
      <input class="input" maxlength="64" autocomplete="off" autocapitalize="none" spellcheck=${false} ...${bind('staff')} />
    </label>
    <label class="field">
      <span class="field-label">${t('audit.by.room')}</span>
      <select class="input" ...${bind('room')}>
        <option value="">${t('audit.any')}</option>
        ${(staff.value?.rooms ?? []).map(
          ({ id, name, building }) => html`<option key=${id} value=${String(id)}>${building} ${name}</option>`,
        )}
      </select>
    </label>
    <label class="field">
      <span class="field-label">${t('audit.by.action')}</span>
      <select class="input" ...${bind('action')}>
        <option value="">${t('audit.any')}</option>
        ${audit.areas.value.map(
          (area) => html`<optgroup key=${area.area} label=${zh ? area.zh : area.en}>
            <option value=${area.area}>${t('audit.all', { area: zh ? area.zh : area.en })}</option>
            ${area.actions.map(
              (one) => html`<option key=${one.action} value=${one.action}>${zh ? one.zh : one.en}</option>`,
            )}
          </optgroup>`,
        )}
      </select>
    </label>
    <label class="field">
      <span class="field-label">${t('audit.by.from')}</span>
      <input class="input" type="datetime-local" ...${bind('from')} />
    </label>
    <label class="field">
      <span class="field-label">${t('audit.by.to')}</span>
      <input class="input" type="datetime-local" ...${bind('to')} />
    </label>
    <div class="audit-buttons">
      <button class="button button-primary">${t('audit.submit')}</button>
      <button
        class="button" type="button"
        onClick=${() => {
          setTyped(NOTHING);
          void audit.search(NOTHING);
        }}
      >
        ${t('audit.clear')}
      </button>
    </div>
  </form>`;
}

function Entries() {
  const { desk, t } = useApp();
  const found = desk.audit.found.value;
  if (!found) return null;
  return html`<div class="audit-table" role="region" aria-labelledby="audit-title" tabindex="0">
    <table>
      <thead>
        <tr>
          ${['at', 'who', 'action', 'about', 'more'].map(
            (name) => html`<th key=${name} scope="col" class=${`audit-${name}`}>${t(`audit.head.${name}`)}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${found.entries.map((entry) => html`<${Row} key=${entry.n} entry=${entry} />`)}
      </tbody>
    </table>
  </div>`;
}

/** @param {{entry: Entry}} props */
function Row({ entry }) {
  const { desk, t, i18n } = useApp();
  const [open, setOpen] = useState(false);
  const found = desk.audit.found.value;
  if (!found) return null;
  const zh = i18n.language.value.startsWith('zh');
  const lines = about(entry, found);
  return html`<tr data-open=${open ? 'yes' : null}>
      <td class="number audit-at">${dayTimeText(entry.at, found.timezone)}</td>
      <td class="audit-who">
        ${entry.name ? html`<strong>${entry.name}</strong> <span class="soft">${t(`role.${entry.role}`)}</span>` : entry.actor}
      </td>
      <td class="audit-action">${zh ? entry.zh : entry.en}</td>
      <td class="audit-about">
        ${lines.map(
          ([key, text]) => html`<span class="audit-fact" key=${key}><span class="soft">${t(`audit.key.${key}`)}</span> ${text}</span>`,
        )}
      </td>
      <td class="audit-more">
        <button
          class="button audit-open" aria-expanded=${open ? 'true' : 'false'} aria-label=${t('audit.details.of', { n: entry.n })}
          onClick=${() => setOpen(!open)}
        >
          ${t(open ? 'audit.details.hide' : 'audit.details')}
        </button>
      </td>
    </tr>
    ${open
      ? html`<tr class="audit-inside">
          <td colspan="5">
            <dl class="audit-details">
              <dt>${t('audit.number')}</dt>
              <dd class="number">${entry.n} · ${entry.action} · ${entry.actor}</dd>
              ${details(entry).map(([key, text]) => html`<dt>${key}</dt> <dd>${text}</dd>`)}
              <dt>${t('audit.hash')}</dt>
              <dd class="audit-hash">${entry.hash}</dd>
            </dl>
          </td>
        </tr>`
      : null}`;
}
