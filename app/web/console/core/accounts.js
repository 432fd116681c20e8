/**
 * The staff's accounts as an administrator works on them: the list, the one that is open, and what is done to it.
 * Signals and calls; no DOM.
 *
 * @typedef {{id: number, name: string}} Room
 * @typedef {{
 *   id: number, username: string, name: string, role: string, needs_rooms: boolean, is_demo: boolean,
 *   disabled: boolean, must_change: boolean, created_at: string, rooms: Room[],
 *   logins: {created_at: string, expires_at: string, address: string}[],
 * }} Account
 * @typedef {{username: string, name: string, role: string, password: string, room_ids: number[]}} NewAccount
 */
import { ApiError } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';

/** 32 letters and digits that nobody mistakes for one another on paper. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz023456789';
const GROUPS = 3;
const GROUP = 4;

/**
 * @param {{
 *   get: (path: string) => Promise<any>, send: (at: string, path: string, body: unknown) => Promise<{body: any} | {error: unknown}>,
 *   random: {hex: (bytes: number) => string}, loginEnded: (error: unknown) => boolean, forgive: () => void,
 * }} ports
 */
export function createAccounts({ get, send, random, loginEnded, forgive }) {
  const list = signal(/** @type {Account[] | null} */ (null));
  const timezone = signal(/** @type {string | undefined} */ (undefined));
  /** The account beside the list, or the form for another one. */
  const open = signal(/** @type {number | 'new' | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  /** What was done last, to be told; with the password that was given, until it is put away. */
  const told = signal(/** @type {{what: string, username: string, password?: string, n?: number} | null} */ (null));
  let left = false;

  async function reload() {
    try {
      const body = await get('/accounts');
      if (left) return;
      batch(() => {
        list.value = body.accounts;
        timezone.value = body.timezone;
        fault.value = null;
      });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!left && !loginEnded(error)) fault.value = error;
    }
  }

  /**
   * @param {string} what names the click and what is told of it
   * @param {string} path
   * @param {unknown} body
   * @param {{username: string, password?: string}} about
   */
  async function act(what, path, body, about) {
    told.value = null;
    const done = await send(`accounts ${what}`, path, body);
    if (left) return null;
    if ('body' in done) told.value = { what, ...about, n: done.body.logins };
    // Also after a refusal: what there is now is what has to be decided on.
    await reload();
    return 'body' in done ? done.body : null;
  }

  return {
    list, timezone, open, fault, told, reload,

    start() {
      left = false;
      void reload();
    },

    stop() {
      left = true;
      forgive();
      batch(() => {
        list.value = null;
        open.value = null;
        fault.value = null;
        told.value = null;
      });
    },

    /** @param {number | 'new' | null} which */
    show(which) {
      forgive();
      batch(() => {
        open.value = which;
        told.value = null;
      });
    },

    /** Forget the password that was given. */
    putAway() {
      told.value = null;
    },

    suggest: () => passwordOf(random.hex(GROUPS * GROUP)),

    /** @param {NewAccount} made */
    async add(made) {
      const done = await act('add', '/accounts', made, { username: made.username, password: made.password });
      if (done) open.value = done.id;
      return done !== null;
    },

    /** @param {Account} account @param {string} password */
    setPassword: async (account, password) =>
      (await act('password', `/accounts/${account.id}/password`, { password }, { username: account.username, password })) !== null,

    /** @param {Account} account @param {'disable' | 'enable' | 'logins/revoke'} what */
    change: async (account, what) =>
      (await act(what === 'logins/revoke' ? 'revoke' : what, `/accounts/${account.id}/${what}`, {}, { username: account.username })) !== null,

    /** @param {Account} account @param {number[]} roomIds */
    setRooms: async (account, roomIds) =>
      (await act(
        'rooms', `/accounts/${account.id}/rooms`, { room_ids: roomIds, seen: account.rooms.map(({ id }) => id) },
        { username: account.username },
      )) !== null,
  };
}

/** A password to be told or written down, out of two hexadecimal digits a letter. @param {string} hex */
export function passwordOf(hex) {
  const letters = (hex.match(/../g) ?? []).map((pair) => LETTERS[parseInt(pair, 16) % LETTERS.length]);
  return Array.from({ length: GROUPS }, (_, n) => letters.slice(n * GROUP, (n + 1) * GROUP).join('')).join('-');
}

/**
 * Those whose username, name, role or rooms hold what was typed, in one language or the other.
 *
 * @param {Account[]} accounts
 * @param {string} typed
 * @param {(role: string) => string} roleName
 */
export function matching(accounts, typed, roleName) {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  return accounts.filter((one) => {
    const text = [one.username, one.name, roleName(one.role), ...one.rooms.map(({ name }) => name)].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
