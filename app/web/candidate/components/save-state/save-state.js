/** 已存本机 / 正在保存 / 已缓存 / 已保存: the weakest word of all answers, and on request what each word means. */
import { html } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { closesOutside } from '../exam-timer/exam-timer.js';
import { Check, Disk, Layers, Up } from '../icons/icons.js';

const SIGNS = { empty: Check, local: Disk, sending: Up, buffered: Layers, saved: Check };

/** @param {{tally: import('../../core/state.js').Tally, word: keyof typeof SIGNS}} props */
export function SaveState({ tally, word }) {
  const { t, state } = useApp();
  const Sign = SIGNS[word];
  const waiting = tally.local + tally.sending + tally.writing;
  const away = state.value.connection.state !== 'online';
  return html`
    <details class=${`save-state save-state-${word}`} ref=${closesOutside}>
      <summary aria-label=${`${t('save.label')}：${t(`save.${word}`)}`}>
        <span class="save-state-sign"><${Sign} /></span>
        <span>
          <span class="save-state-word" data-save=${word}>${t(`save.${word}`)}</span>
          ${away && waiting > 0 && html`<span class="save-state-more number">${t('save.waiting', { n: waiting })}</span>`}
        </span>
      </summary>
      <div class="popover">
        <p><strong>${t('save.about.title')}</strong></p>
        <dl>
          ${/** @type {const} */ (['local', 'sending', 'buffered', 'saved']).map((one) => {
            const One = SIGNS[one];
            return html`
              <div class=${`save-state-row save-state-${one}`}>
                <span class="save-state-sign"><${One} /></span>
                <dt>${t(`save.${one}`)}</dt>
                <dd>${t(`save.about.${one}`)}</dd>
              </div>
            `;
          })}
        </dl>
      </div>
    </details>
  `;
}
