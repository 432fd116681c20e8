/** Which screen is shown follows from the state alone (`core/phase.js`). */
import { html, useErrorBoundary } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Exam } from '../exam/exam.js';
import { Frame, Waiting } from '../frame/frame.js';
import { Identity } from '../identity/identity.js';
import { Notice } from '../notice/notice.js';
import { Receipt } from '../receipt/receipt.js';
import { SignIn } from '../sign-in/sign-in.js';
import { Closed, Elsewhere, HandingIn, Replaced } from '../stopped/stopped.js';

export function Page() {
  const { t, fault } = useApp();
  const [broken] = useErrorBoundary((/** @type {unknown} */ error) => {
    console.error(error);
    fault.value = true;
  });
  return html`
    ${fault.value &&
    html`
      <div class="note note-bad" role="alert">
        ${t('app.fault')}
        <button type="button" class="button button-quiet" onClick=${() => window.location.reload()}>
          ${t('app.reload')}
        </button>
      </div>
    `}
    ${!broken && html`<${Screen} />`}
  `;
}

function Screen() {
  const { t, state } = useApp();
  const { phase, waiting } = state.value;
  switch (phase) {
    case 'starting':
      return html`<${Frame}><${Waiting} text=${t('app.starting')} /><//>`;
    case 'resuming': {
      const more = waiting ? t('app.waiting') : t('app.resuming.more');
      return html`<${Frame}><${Waiting} text=${t('app.resuming')} more=${more} /><//>`;
    }
    case 'sign-in':
      return html`<${SignIn} />`;
    case 'identity':
      return html`<${Identity} />`;
    case 'notice':
      return html`<${Notice} />`;
    case 'exam':
      return html`<${Exam} />`;
    case 'handing-in':
    case 'time-up':
      return html`<${HandingIn} timeUp=${phase === 'time-up'} />`;
    case 'receipt':
      return html`<${Receipt} />`;
    case 'replaced':
      return html`<${Replaced} />`;
    case 'closed':
      return html`<${Closed} />`;
    case 'elsewhere':
      return html`<${Elsewhere} />`;
  }
}
