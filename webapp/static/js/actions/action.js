/**
 * What a tool does, as far as its name and arguments show it: how people read it, whatever the agent.
 *
 * @typedef {import("./diff.js").DiffLine} DiffLine
 *
 * @typedef {{kind: "command", command: string, cwd: string}
 *     | {kind: "edit", files: {path: string, lines: DiffLine[]}[]}
 *     | {kind: "read", path: string}
 *     | {kind: "fetch", url: string}
 *     | {kind: "search", query: string, path: string}
 *     | {kind: "agent", task: string, prompt: string}
 *     | {kind: "other"}} Action
 */

import { diffOf, unifiedDiff } from "./diff.js";

const PATHS = ["file_path", "path", "notebook_path", "filePath", "filepath"];
const COMMANDS = ["command", "cmd", "script"];
const OLD = ["old_string", "oldString", "oldText", "old_str", "old"];
const NEW = ["new_string", "newString", "newText", "new_str", "content", "new", "new_source"];
export const READS = /^(read|read_file|read_many_files|readfile|view|notebookread)$/i;
const SEARCHES = /search|grep|glob|find/i;
const AGENTS = /^(task|agent|subagent|spawn_agent)$/i;
const EDITS = /edit|write|patch|create|replace/i;

/** @param {Record<string, any>} input @returns {Action} */
export function actionOf(tool, input) {
  const command = commandIn(input);
  if (command !== "") return { kind: "command", command, cwd: textIn(input, ["cwd", "workdir"]) };
  const url = textIn(input, ["url"]);
  if (/^https?:\/\//.test(url)) return { kind: "fetch", url };
  const files = filesIn(tool, input);
  if (files.length > 0) return { kind: "edit", files };
  const path = textIn(input, PATHS);
  if (path !== "" && READS.test(tool)) return { kind: "read", path };
  const query = SEARCHES.test(tool) ? textIn(input, ["query", "pattern", "regex"]) : "";
  if (query !== "") return { kind: "search", query, path: textIn(input, ["path", "glob", "include"]) };
  const prompt = AGENTS.test(tool) ? textIn(input, ["prompt", "description"]) : "";
  if (prompt !== "") return { kind: "agent", task: textIn(input, ["description"]) || prompt, prompt };
  return { kind: "other" };
}

/** What a line of a call has beside its tool's name. @param {Action} action */
export function headOf(action) {
  switch (action.kind) {
    case "command": return action.command;
    case "edit": return action.files.length === 1 ? (action.files[0]?.path ?? "") : `${action.files.length} files`;
    case "read": return action.path;
    case "fetch": return action.url;
    case "search": return action.query + (action.path === "" ? "" : ` in ${action.path}`);
    case "agent": return action.task;
    default: return "";
  }
}

function commandIn(input) {
  for (const name of COMMANDS) {
    const value = input?.[name];
    if (typeof value === "string" && value !== "") return value;
    if (Array.isArray(value) && value.every((word) => typeof word === "string")) return value.map(shellWord).join(" ");
  }
  return "";
}

function shellWord(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function filesIn(tool, input) {
  const path = textIn(input, PATHS);
  if (typeof input?.diff === "string") return [{ path, lines: unifiedDiff(input.diff) }];
  if (Array.isArray(input?.changes)) return input.changes.map(changeOf).filter(({ path: named }) => named !== "");
  if (Array.isArray(input?.edits)) {
    const lines = input.edits.flatMap((edit) => diffOf(textIn(edit, OLD), textIn(edit, NEW)));
    return path === "" ? [] : [{ path, lines }];
  }
  const now = firstIn(input, NEW);
  const isEdit = EDITS.test(tool) || firstIn(input, OLD) !== null;
  if (path === "" || now === null || !isEdit) return [];
  return [{ path, lines: diffOf(textIn(input, OLD), now) }];
}

function changeOf(change) {
  const path = textIn(change, PATHS);
  const diff = textIn(change, ["diff", "unified_diff"]);
  const isWhole = diff !== "" && !/^(@@|---|\+\+\+)/m.test(diff);
  const sign = textIn(change?.kind, ["type"]) || change?.kind;
  const lines = isWhole ? diffOf(sign === "delete" ? diff : "", sign === "delete" ? "" : diff) : unifiedDiff(diff);
  return { path, lines };
}

function firstIn(input, names) {
  const name = names.find((candidate) => typeof input?.[candidate] === "string");
  return name === undefined ? null : input[name];
}

function textIn(input, names) {
  return firstIn(input, names) ?? "";
}
