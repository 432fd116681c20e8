/**
 * A large file, sent with a word on the way: how much has left, and what the service says of its work, line by line.
 * `fetch` tells neither in the browsers of a hall, so this is the old request object; the answers are those of `api.js`.
 */
import { NotOurs, Refused, Unreachable } from './api.js';

/**
 * @typedef {{
 *   path: string, body: Blob, headers: Record<string, string>,
 *   onSent: (sent: number, total: number) => void, onLine: (line: any) => void,
 * }} Upload
 */

/** @param {new () => XMLHttpRequest} Request */
export function createUpload(Request) {
  /** @param {Upload} upload @returns {{done: Promise<void>, stop: () => void}} `done` once the last line has been told */
  return function send({ path, body, headers, onSent, onLine }) {
    const request = new Request();
    let read = 0;
    /** Whole lines only: the last piece may be half of one. */
    const tell = () => {
      if (request.status !== 200) return;
      const until = request.responseText.lastIndexOf('\n') + 1;
      const lines = request.responseText.slice(read, until).split('\n').filter(Boolean);
      read = until;
      for (const line of lines) onLine(JSON.parse(line));
    };
    /** @type {Promise<void>} */
    const done = new Promise((resolve, reject) => {
      request.upload.onprogress = (event) => onSent(event.loaded, body.size);
      request.onprogress = tell;
      request.onerror = () => reject(new Unreachable('the upload was cut', ''));
      request.onabort = () => reject(new Unreachable('the upload was given up', ''));
      request.onload = () => {
        if (request.status === 200) {
          tell();
          return resolve();
        }
        try {
          reject(new Refused(request.status, JSON.parse(request.responseText), '', request.getResponseHeader('Retry-After')));
        } catch {
          reject(new NotOurs(request.status, ''));
        }
      };
      request.open('POST', path);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.send(body);
    });
    return { done, stop: () => request.abort() };
  };
}
