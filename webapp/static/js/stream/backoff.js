/** How long to wait before the stream is opened again. */

export const DEFAULT_RETRY_MS = 1_000;
export const MAX_DELAY_MS = 30_000;

/**
 * Never less than the server's `retry:`, twice as long after each failure up to half a minute, and
 * up to half as long again at random: viewers that were cut off together do not come back together.
 *
 * @param {number} failures  connections that failed since the last one that gave anything
 * @param {number} retryMs   the server's `retry:`
 * @param {() => number} [random]
 */
export function reconnectDelay(failures, retryMs, random = Math.random) {
  const ceiling = Math.max(retryMs, MAX_DELAY_MS);
  const delay = Math.min(retryMs * 2 ** failures, ceiling);
  return Math.round(delay * (1 + random() / 2));
}

/**
 * The Retry-After header in milliseconds: seconds or a date (RFC 9110, section 10.2.3), 0 without it.
 */
export function retryAfterMs(header, now = Date.now()) {
  if (header === null) return 0;
  const seconds = Number(header);
  const delay = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(header) - now;
  return Math.max(0, Math.min(delay || 0, 5 * 60_000));
}

/**
 * Resolves after `delayMs`, or at once when `signal` is aborted.
 *
 * @returns {Promise<void>}
 */
export function pause(delayMs, signal) {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const timer = setTimeout(done, delayMs);
    signal?.addEventListener("abort", done, { once: true });

    function done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    }
  });
}
