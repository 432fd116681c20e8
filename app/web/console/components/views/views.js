/** The tabs under the top bar: the room, and every page that may lie over it. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { waiting } from '../../core/aside.js';
import { viewsFor } from '../../core/views.js';
import { TelephoneButton } from '../telephone/telephone.js';
import { PAGES } from './pages.js';

/** The open page, if one lies over the room. */
export function View() {
  const { desk } = useApp();
  const page = PAGES[desk.views.open.value ?? ''];
  return page ? html`<${page} />` : null;
}

export function Views() {
  const { desk, t } = useApp();
  const { aside, timing, views, staff, sessionId, sessions } = desk;
  const may = staff.value?.may ?? [];
  const session = sessionId.value ?? sessions.value[0]?.id ?? null;
  const kept = waiting(aside.counts.value, sessionId.value);
  const inRoom = views.open.value === null && timing.open.value === null && aside.open.value === null;
  return html`<nav class="views" aria-label=${t('views.label')}>
    <${Tab} open=${inRoom} onOpen=${() => desk.leaveViews()}>${t('views.room')}<//>
    ${session !== null && may.includes('time-view')
      ? html`<${Tab}
          open=${timing.open.value !== null}
          onOpen=${() => {
            desk.leaveViews();
            void timing.show(session);
          }}
        >
          ${t('timing.link')}
        <//>`
      : null}
    ${aside.open.value !== null || (kept.total > 0 && kept.session !== null)
      ? html`<${Tab}
          open=${aside.open.value !== null} some=${kept.total > 0}
          onOpen=${() => {
            desk.leaveViews();
            if (kept.session !== null) void aside.show(kept.session);
          }}
        >
          ${t('aside.link')} <strong class="number">${kept.total}</strong>
        <//>`
      : null}
    ${viewsFor(may).map(
      (name) => html`<${Tab} key=${name} open=${views.open.value === name} onOpen=${() => views.show(name)}>
        ${t(`views.${name}`)}
      <//>`,
    )}
    <${TelephoneButton} />
  </nav>`;
}

/** @param {{open: boolean, onOpen: () => void, some?: boolean, children?: any}} props `some`: something waits there */
function Tab({ open, onOpen, some = false, children }) {
  return html`<button
    class="views-tab" aria-current=${open ? 'page' : null} data-some=${some ? 'yes' : null} onClick=${() => open || onOpen()}
  >
    ${children}
  </button>`;
}
