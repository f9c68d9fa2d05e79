/** What a tool does, drawn: a command, a change of files, an address. */

import { countOf } from "../actions/diff.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setText } from "./dom.js";

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
  body.append(...lines.slice(0, SHOWN_LINES).map(diffLine));
  more.hidden = lines.length <= SHOWN_LINES;
  more.textContent = `Show ${lines.length - SHOWN_LINES} more lines`;
  more.addEventListener("click", () => {
    body.append(...lines.slice(SHOWN_LINES).map(diffLine));
    more.hidden = true;
  });
  return element;
}

/** "+3 −1" into the elements for it. */
export function writeCounts(root, lines) {
  const { added, removed } = countOf(lines);
  setText(root, "added", added === 0 ? "" : `+${added}`);
  setText(root, "removed", removed === 0 ? "" : `−${removed}`);
}

function diffLine({ mark, text }) {
  const line = document.createElement("span");
  line.className = "diff-line";
  line.dataset.mark = mark;
  line.textContent = mark === "@" ? visible(text) : `${mark}${visible(text)}`;
  return line;
}
