/** A tool call as a card that opens to its arguments and its result. */

import { formatFigure } from "../format.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { visible } from "../transcript/plain_text.js";
import { terminalText } from "./terminal_text.js";

/** @typedef {import("../transcript/blocks.js").ToolBlock} ToolBlock */

/** @type {Record<ToolBlock["state"], {word: string, icon: string, tone: string}>} */
const STATES = {
  running: { word: "Running", icon: "running", tone: "live" },
  ok: { word: "OK", icon: "ok", tone: "good" },
  failed: { word: "Failed", icon: "failed", tone: "bad" },
  unanswered: { word: "No result", icon: "lost", tone: "warn" },
};

/** Cards that the reader has opened; they open again when redrawn. */
const opened = new WeakSet();

export function drawTool(block) {
  const element = copyOf("tool");
  const body = openingCard(element, block, () => writeBody());

  function update() {
    const state = STATES[block.state];
    element.dataset.tone = state.tone;
    element.dataset.state = block.state;
    setIcon(element, state.icon);
    setText(element, "name", visible(block.name));
    setText(element, "summary", visible(block.summary));
    setText(element, "word", state.word);
    if (body.isOpen()) writeBody();
  }

  function writeBody() {
    const args = find(element, "args", HTMLElement);
    args.hidden = block.args.length === 0;
    find(args, "list", HTMLElement).replaceChildren(...block.args.flatMap(argumentOf));
    writeText(find(element, "result", HTMLElement), block.result);
  }

  update();
  return { element, update };
}

export function drawOther(block) {
  const element = copyOf("other");
  element.dataset.name = block.name;
  const body = openingCard(element, block, () => writeText(find(element, "body", HTMLElement), block.body));

  function update() {
    setText(find(element, "card", HTMLElement), "name", block.name);
    setText(element, "summary", block.summary);
    if (body.isOpen()) writeText(find(element, "body", HTMLElement), block.body);
  }

  update();
  return { element, update };
}

/**
 * What a card holds is written when it is opened: most never are.
 *
 * @param {object} block
 */
function openingCard(element, block, write) {
  const details = find(element, "card", HTMLDetailsElement);
  for (const button of element.querySelectorAll("[data-copy]")) {
    const part = button.closest("[data-part]");
    if (!(button instanceof HTMLButtonElement) || part === null) continue;
    copyOnClick(button, () => part.querySelector("[data-text], [data-list]")?.textContent ?? "");
  }
  details.addEventListener("toggle", () => {
    if (!details.open) opened.delete(block);
    else if (!opened.has(block)) {
      opened.add(block);
      write();
    }
  });
  if (opened.has(block)) {
    details.open = true;
    write();
  }
  return { isOpen: () => details.open };
}

function argumentOf({ name, text, omitted }) {
  const term = document.createElement("dt");
  const value = document.createElement("dd");
  term.textContent = name || "value";
  value.textContent = visible(text) + (omitted > 0 ? ` … ${omission(omitted)}` : "");
  return [term, value];
}

function writeText(part, content) {
  part.hidden = content === null || content.text === "";
  if (content === null) return;
  const text = find(part, "text", HTMLElement);
  text.replaceChildren();
  terminalText(text).write(content.text);
  const more = find(part, "omitted", HTMLElement);
  more.hidden = content.omitted === 0;
  more.textContent = omission(content.omitted);
}

function omission(characters) {
  return `${formatFigure(characters)} more characters of this are in the log.`;
}
