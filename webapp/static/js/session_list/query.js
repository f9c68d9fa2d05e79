/**
 * What the list of sessions shows, kept in the URL: it survives a reload and can be sent to somebody.
 *
 * @typedef {object} Query
 * @property {string[]} statuses
 * @property {string} text
 * @property {string} agent
 * @property {string} project
 * @property {string} workflowId
 * @property {string} since   "24h", or "range" for what lies between `from` and `to`
 * @property {string} from    a local time, as `<input type="datetime-local">` has it
 * @property {string} to
 * @property {string} sort
 * @property {string} cursor  "" for the first page
 */

import { serverNow } from "../clock.js";

export const PAGE_SIZE = 50;
export const SORTS = ["newest", "oldest", "longest", "largest"];

const SPANS_MS = new Map([
  ["1h", 3_600_000], ["24h", 86_400_000], ["7d", 604_800_000], ["30d", 2_592_000_000],
]);

/** @returns {Query} */
export function parseQuery(search) {
  const fields = new URLSearchParams(search);
  const text = (name) => (fields.get(name) ?? "").slice(0, 200);
  const since = text("since");
  const sort = text("sort");
  return {
    statuses: text("status").split(",").filter((status) => /^[a-z_]+$/.test(status)),
    text: text("text"),
    agent: text("agent"),
    project: text("project"),
    workflowId: text("workflow"),
    since: since === "range" || SPANS_MS.has(since) ? since : "",
    from: text("from"),
    to: text("to"),
    sort: SORTS.includes(sort) ? sort : "newest",
    cursor: text("cursor"),
  };
}

/** @param {Query} query @returns {string} "" for the plain list, else with its question mark */
export function formatQuery(query) {
  const fields = new URLSearchParams();
  const put = (name, value) => {
    if (value !== "") fields.set(name, value);
  };
  put("status", query.statuses.join(","));
  put("text", query.text);
  put("agent", query.agent);
  put("project", query.project);
  put("workflow", query.workflowId);
  put("since", query.since);
  if (query.since === "range") {
    put("from", query.from);
    put("to", query.to);
  }
  put("sort", query.sort === "newest" ? "" : query.sort);
  put("cursor", query.cursor);
  const text = fields.toString();
  return text === "" ? "" : `?${text}`;
}

/** The same for the API. @param {Query} query @returns {Record<string, string | number>} */
export function apiFields(query, now = serverNow()) {
  const { from, to } = rangeOf(query, now);
  const fields = {
    limit: PAGE_SIZE,
    include: "titles",
    status: query.statuses.join(","),
    text: query.text.trim(),
    agent: query.agent,
    project: query.project,
    workflowId: query.workflowId,
    from,
    to,
    sort: query.sort === "newest" ? "" : query.sort,
    cursor: query.cursor,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

/** @param {Query} query @returns {{from: string, to: string}} RFC 3339, or "" */
function rangeOf(query, now) {
  const span = SPANS_MS.get(query.since);
  if (span !== undefined) return { from: new Date(now - span).toISOString(), to: "" };
  if (query.since !== "range") return { from: "", to: "" };
  return { from: asIso(query.from), to: asIso(query.to) };
}

function asIso(local) {
  const date = new Date(local);
  return local === "" || Number.isNaN(date.getTime()) ? "" : date.toISOString();
}

/** Whether anything narrows the list down. @param {Query} query */
export function isFiltered(query) {
  const { statuses, text, agent, project, workflowId, since } = query;
  return statuses.length > 0 || [text.trim(), agent, project, workflowId, since].some((value) => value !== "");
}

/** Whether the counts by status are those of this list. @param {Query} query */
export function hasCounts({ text, project, workflowId, since }) {
  return text.trim() === "" && project === "" && workflowId === "" && since === "";
}
