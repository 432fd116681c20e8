/** The screens on which nothing can be answered: handing in, time up, replaced, closed, open elsewhere. */
import { html, useLayoutEffect, useRef } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { ConnectionBanner } from '../connection-banner/connection-banner.js';
import { Frame, Waiting } from '../frame/frame.js';

/** @param {{title: string, children?: any}} props */
function Stopped({ title, children }) {
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => heading.current?.focus(), []);
  return html`
    <${Frame}>
      <section class="card stopped">
        <h1 tabindex="-1" ref=${heading}>${title}</h1>
        ${children}
      </section>
    <//>
  `;
}

/** @param {{timeUp: boolean}} props */
export function HandingIn({ timeUp }) {
  const { t, state } = useApp();
  const { connection, work } = state.value;
  const away = connection.state === 'server-away' || connection.state === 'pc-offline';
  const buffered = (work?.tally.buffered ?? 0) > 0 && !away;
  const text = away && !timeUp ? 'handIn.busy.away' : buffered ? 'handIn.busy.buffered' : timeUp ? 'timeUp.text' : 'handIn.busy.text';
  return html`
    <${ConnectionBanner} />
    <${Stopped} title=${t(timeUp ? 'timeUp.title' : 'handIn.busy')}>
      <${Waiting} text=${t(text)} />
    <//>
  `;
}

export function Replaced() {
  const { t, state, sitting } = useApp();
  const work = state.value.work;
  if (!work) return null;
  const { tally, grant } = work;
  const waiting = tally.local + tally.sending + tally.writing;
  const seat = grant.superseded_by?.seat;
  return html`
    <${Stopped} title=${t('replaced.title')}>
      <p>${seat ? t('replaced.seat', { seat }) : t('replaced.seatUnknown')}</p>
      ${waiting > 0 && html`<p class="note note-warn" role="status">${t('replaced.left', { n: waiting })}</p>`}
      ${tally.stranded > 0 && html`<p class="note note-info" role="status">${t('replaced.kept', { n: tally.stranded })}</p>`}
      ${waiting === 0 && tally.stranded === 0 && html`<p class="soft">${t('replaced.none')}</p>`}
      <button type="button" class="button button-large button-primary" onClick=${() => void sitting.leave()}>
        ${t('replaced.done')}
      </button>
    <//>
  `;
}

export function Closed() {
  const { t, state, sitting } = useApp();
  const { tally } = state.value.work ?? { tally: null };
  const left = tally ? tally.local + tally.sending + tally.buffered : 0;
  return html`
    <${Stopped} title=${t('closed.title')}>
      <${Waiting} text=${t('closed.text')} />
      ${left > 0 && html`<p class="note note-warn" role="status">${t('closed.left', { n: left })}</p>`}
      <button type="button" class="button button-large" onClick=${() => void sitting.leave()}>${t('closed.done')}</button>
    <//>
  `;
}

export function Elsewhere() {
  const { t, sitting } = useApp();
  return html`
    <${Stopped} title=${t('elsewhere.title')}>
      <p>${t('elsewhere.text')}</p>
      <button type="button" class="button button-large button-primary" onClick=${sitting.takeHere}>
        ${t('elsewhere.take')}
      </button>
    <//>
  `;
}
