/** What a tool does, drawn: a command, a change of files, an address. */

import { drawRows } from "../diff/lines_view.js";
import { unifiedRows } from "../diff/rows.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setText } from "./dom.js";
import { writeCounts } from "./tool_card.js";

/** Of a change so many lines are drawn at first. */
const SHOWN_LINES = 400;

/** @typedef {import("../actions/action.js").Action} Action */

/** @param {Action} action @returns {HTMLElement[]}  none for what only its arguments tell */
export function drawAction(action) {
  switch (action.kind) {
    case "command": return [commandView(action.command)];
    case "edit": return action.files.map(diffView);
    case "fetch": return [lineView(action.url)];
    case "read": return [lineView(action.path)];
    case "agent": return [lineView(action.prompt)];
    default: return [];
  }
}

function commandView(command) {
  const element = copyOf("command");
  setText(element, "text", visible(command));
  return element;
}

/** An address or a path: as text, because a link that an agent made is not to be followed unread. */
function lineView(text) {
  const element = copyOf("command");
  element.classList.add("command--plain");
  setText(element, "text", visible(text));
  return element;
}

function diffView({ path, lines }) {
  const element = copyOf("diff");
  setText(element, "path", visible(path));
  writeCounts(element, lines);
  const body = find(element, "lines", HTMLElement);
  const more = find(element, "more", HTMLButtonElement);
  const rows = unifiedRows(hunksIn(lines));
  body.append(drawRows(rows.slice(0, SHOWN_LINES)));
  more.hidden = rows.length <= SHOWN_LINES;
  more.textContent = `Show ${rows.length - SHOWN_LINES} more lines`;
  more.addEventListener("click", () => {
    body.append(drawRows(rows.slice(SHOWN_LINES)));
    more.hidden = true;
  });
  return element;
}

/** Line numbers only where a unified diff has them. @returns {import("../diff/rows.js").Hunk[]} */
function hunksIn(lines) {
  /** @type {import("../diff/rows.js").Hunk[]} */
  const hunks = [];
  for (const { mark, text } of lines) {
    const [, old, now, section = ""] = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)/.exec(mark === "@" ? text : "") ?? [];
    if (mark === "@" || hunks.length === 0) {
      hunks.push({ oldStart: old === undefined ? null : Number(old), newStart: now === undefined ? null : Number(now), section, lines: [] });
    }
    if (mark !== "@") hunks.at(-1)?.lines.push([mark, text]);
  }
  return hunks;
}
