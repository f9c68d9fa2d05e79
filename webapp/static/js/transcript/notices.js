/** What the server and the runner have to say about a session, in words. */

import { formatBytes, formatName } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { inOneLine } from "./tool_calls.js";

const FULL = "The session has reached the largest log it may write. What follows was not kept.";

const TEXTS = new Map([
  ["gap", (data) => `${sizeOf(data.bytes)} is missing here${because(data.reason)}.`],
  ["truncated", () => FULL],
  ["corrupt", (data) => `${formatBytes(Number(data.bytes) || 0)} of the log cannot be read.`],
  ["terminating", (data) => `The agent was told to end${because(reasonOf(data.status))}.`],
  ["processes_ended", (data) => `What the agent had started was ended: ${namesOf(data)}.`],
  ["processes_left", (data) => `What the agent started goes on without it: ${namesOf(data)}.`],
  ["input_ended", () => "The agent's input was closed."],
  ["agent_refused", (data) => `The agent refused what it was asked${because(data.message)}`],
  ["approvals_refused", (data) => `More than ${data.maximum} approvals are open. Further ones are denied.`],
  ["request_too_long", (data) => `The agent asked for something too long to answer, ${formatBytes(Number(data.bytes) || 0)}.`],
  ["error", (data) => (typeof data.message === "string" ? data.message : "Something went wrong.")],
]);

export function noticeText(data) {
  if (data === null || typeof data !== "object") return inOneLine(data);
  const { type = "notice", ...rest } = data;
  const known = TEXTS.get(type);
  if (known !== undefined) return known(data);
  const words = typeof rest.message === "string" ? rest.message : inOneLine(rest);
  return [formatName(String(type)), words].filter(Boolean).join(": ");
}

/** "API error 500, retry 4 of 10 in 20 s"; null for what is no such thing. */
export function retryText(data) {
  if (data?.subtype !== "api_retry") return null;
  const { attempt, max_retries: most, retry_delay_ms: delay, error_status: status, error } = data;
  const what = ["API error", status ?? error].filter(Boolean).join(" ");
  const number = typeof attempt === "number" ? ` ${attempt}${typeof most === "number" ? ` of ${most}` : ""}` : "";
  const when = typeof delay === "number" ? ` in ${Math.max(1, Math.round(delay / 1_000))} s` : "";
  return `${what}, retry${number}${when}`;
}

function sizeOf(bytes) {
  return typeof bytes === "number" ? `${formatBytes(bytes)} of output` : "Some output";
}

function namesOf(data) {
  const processes = Array.isArray(data.processes) ? data.processes : [];
  const names = processes.map((process) => `${process?.name} (${process?.pid})`);
  const more = Number(data.count) - names.length;
  return [...names, ...(more > 0 ? [`${more} more`] : [])].join(", ");
}

function because(reason) {
  return typeof reason === "string" && reason !== "" ? `: ${reason}` : "";
}

function reasonOf(status) {
  return typeof status === "string" ? lookOf(status).word.toLowerCase() : "";
}
