/** The sessions of an exam, and the form for one of them or one more. */
import { html, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { sessionForm } from '../../core/site-picture.js';
import { Field, Remove, Sheet } from './forms.js';

/** @typedef {import('../../core/site.js').Session} Session */

const FRESH = { name: '', start: '', minutes: 90, sign_in_opens: 30, last_admission: 15, earliest_hand_in: 0 };
const MINUTES = /** @type {const} */ (['minutes', 'sign_in_opens', 'last_admission', 'earliest_hand_in']);
/** What has begun is changed at the desk of time, not here. */
const BEGUN = new Set(['begun', 'over']);

export function Sessions() {
  const { desk, t } = useApp();
  const { site } = desk;
  const { picture, open } = site;
  const sessions = picture.value?.sessions ?? [];
  const one = open.value?.what === 'session' ? open.value : null;
  return html`<section aria-label=${t('site.tab.sessions')}>
    ${one ? html`<${SessionSheet} key=${one.id} session=${sessions.find(({ id }) => id === one.id) ?? null} after=${sessions} />` : null}
    <div class="site-scroll">
      <table class="site-table">
        <thead>
          <tr>
            ${['number', 'name', 'start', 'minutes', 'door', 'people', 'papers', 'state'].map((name) => html`<th key=${name} scope="col">${t(`site.session.${name}`)}</th>`)}
            <th scope="col"><span class="sr-only">${t('site.change')}</span></th>
          </tr>
        </thead>
        <tbody>
          ${sessions.map(
            (session) => html`<tr key=${session.id}>
              <td class="number">${session.number}</td>
              <th scope="row">${session.name}</th>
              <td class="number">${session.start.replace('T', ' ')}</td>
              <td class="number">${session.minutes}</td>
              <td>
                ${t('site.session.door.text', {
                  opens: session.sign_in_opens, last: session.last_admission, early: session.earliest_hand_in,
                })}
              </td>
              <td class="number">${session.people}</td>
              <td class="number">${session.papers}</td>
              <td>${t(`site.session.state.${session.state}`)}</td>
              <td>
                ${BEGUN.has(session.state)
                  ? null
                  : html`<button class="button" onClick=${() => site.show('session', session.id)}>
                      ${t('site.change')}<span class="sr-only"> ${session.name}</span>
                    </button>`}
              </td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${sessions.length === 0 ? html`<p class="soft">${t('site.sessions.none')}</p>` : null}
    <button class="button" onClick=${() => site.show('session')}>${t('site.session.new')}</button>
  </section>`;
}

/** @param {{session: Session | null, after: Session[]}} props */
function SessionSheet({ session, after }) {
  const { desk, t } = useApp();
  const { site } = desk;
  const last = after[after.length - 1];
  /** As it was when the form opened: what is saved is compared with this. */
  const [was] = useState(session);
  const [fields, setFields] = useState(() => /** @type {Record<string, any>} */ (
    was ? sessionForm(was) : last ? { ...sessionForm(last), name: '' } : { ...FRESH }
  ));
  const set = (/** @type {string} */ name) => (/** @type {string} */ value) => setFields({ ...fields, [name]: value });
  const form = () => {
    const whole = /** @type {any} */ ({ ...fields });
    for (const name of MINUTES) whole[name] = Number(fields[name]);
    return whole;
  };
  return html`<${Sheet}
    title=${was ? t('site.session.edit', { name: was.name }) : t('site.session.new')} save=${t('site.save')}
    busy=${desk.busy.value !== null} onClose=${() => site.show(null)} onSubmit=${() => void site.saveSession(was, form())}
    more=${was && was.people === 0
      ? html`<${Remove} label=${t('site.remove')} sure=${t('site.remove.sure', { name: was.name })} onSure=${() => void site.removeSession(was)} />`
      : null}
  >
    <${Field} label=${t('site.session.name')} name="name" value=${fields.name} required maxlength=${100} onValue=${set('name')} />
    <${Field}
      label=${t('site.session.start')} name="start" type="datetime-local" value=${fields.start} required onValue=${set('start')}
      hint=${t('site.session.zone', { zone: site.picture.value?.exam.timezone ?? '' })}
    />
    ${MINUTES.map(
      (name) => html`<${Field}
        key=${name} label=${t(`site.session.${name}`)} hint=${t(`site.session.${name}.hint`)} name=${name} type="number"
        min=${name === 'minutes' ? 1 : 0} max=${1440} required value=${fields[name]} onValue=${set(name)}
      />`,
    )}
  <//>`;
}
