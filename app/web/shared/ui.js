/**
 * The one seam to the vendored UI modules: everything else imports from here, so that a library can be replaced in
 * one file. `html` is the tagged template that stands in for JSX (no build step: docs/decisions/0005).
 */
import htm from '../vendor/htm.js';
import { h } from '../vendor/preact.js';

export { Fragment, createContext, h, render } from '../vendor/preact.js';
export {
  useCallback,
  useContext,
  useEffect,
  useErrorBoundary,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from '../vendor/preact-hooks.js';
export { batch, computed, effect, signal, untracked } from '../vendor/signals-core.js';
// Importing the binding is what makes components follow the signals they read.
export { useComputed, useSignal, useSignalEffect } from '../vendor/signals.js';

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));
