/** JSON to the server and back. */

import { retryAfterMs } from "../stream/backoff.js";
import { ApiError, errorOf } from "./errors.js";

const TIMEOUT_MS = 15_000;

/**
 * @param {string} path
 * @returns {Promise<any>}
 */
export function getJson(path) {
  return exchange(path, { headers: { Accept: "application/json" }, cache: "no-store" });
}

/**
 * @param {string} path
 * @param {object} body
 * @param {Record<string, string>} [headers]
 * @returns {Promise<any>}
 */
export function postJson(path, body, headers = {}) {
  return exchange(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function exchange(path, init) {
  let response;
  try {
    response = await fetch(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new ApiError(
      error instanceof DOMException && error.name === "TimeoutError"
        ? `The server did not answer within ${TIMEOUT_MS / 1_000} seconds.`
        : "The server cannot be reached.",
    );
  }

  if (!response.ok) {
    const error = await errorOf(response);
    error.retryAfterMs = retryAfterMs(response.headers.get("Retry-After"));
    throw error;
  }
  try {
    return await response.json();
  } catch {
    throw new ApiError("The server's answer was cut off.");
  }
}
