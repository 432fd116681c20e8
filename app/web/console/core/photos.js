/**
 * Candidates' photos of an exam: who has none, and an archive that is brought in, checked first. No DOM.
 *
 * @typedef {{ticket: string, name: string}} Missing
 * @typedef {{
 *   state: 'faulty' | 'would-import' | 'imported' | 'unchanged', files: number, people: number, matched: number, added: number,
 *   same: number, replaced: string[], unmatched: string[], missing: Missing[],
 *   faults: {file: string, fault: string, zh: string, en: string, ticket: string | null}[],
 * }} Report
 * @typedef {{phase: 'sending' | 'reading', done: number, total: number}} Way
 */
import { ApiError, Refused } from '../../shared/api.js';
import { batch, signal } from '../../shared/ui.js';

/**
 * @param {{
 *   get: (path: string) => Promise<any>, upload: ReturnType<typeof import('../../shared/upload.js').createUpload>,
 *   random: {hex: (bytes: number) => string}, headers: () => Record<string, string>,
 *   loginEnded: (error: unknown) => boolean,
 * }} ports
 */
export function createPhotos({ get, upload, random, headers, loginEnded }) {
  const exam = signal(/** @type {{exam: string, name: string, people: number, missing: Missing[]} | null} */ (null));
  const way = signal(/** @type {Way | null} */ (null));
  const report = signal(/** @type {Report | null} */ (null));
  const fault = signal(/** @type {unknown} */ (null));
  /** Somebody has stopped the last one. */
  const stopped = signal(false);
  let stop = () => {};

  /** @param {number} id */
  async function load(id) {
    try {
      exam.value = await get(`/photos?exam=${id}`);
    } catch (error) {
      if (!loginEnded(error)) fault.value = error;
    }
  }

  return {
    exam, way, report, fault, stopped, load,

    /**
     * @param {number} id the exam's
     * @param {{name: string, body: Blob}} file
     * @param {{dryRun: boolean, skipFaulty: boolean}} how
     */
    async send(id, file, { dryRun, skipFaulty }) {
      if (way.value !== null) return;
      batch(() => {
        way.value = { phase: 'sending', done: 0, total: file.body.size };
        report.value = null;
        fault.value = null;
        stopped.value = false;
      });
      const asked = new URLSearchParams({
        exam: String(id), name: file.name.slice(0, 255), dry_run: String(dryRun), skip_faulty: String(skipFaulty),
      });
      const sending = upload({
        path: `/api/v1/staff/photos?${asked}`,
        body: file.body,
        headers: { ...headers(), 'Content-Type': 'application/zip', 'Idempotency-Key': random.hex(16) },
        onSent(done, total) {
          way.value = { phase: 'sending', done, total };
        },
        onLine(line) {
          if (line.report) report.value = line.report;
          else if (line.refused) fault.value = new Refused(409, line.refused, '', null);
          else way.value = { phase: 'reading', done: line.done, total: line.total };
        },
      });
      stop = sending.stop;
      try {
        await sending.done;
        // Cut before its last word: what was stored, the next look at who is missing says.
        if (report.value === null && fault.value === null) fault.value = new ApiError('no last line', '');
      } catch (error) {
        if (!stopped.value && !loginEnded(error)) fault.value = error;
      } finally {
        way.value = null;
      }
      await load(id);
    },

    /** The service lets go at the next picture, and stores nothing of an import whose page has gone. */
    stop() {
      if (way.value === null) return;
      stopped.value = true;
      stop();
    },

    forget() {
      batch(() => {
        report.value = null;
        fault.value = null;
        stopped.value = false;
      });
    },
  };
}

/** @typedef {ReturnType<typeof createPhotos>} Photos */
