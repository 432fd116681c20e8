/** Drawing the papers: how many items, from which seed, and what came of it. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { isOpen, moves } from '../../core/site-picture.js';
import { Field } from './forms.js';
import { Said } from './job.js';

/** @typedef {import('../../core/site.js').Session} Session */

export function Draws() {
  const { desk, t } = useApp();
  const { site } = desk;
  const { picture } = site;
  const sessions = picture.value?.sessions ?? [];
  const job = site.job.value?.kind === 'draw' ? site.job.value : null;
  return html`<section aria-label=${t('site.tab.draw')}>
    <p class="soft">${t('site.draw.what')}</p>
    ${job && !moves(job) ? html`<${Drawn} job=${job} />` : null}
    ${sessions.length === 0 ? html`<p class="soft">${t('site.sessions.none')}</p>` : null}
    <ul class="site-draws">
      ${sessions.map((session) => html`<li key=${session.id}><${One} session=${session} barred=${isOpen(site.job.value)} /></li>`)}
    </ul>
  </section>`;
}

/** @param {{job: import('../../core/site.js').Job}} props */
function Drawn({ job }) {
  const { t } = useApp();
  const { result } = job;
  if (job.state === 'lost') return html`<p class="note note-bad" role="alert">${t('site.job.lost', { name: job.name })}</p>`;
  if (job.state !== 'done') return html`<p class="note note-bad" role="alert">${job.name}: <${Said} said=${result} /></p>`;
  return html`<div class="note note-good" role="status">
    <p><strong>${t('site.draw.done', { name: job.name, papers: result.papers, items: result.items, seconds: (result.ms / 1000).toFixed(1) })}</strong></p>
    <p>${t('site.draw.seed')} <code class="site-code">${result.seed}</code></p>
    <p>${t('site.draw.digest')} <code class="site-code">${result.digest}</code></p>
  </div>`;
}

/** @param {{session: Session, barred: boolean}} props */
function One({ session, barred }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const [items, setItems] = useState(String(session.items ?? ''));
  const [how, setHow] = useState({ seed: '', columns: '', redraw: false });
  const begun = session.state === 'begun' || session.state === 'over';
  const drawn = session.papers > 0;
  const shut = begun || session.signed_in > 0;
  const busy = desk.busy.value !== null || barred;
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => setHow({ ...how, [name]: value });
  return html`<article class="site-draw" aria-labelledby=${`draw-${session.id}`}>
    <header>
      <h2 id=${`draw-${session.id}`}>${session.name}</h2>
      <p>
        ${drawn ? t('site.draw.has', { papers: session.papers, people: session.people, at: (session.drawn_at ?? '').slice(0, 16).replace('T', ' ') }) : t('site.draw.none', { people: session.people })}
        ${session.digest ? html` <code class="site-code">${session.digest.slice(0, 16)}…</code>` : null}
      </p>
    </header>
    ${shut
      ? html`<p class="soft">${t(begun ? 'site.draw.begun' : 'site.draw.in-use')}</p>`
      : html`<form
            class="site-line"
            onSubmit=${(/** @type {Event} */ event) => {
              event.preventDefault();
              void site.setItems(session, Number(items));
            }}
          >
            <${Field} label=${t('site.draw.items')} name="items" type="number" min=${1} max=${1000} required value=${items} onValue=${setItems} />
            <button class="button" aria-disabled=${busy ? 'true' : null}>${t(session.items === null ? 'site.draw.set' : 'site.draw.reset')}</button>
          </form>
          <form
            class="site-line"
            onSubmit=${(/** @type {Event} */ event) => {
              event.preventDefault();
              if (!busy) void site.draw(session, { ...how, columns: Number(how.columns) || null });
            }}
          >
            <${Field} label=${t('site.draw.own-seed')} name="seed" value=${how.seed} maxlength=${100} onValue=${set('seed')} />
            <${Field} label=${t('site.draw.columns')} name="columns" type="number" min=${1} max=${100} value=${how.columns} onValue=${set('columns')} />
            ${drawn
              ? html`<label class="site-choice">
                  <input type="checkbox" checked=${how.redraw} onChange=${(/** @type {any} */ event) => set('redraw')(event.target.checked)} />
                  <span>${t('site.draw.again')}</span>
                </label>`
              : null}
            <button
              class=${drawn ? 'button button-danger' : 'button button-primary'}
              aria-disabled=${busy || session.items === null || (drawn && !how.redraw) ? 'true' : null}
              disabled=${session.items === null || (drawn && !how.redraw)}
            >
              ${t(drawn ? 'site.draw.redo' : 'site.draw.do')}
            </button>
          </form>
          ${session.items === null ? html`<p class="soft">${t('site.draw.first')}</p>` : null}`}
  </article>`;
}
