/** JSON to the server and back. */

import { noteServerDate } from "../clock.js";
import { serverPath } from "../root.js";
import { retryAfterMs } from "../stream/backoff.js";
import { ApiError, errorIn } from "./errors.js";

const TIMEOUT_MS = 15_000;

/** Whether the server takes us for who we are: a cookie may be void while the page is open. */
export const login = { isIn: true, onChange: (isIn) => isIn };

function noteLogin({ ok, status }) {
  if (login.isIn === ok || (!ok && status !== 401)) return;
  login.isIn = ok;
  login.onChange(ok);
}

/** @param {(body: unknown) => boolean} [isAnswer]  whether this body is good, whatever the status */
export function getJson(path, isAnswer) {
  return exchange(path, { headers: { Accept: "application/json" }, cache: "no-store" }, isAnswer);
}

/** @param {object} body @param {Record<string, string>} [headers] */
export function postJson(path, body, headers = {}) {
  return exchange(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function exchange(path, init, isAnswer = () => false) {
  const sentAt = Date.now();
  let response;
  try {
    response = await fetch(serverPath(path), { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    throw new ApiError(
      error instanceof DOMException && error.name === "TimeoutError"
        ? `The server did not answer within ${TIMEOUT_MS / 1_000} seconds.`
        : "The server cannot be reached.",
    );
  }

  noteLogin(response);
  noteServerDate(response.headers.get("Date"), sentAt);
  const body = await response.json().catch(() => undefined);
  if (response.ok || isAnswer(body)) {
    if (body === undefined) throw new ApiError("The server's answer was cut off.");
    return body;
  }
  const error = errorIn(body, response.status, response.statusText);
  error.retryAfterMs = retryAfterMs(response.headers.get("Retry-After"));
  throw error;
}
