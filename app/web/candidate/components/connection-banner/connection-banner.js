/** Two messages that must never be mixed up: the server is away (nothing to do), this PC is offline (raise your hand). */
import { html, useEffect, useRef, useState } from '../../../shared/ui.js';
import { useApp } from '../../app.js';
import { Check, Hand, Link } from '../icons/icons.js';

const BACK_MS = 4000;

export function ConnectionBanner() {
  const { t, state } = useApp();
  const { state: now, unsure } = state.value.connection;
  const before = useRef(now);
  const [back, setBack] = useState(false);
  useEffect(() => {
    const was = before.current;
    before.current = now;
    if (now !== 'online' || (was !== 'server-away' && was !== 'pc-offline')) return undefined;
    setBack(true);
    const handle = setTimeout(() => setBack(false), BACK_MS);
    return () => clearTimeout(handle);
  }, [now]);

  const offline = now === 'pc-offline';
  const away = now === 'server-away';
  return html`
    <div class="connection" role=${offline ? 'alert' : 'status'} data-connection=${now}>
      ${away &&
      html`
        <div class="connection-line connection-away">
          <span class="connection-sign"><${Link} /></span>
          <p><strong>${t('connection.away')}</strong> ${t(unsure ? 'connection.unsure' : 'connection.away.more')}</p>
        </div>
      `}
      ${offline &&
      html`
        <div class="connection-line connection-offline">
          <span class="connection-sign"><${Hand} /></span>
          <p><strong>${t('connection.offline')}</strong> ${t('connection.offline.more')}</p>
        </div>
      `}
      ${now === 'online' &&
      back &&
      html`
        <div class="connection-line connection-back">
          <span class="connection-sign"><${Check} /></span>
          <p>${t('connection.back')}</p>
        </div>
      `}
    </div>
  `;
}
