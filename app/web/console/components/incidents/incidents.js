/** The incident desk 突发事件: the list on the left, one incident, a new one or the plans on the right. */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { Icon } from '../icons/icons.js';
import { Draft } from './draft.js';
import { One } from './one.js';
import { Plans } from './plans.js';

export function Incidents() {
  const app = useApp();
  const { desk, t } = app;
  const { incidents } = desk;
  const session = desk.sessionId.value ?? desk.sessions.value[0]?.id ?? null;
  useEffect(() => {
    if (session === null) return undefined;
    incidents.enter(session);
    return () => incidents.leave();
  }, [session]);
  const at = incidents.at.value;
  if (session === null) return html`<main class="page-empty"><h1>${t('sessions.none')}</h1></main>`;
  return html`<main class="incidents" data-at=${at.kind}>
    <${List} />
    <section class="incident-main" aria-label=${t('views.incidents')}>
      ${incidents.fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, incidents.fault.value)}</p>` : null}
      ${at.kind === 'draft' ? html`<${Draft} />` : null}
      ${at.kind === 'plans' ? html`<${Plans} />` : null}
      ${at.kind === 'one' ? html`<${One} key=${at.id} />` : null}
      ${at.kind === 'none' ? html`<p class="incident-idle soft">${t('incident.choose')}</p>` : null}
    </section>
  </main>`;
}

function List() {
  const { desk, t, i18n } = useApp();
  const { incidents } = desk;
  const [all, setAll] = useState(false);
  const may = desk.staff.value?.may ?? [];
  const found = incidents.list.value;
  const open = (found ?? []).filter(({ state }) => state === 'open');
  const shown = all ? (found ?? []) : open;
  const zh = i18n.language.value.startsWith('zh');
  const chosen = incidents.at.value.kind === 'one' ? incidents.at.value.id : null;
  return html`<aside class="incident-list">
    <header class="incident-list-head">
      <h1>${t('views.incidents')}</h1>
      ${may.includes('incident-open')
        ? html`<button
            class="button button-primary"
            onClick=${() => incidents.begin(desk.roomId.value === null ? {} : { rooms: [desk.roomId.value] })}
          >
            ${t('incident.new')}
          </button>`
        : null}
    </header>
    <div class="incident-filter" role="group" aria-label=${t('incident.filter')}>
      <button class="chip" aria-pressed=${all ? 'false' : 'true'} onClick=${() => setAll(false)}>
        ${t('incident.filter.open')} <span class="number">${open.length}</span>
      </button>
      <button class="chip" aria-pressed=${all ? 'true' : 'false'} onClick=${() => setAll(true)}>
        ${t('incident.filter.all')} <span class="number">${found?.length ?? 0}</span>
      </button>
    </div>
    ${found !== null && shown.length === 0 ? html`<p class="soft incident-none">${t('incident.none')}</p>` : null}
    <ul>
      ${shown.map(
        (head) => html`<li key=${head.id}>
          <button
            class="incident-row" data-state=${head.state} aria-current=${chosen === head.id ? 'true' : null}
            onClick=${() => incidents.open(head.id)}
          >
            <span class="incident-row-top">
              <strong class="number">#${head.number}</strong>
              <span class="incident-row-title">${titleOf(head, zh)}</span>
            </span>
            <span class="incident-row-more">
              <${State} head=${head} />
              <span>${head.plan} ${zh ? head.plan_zh : head.plan_en}</span>
              <span class="number soft">${hour(head.from)}</span>
            </span>
            <span class="soft incident-row-where">${whereOf(head, t)}</span>
          </button>
        </li>`,
      )}
    </ul>
    ${may.includes('incident-view')
      ? html`<button class="button button-quiet incident-plans-link" onClick=${() => incidents.showPlans()}>
          ${t(may.includes('incident-plans') ? 'incident.plans.edit' : 'incident.plans')}
        </button>`
      : null}
  </aside>`;
}

const SHAPES = { open: 'silent', closed: 'timed_out', signed: 'handed_in' };

/** Colour, shape and word. @param {{head: import('../../core/incidents.js').Head}} props */
export function State({ head }) {
  const { t } = useApp();
  return html`<span class="incident-state" data-state=${head.state}>
      <${Icon} name=${SHAPES[head.state]} size=${14} /> ${t(`incident.state.${head.state}`)}
    </span>
    ${head.sealed ? html`<span class="incident-sealed">${t('incident.sealed')}</span>` : null}`;
}

/** A title nobody changed is the plan's: told in the page's language. @param {import('../../core/incidents.js').Head} head @param {boolean} zh */
export const titleOf = (head, zh) => (!zh && head.title === head.plan_zh ? head.plan_en : head.title);

/** `10:03:12` of an ISO time with its zone, as the hall's clocks show it. @param {string | null} at */
export const hour = (at) => at?.slice(11, 19) ?? '';

/** @param {import('../../core/incidents.js').Head} head @param {any} t */
export function whereOf(head, t) {
  if (head.scope === 'site') return t('incident.scope.site');
  return head.names.slice(0, 4).join(t('list.comma')) + (head.names.length > 4 ? ` … (${head.names.length})` : '');
}
