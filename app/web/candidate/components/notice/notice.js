/** What to know before the start, and how long it still takes. The paper opens by itself. */
import { html, useLayoutEffect, useRef, useState } from '../../../shared/ui.js';
import { seatText, useApp, useTick } from '../../app.js';
import { digits } from '../../core/timer.js';
import { ConnectionBanner } from '../connection-banner/connection-banner.js';
import { Frame, Waiting } from '../frame/frame.js';
import { Pause } from '../icons/icons.js';
import { TimeWhy } from '../time-why/time-why.js';

const MINUTE_MS = 60000;

export function Notice() {
  const { t, state, sitting } = useApp();
  useTick(250);
  const [asked, setAsked] = useState(false);
  const title = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => title.current?.focus(), []);
  const work = state.value.work;
  if (!work) return null;
  const { candidate = {}, session = {}, seat = {} } = work.grant.who ?? {};
  const startsIn = sitting.work()?.timer.startsIn() ?? null;
  const waiting = work.clock?.state === 'waiting';
  const paused = work.clock?.state === 'paused';
  const moved = work.clock?.because.some((part) => part.kind !== 'planned') ?? false;
  const minutes = Math.round((session.duration_ms ?? 0) / MINUTE_MS);
  const earliest = Math.round((session.earliest_hand_in_ms ?? 0) / MINUTE_MS);

  return html`
    <${ConnectionBanner} />
    <${Frame} wide>
      <div class="notice">
        <section class="card notice-rules">
          <h1 tabindex="-1" ref=${title}>${t('notice.title')}</h1>
          <ol>
            ${minutes > 0 && html`<li>${t('notice.rule.time', { minutes })}</li>`}
            <li>${t('notice.rule.save')}</li>
            <li>${t('notice.rule.network')}</li>
            <li>${t('notice.rule.move')}</li>
            <li>${earliest > 0 ? t('notice.rule.handIn', { minutes: earliest }) : t('notice.rule.handInAny')}</li>
            <li>${t('notice.rule.keys')}</li>
          </ol>
        </section>
        <section class="card notice-start">
          <p class="notice-who">
            <strong>${candidate.name}</strong>
            <span class="soft">${session.name}</span>
            <span class="soft">${seatText(t, seat)}</span>
          </p>
          <div class="notice-clock">
            ${paused
              ? html`
                  <p class="notice-label notice-paused" role="status"><${Pause} /> ${t('exam.paused')}</p>
                  <p>${t('notice.paused')}</p>
                `
              : !waiting || startsIn === 0
                ? html`<${Waiting} text=${t('notice.starting')} more=${state.value.waiting ? t('app.waiting') : undefined} />`
                : startsIn === null
                  ? html`<p class="notice-label">${t('notice.waitOffice')}</p>`
                  : html`
                      <p class="notice-label">${t('notice.startsIn')}</p>
                      <p class="notice-digits number" role="timer">${digits(startsIn)}</p>
                    `}
          </div>
          ${moved &&
          html`
            <details class="notice-why" onToggle=${(/** @type {any} */ event) => setAsked(event.currentTarget.open)}>
              <summary>${t('timeWhy.title')}</summary>
              <${TimeWhy} asked=${asked} />
            </details>
          `}
          <p class="soft">${t('notice.auto')}</p>
        </section>
      </div>
    <//>
  `;
}
