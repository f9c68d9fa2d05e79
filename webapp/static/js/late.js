/**
 * A part of the page that is loaded when it is first needed. A browser never asks again for a
 * module that it could not load, until the page is loaded anew.
 *
 * @template T
 * @param {() => Promise<T>} load
 * @returns {() => Promise<T>}  the same part each time
 */
export function late(load) {
  /** @type {Promise<T> | null} */
  let part = null;
  return () => (part ??= load().catch((error) => Promise.reject(new Error(FAILED, { cause: error }))));
}

const FAILED = "A part of this page could not be loaded. Reload the page.";
