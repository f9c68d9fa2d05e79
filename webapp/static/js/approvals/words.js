/** What approvals and their ends are called on the page. */

/** How a person is asked. @param {any} approval @param {import("../actions/action.js").Action} action */
export function questionOf({ kind, tool, title }, action) {
  if (kind === "question") return "The agent asks";
  if (kind === "plan") return "Go on with this plan?";
  if (action.kind === "command") return "Run this command?";
  if (action.kind === "edit") {
    const isNew = action.files.every(({ lines }) => lines.every(({ mark }) => mark === "+"));
    const files = action.files.length === 1 ? "this file" : `these ${action.files.length} files`;
    return isNew && tool === "Write" ? `Write ${files}?` : `Change ${files}?`;
  }
  if (action.kind === "fetch") return "Open this address?";
  if (action.kind === "read") return "Read this file?";
  return `Use ${tool || title || "this tool"}?`;
}

/** @type {Map<string, {word: string, icon: string, tone: string}>} */
const ENDS = new Map([
  ["allowed", { word: "Allowed", icon: "ok", tone: "good" }],
  ["answered", { word: "Answered", icon: "ok", tone: "good" }],
  ["denied", { word: "Denied", icon: "denied", tone: "warn" }],
  ["withdrawn", { word: "Withdrawn", icon: "stopped", tone: "quiet" }],
  ["expired", { word: "Expired, so denied", icon: "clock", tone: "warn" }],
]);

export function lookOfEnd(outcome) {
  return ENDS.get(outcome) ?? { word: outcome, icon: "dot", tone: "quiet" };
}

/** "Allowed for this session by Ada", "Allowed by a rule" */
export function endOf({ outcome, option, by, changed }) {
  const { word } = lookOfEnd(outcome);
  const how = [option === "allow_session" ? "for this session" : "", changed === true ? "with a change" : ""];
  const who = by === "rule" ? "by a rule" : by ? `by ${by}` : "";
  return [word, ...how, who].filter(Boolean).join(" ");
}

/** The words of a button that an agent offers. */
export const OPTION_WORDS = {
  allow_once: "Allow once",
  allow_session: "Allow for this session",
  deny: "Deny",
  deny_and_stop: "Deny and stop",
  answer: "Answer",
};

/** The letter that presses a button while nobody types. */
export const OPTION_KEYS = { allow_once: "y", allow_session: "a", deny: "n" };
