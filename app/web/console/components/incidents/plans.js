/** The contingency plans: read by everybody who may read incidents, edited by the office; every save is a new version. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Outcome } from '../panel/panel.js';

/** @typedef {import('../../core/incidents.js').Plan} Plan */

export function Plans() {
  const { desk, t, i18n } = useApp();
  const { incidents } = desk;
  const may = desk.staff.value?.may.includes('incident-plans') ?? false;
  const [editing, setEditing] = useState(/** @type {string | null} */ (null));
  const zh = i18n.language.value.startsWith('zh');
  return html`<div class="incident-plans">
    <header class="incident-plans-head">
      <h2>${t('incident.plans')}</h2>
      <button class="button button-quiet" onClick=${() => incidents.close()}>${t('incident.back')}</button>
    </header>
    ${incidents.plans.value.map((plan) =>
      editing === plan.plan
        ? html`<${Edit} key=${`${plan.plan} edit`} plan=${plan} onDone=${() => setEditing(null)} />`
        : html`<details key=${plan.plan} class="incident-plan">
            <summary>
              <b class="number">${plan.plan}</b> ${zh ? plan.title_zh : plan.title_en}
              <span class="soft number">${t('incident.version', { n: plan.version })}${plan.by ? ` · ${plan.by}` : ''}</span>
            </summary>
            <ol>
              ${plan.steps.map((step) => html`<li key=${step.id}>${zh ? step.zh : step.en}</li>`)}
            </ol>
            ${may ? html`<button class="button" onClick=${() => setEditing(plan.plan)}>${t('incident.plan.edit')}</button>` : null}
          </details>`,
    )}
  </div>`;
}

/** @param {{plan: Plan, onDone: () => void}} props */
function Edit({ plan, onDone }) {
  const { desk, t } = useApp();
  const [titles, setTitles] = useState({ title_zh: plan.title_zh, title_en: plan.title_en });
  const [steps, setSteps] = useState(plan.steps);
  // What was seen when the editing began: a newer version that comes meanwhile is not overwritten.
  const [version] = useState(plan.version);
  const put = (/** @type {number} */ n, /** @type {Partial<Plan['steps'][number]>} */ some) =>
    setSteps(steps.map((step, at) => (at === n ? { ...step, ...some } : step)));
  const move = (/** @type {number} */ n, /** @type {number} */ by) => {
    const next = [...steps];
    [next[n], next[n + by]] = [next[n + by], next[n]];
    setSteps(next);
  };
  const whole = titles.title_zh && titles.title_en && steps.length > 0 && steps.every(({ zh, en }) => zh.trim() && en.trim());
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (whole && (await desk.incidents.savePlan({ ...plan, ...titles, steps, version }))) onDone();
  };
  const field = (/** @type {string} */ label, /** @type {string} */ value, /** @type {(value: string) => void} */ on) =>
    html`<input class="input" aria-label=${label} value=${value} maxlength="200" onInput=${(/** @type {any} */ event) => on(event.target.value)} />`;
  return html`<form class="incident-plan incident-plan-edit" onSubmit=${submit}>
    <div class="incident-plan-row">
      <b class="number">${plan.plan}</b>
      ${field(t('incident.plan.zh'), titles.title_zh, (title_zh) => setTitles({ ...titles, title_zh }))}
      ${field(t('incident.plan.en'), titles.title_en, (title_en) => setTitles({ ...titles, title_en }))}
    </div>
    ${steps.map(
      (step, n) => html`<div class="incident-plan-row" key=${step.id || `new ${n}`}>
        <span class="number">${n + 1}</span>
        ${field(t('incident.step.zh', { n: n + 1 }), step.zh, (zh) => put(n, { zh }))}
        ${field(t('incident.step.en', { n: n + 1 }), step.en, (en) => put(n, { en }))}
        <button type="button" class="button button-quiet" disabled=${n === 0} aria-label=${t('incident.step.up', { n: n + 1 })} onClick=${() => move(n, -1)}>↑</button>
        <button type="button" class="button button-quiet" disabled=${n === steps.length - 1} aria-label=${t('incident.step.down', { n: n + 1 })} onClick=${() => move(n, 1)}>↓</button>
        <button type="button" class="button button-quiet" aria-label=${t('incident.step.off', { n: n + 1 })} onClick=${() => setSteps(steps.filter((_, at) => at !== n))}>×</button>
      </div>`,
    )}
    <div class="incident-buttons">
      <button type="button" class="button" onClick=${() => setSteps([...steps, { id: '', zh: '', en: '' }])}>${t('incident.step.add')}</button>
      <button class="button button-primary" aria-disabled=${whole ? null : 'true'}>${t('incident.plan.save')}</button>
      <button type="button" class="button button-quiet" onClick=${onDone}>${t('incident.cancel')}</button>
    </div>
    <${Outcome} at=${['plan']} />
  </form>`;
}
