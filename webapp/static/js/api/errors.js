/** What the server, or the way to it, had to say against a request. */

export class ApiError extends Error {
  /**
   * @param {{code?: string, field?: string, status?: number, retryAfterMs?: number}} [details]
   *     status 0: there was no answer
   */
  constructor(message, { code = "", field = "", status = 0, retryAfterMs = 0 } = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.field = field;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** The request may have been lost on its way, or may succeed in a moment. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/**
 * The error in an answer, which is `{"error": {"message", "code", …}}` from the server and anything
 * at all from what stands between.
 */
export async function errorOf(response) {
  const body = await response.json().catch(() => null);
  return errorIn(body, response.status, response.statusText);
}

export function errorIn(body, status = 0, statusText = "") {
  const error = body?.error;
  const message =
    typeof error?.message === "string" && error.message !== ""
      ? error.message
      : `The server answered ${`${status} ${statusText}`.trim()}.`;
  const { code = "", field = "" } = error?.data ?? error ?? {};
  return new ApiError(message, { code: String(code), field: String(field), status });
}
