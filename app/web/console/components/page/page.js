import { html } from '../../../shared/ui.js';
import { useApp, useLink } from '../../app.js';
import { Announced } from '../announced/announced.js';
import { Aside } from '../aside/aside.js';
import { Asked } from '../calls/asked.js';
import { Door } from '../door/door.js';
import { Notices } from '../notices/notices.js';
import { Panel } from '../panel/panel.js';
import { FirstPassword } from '../password/password.js';
import { SeatMap } from '../seat-map/seat-map.js';
import { SignIn } from '../sign-in/sign-in.js';
import { StoresLine } from '../stores/stores.js';
import { Summary } from '../summary/summary.js';
import { TelephoneLine } from '../telephone/telephone.js';
import { Timing } from '../timing/timing.js';
import { TopBar } from '../top-bar/top-bar.js';
import { View, Views } from '../views/views.js';

export function Page() {
  const { desk, t } = useApp();
  if (desk.phase.value === 'starting') return html`<p class="page-wait" role="status">${t('app.starting')}</p>`;
  if (desk.phase.value === 'signed-out') return html`<${SignIn} />`;
  if (desk.phase.value === 'new-password') return html`<${FirstPassword} />`;
  return html`<div class="page">
    <${TopBar} />
    <${Views} />
    <${TelephoneLine} />
    <${Link} />
    <${StoresLine} />
    <${Announced} />
    <${Shown} />
    <${Notices} />
  </div>`;
}

/** One of them: a page over the room, what was kept aside, the exam's time, the room. */
function Shown() {
  const { desk } = useApp();
  if (desk.views.open.value !== null) return html`<${View} />`;
  if (desk.aside.open.value !== null) return html`<${Aside} />`;
  return desk.timing.open.value !== null ? html`<${Timing} />` : html`<${Room} />`;
}

/** Whether what is shown is now; silent while all is well. */
function Link() {
  const { desk, t } = useApp();
  const link = useLink();
  if (desk.closed.value !== null || (link !== 'away' && link !== 'down')) return null;
  // With PostgreSQL alone away nobody can draw the room, and all the same candidates answer and the clock moves.
  const told = link === 'away' && desk.stores.value?.ready !== false ? 'stale' : link;
  return html`<div class="page-link" role="status">
    <strong>${t(`link.${told}`)}</strong> <span>${t(`link.${told}.more`)}</span>
  </div>`;
}

function Room() {
  const { desk, t } = useApp();
  const { staff, closed, picture, sessionId, away } = desk;
  if (!staff.value?.rooms.length) return html`<${Empty} title=${t('rooms.none')} more=${t('rooms.none.more')} />`;
  if (closed.value !== null) return html`<${Empty} title=${t('room.closed')} more=${t('room.closed.more')} />`;
  if (sessionId.value === null) return html`<${Empty} title=${t('sessions.none')} more=${t('sessions.none.more')} />`;
  if (picture.value === null) {
    return away.value ? null : html`<p class="page-wait" role="status">${t('room.opening')}</p>`;
  }
  return html`<${Summary} />
    <${Asked} />
    ${desk.door.open.value ? html`<${Door} />` : null}
    <main
      class="page-room"
      data-panel=${desk.selection.value || desk.door.record.value || desk.calls.open.value ? 'open' : 'closed'}
    >
      <${SeatMap} />
      <${Panel} />
    </main>`;
}

/** @param {{title: string, more: string}} props */
function Empty({ title, more }) {
  return html`<main class="page-empty"><h1>${title}</h1><p class="soft">${more}</p></main>`;
}
