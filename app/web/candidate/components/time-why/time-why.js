/**
 * "Why is this my end time": the service's own line, `10:03:12 = 10:00:00 + …`, and its summands one by one. The summands
 * came with the clock, so they are there while no server answers.
 */
import { html, useEffect } from '../../../shared/ui.js';
import { durationText, useApp } from '../../app.js';

/** @param {{asked: boolean}} props `asked`: the candidate has opened it */
export function TimeWhy({ asked }) {
  const { t, state, sitting, zh } = useApp();
  const work = state.value.work;
  const clock = work?.clock ?? null;
  const explained = work?.explained ?? null;
  const wanted = asked && clock !== null && explained === null;
  useEffect(() => {
    if (wanted) void sitting.work()?.explain();
  }, [wanted]);
  if (!clock) return null;
  const end = clock.ends_at ? new Date(clock.ends_at) : null;
  const time = end?.toLocaleTimeString(zh ? 'zh-CN' : 'en-GB', { hour12: false });
  const changes = clock.because.filter((part) => part.kind !== 'planned');
  return html`
    <div class="time-why">
      <h2>${t('timeWhy.title')}</h2>
      ${explained
        ? html`<p class="time-why-line number">${zh ? explained.zh : explained.en}</p>`
        : time && html`<p class="time-why-line number">${t('timeWhy.ends', { time })}</p>`}
      ${clock.state === 'paused' && html`<p>${t('timeWhy.paused')}</p>`}
      ${changes.length === 0
        ? html`<p>${t('timeWhy.plain')}</p>`
        : html`
            <ul>
              ${clock.because.map((part) => {
                const text = (zh ? part.text_zh : part.text_en) ?? durationText(t, part.ms);
                return html`<li class="number"><span>${part.kind === 'planned' ? '' : part.ms < 0 ? '−' : '+'}</span>${text}</li>`;
              })}
            </ul>
          `}
      <p class="soft">${t('timeWhy.note')}</p>
    </div>
  `;
}
