/**
 * Reads `tool_call` and `tool_result` by the rules of `log/dialects/plain.py`.
 *
 * @typedef {{name: string | null, callId: string | null, result: unknown, media: Media[],
 *     failed: boolean, refused: boolean, exitCode: number | null}} ToolResult
 * @typedef {{mediaType: string, bytes: number, url: string}} Media  the URL is relative to the session's
 */

const MAX_MEDIA = 20;

const CALL_ID_KEYS = [
  "callId", "call_id", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id", "id",
];
const NAME_KEYS = ["name", "tool", "toolName", "tool_name"];
const ARGS_KEYS = ["args", "arguments", "input", "params", "parameters"];
const RESULT_KEYS = ["result", "output", "content", "error", "message"];
const EXIT_CODE_KEYS = ["exitCode", "exit_code"];
const FAILED_WORDS = new Set(["error", "failed", "failure"]);

export function toolCallOf(data) {
  return {
    name: textAt(data, NAME_KEYS) ?? "tool",
    callId: textAt(data, CALL_ID_KEYS),
    args: valueAt(data, ARGS_KEYS),
  };
}

export function toolResultOf(data) {
  const result = valueAt(data, RESULT_KEYS);
  return {
    name: textAt(data, NAME_KEYS),
    callId: textAt(data, CALL_ID_KEYS),
    result: result === undefined ? data : result,
    media: mediaIn(data),
    failed: hasFailed(data),
    refused: data?.refused === true,
    exitCode: exitCodeOf(data),
  };
}

/**
 * Pictures and files in a result: what the server put in the place of their base64.
 *
 * @returns {Media[]}
 */
function mediaIn(value, depth = 8) {
  if (value === null || typeof value !== "object" || depth === 0) return [];
  const { media, mediaType, bytes, url } = value;
  if (typeof mediaType === "string" && /^media\/\d+\.\d+$/.test(url)) return [{ mediaType, bytes: Number(bytes), url }];
  const members = Array.isArray(media) ? media : Object.values(value);
  return members.flatMap((member) => mediaIn(member, depth - 1)).slice(0, MAX_MEDIA);
}

/**
 * The open call that a result answers: the one with its id; without an id the oldest of its name,
 * without a name the oldest of all.
 *
 * @template {{name: string, callId: string | null}} T
 * @param {T[]} open  oldest first
 * @param {ToolResult} result
 * @returns {T | undefined}
 */
export function answered(open, { callId, name }) {
  if (callId !== null) {
    const named = open.find((call) => call.callId === callId);
    if (named !== undefined) return named;
  }
  const unmarked = callId === null ? open : open.filter((call) => call.callId === null);
  return name === null ? unmarked[0] : unmarked.find((call) => call.name === name);
}

/** A call's arguments in one line, for the closed card. */
export function inOneLine(args) {
  const text =
    args !== null && typeof args === "object" && !Array.isArray(args)
      ? Object.entries(args).map(([key, value]) => `${key}: ${short(value)}`).join(", ")
      : args === undefined
        ? ""
        : short(args);
  const line = text.slice(0, 400).replace(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/**
 * A call's arguments one by one, or as one text without a name.
 *
 * @returns {[name: string, text: string][]}
 */
export function fieldsOf(args) {
  if (args === undefined) return [];
  if (args === null || typeof args !== "object" || Array.isArray(args)) return [["", asText(args)]];
  return Object.entries(args).map(([name, value]) => [name, asText(value)]);
}

/** Text as it is, anything else as indented JSON. */
export function asText(value) {
  if (value === undefined) return "";
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}

function short(value) {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.slice(0, 400);
}

function hasFailed(data) {
  if (data === null || typeof data !== "object") return false;
  if (data.ok === false || data.success === false) return true;
  if (data.isError === true || data.is_error === true) return true;
  if (data.error !== undefined && data.error !== null && data.error !== false) return true;
  if ((exitCodeOf(data) ?? 0) !== 0) return true;
  return FAILED_WORDS.has(data.status);
}

function exitCodeOf(data) {
  const code = EXIT_CODE_KEYS.map((key) => data?.[key]).find((value) => typeof value === "number");
  return code ?? null;
}

function valueAt(data, keys) {
  if (data === null || typeof data !== "object") return undefined;
  const key = keys.find((candidate) => data[candidate] !== undefined && data[candidate] !== null);
  return key === undefined ? undefined : data[key];
}

function textAt(data, keys) {
  const value = valueAt(data, keys);
  return typeof value === "string" || typeof value === "number" ? String(value) : null;
}
