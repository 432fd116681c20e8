/** Discrepancies 信息不符: the form at the door, and the correction list that the office decides on. */
import { html, useEffect, useState } from '../../../shared/ui.js';
import { useApp, wordsFor } from '../../app.js';
import { Papers } from '../cases/papers.js';
import { Outcome } from '../panel/panel.js';
import { Draft } from './draft.js';
import { Item } from './item.js';

export function Discrepancies() {
  const app = useApp();
  const { desk, t } = app;
  const { discrepancies } = desk;
  const session = desk.sessionId.value ?? desk.sessions.value[0]?.id ?? null;
  useEffect(() => {
    if (session === null) return undefined;
    discrepancies.enter(session);
    return () => discrepancies.leave();
  }, [session]);
  if (session === null) return html`<main class="page-empty"><h1>${t('sessions.none')}</h1></main>`;
  const { fault, draft } = discrepancies;
  return html`<main class="cases">
    ${fault.value ? html`<p class="note note-bad" role="alert">${wordsFor(app, fault.value)}</p>` : null}
    ${draft.value ? html`<${Draft} key=${draft.value.room} draft=${draft.value} />` : html`<${List} session=${session} />`}
  </main>`;
}

/** @param {{session: number}} props */
function List({ session }) {
  const { desk, t } = useApp();
  const { discrepancies } = desk;
  const [all, setAll] = useState(false);
  const may = desk.staff.value?.may ?? [];
  const found = discrepancies.list.value;
  const open = (found ?? []).filter((one) => one.open);
  const shown = all ? (found ?? []) : open;
  const done = discrepancies.done.value;
  const room = desk.roomId.value;
  return html`<header class="case-head">
      <h1>${t('views.discrepancies')}</h1>
      <div class="case-filter" role="group" aria-label=${t('case.filter')}>
        <button class="chip" aria-pressed=${all ? 'false' : 'true'} onClick=${() => setAll(false)}>
          ${t('discrepancy.open')} <span class="number">${open.length}</span>
        </button>
        <button class="chip" aria-pressed=${all ? 'true' : 'false'} onClick=${() => setAll(true)}>
          ${t('case.all')} <span class="number">${found?.length ?? 0}</span>
        </button>
      </div>
      <span class="case-gap"></span>
      <${Papers} path=${`/discrepancies/report?session=${session}&`} name=${`corrections-${session}`} forms=${['xlsx', 'docx', 'csv']} />
      ${may.includes('discrepancy-open') && room !== null
        ? html`<button class="button button-primary" onClick=${() => discrepancies.begin(room)}>${t('discrepancy.new')}</button>`
        : null}
    </header>
    ${done
      ? html`<p class="note note-good" role="status">
          ${t(done.checkedIn ? 'discrepancy.done' : 'discrepancy.doneOnly', { name: done.name })}
          ${done.number ? ` ${t('discrepancy.tail')}` : ''}
        </p>`
      : null}
    ${found !== null && shown.length === 0 ? html`<p class="soft case-none">${t('discrepancy.none')}</p>` : null}
    <ul class="case-list">
      ${shown.map((one) => html`<${Item} key=${one.id} of=${one} decides=${may.includes('discrepancy-decide')} />`)}
    </ul>
    ${may.includes('discrepancy-decide') ? html`<${Decide} />` : null}`;
}

/** What is chosen is sent together: two exchanged numbers can be corrected no other way. */
function Decide() {
  const { desk, t } = useApp();
  const { discrepancies } = desk;
  const [note, setNote] = useState('');
  const n = Object.keys(discrepancies.chosen.value).length;
  if (n === 0) return html`<${Outcome} at=${['decide']} />`;
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (await discrepancies.decide(note)) setNote('');
  };
  return html`<form class="case-decide" onSubmit=${submit}>
    <label>
      <span class="sr-only">${t('discrepancy.why')}</span>
      <input
        class="input" name="why" maxlength="200" value=${note} placeholder=${t('discrepancy.why')}
        onInput=${(/** @type {any} */ event) => setNote(event.target.value)}
      />
    </label>
    <button class="button button-primary button-large" aria-disabled=${desk.busy.value === null ? null : 'true'}>
      ${t('discrepancy.decide', { n })}
    </button>
    <${Outcome} at=${['decide']} />
  </form>`;
}
