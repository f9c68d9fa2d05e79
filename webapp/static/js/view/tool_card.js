/** A tool call as a card that opens to what it does and what came of it. */

import { actionOf, headOf } from "../actions/action.js";
import { endOf } from "../approvals/words.js";
import { formatFigure } from "../format.js";
import { visible } from "../transcript/plain_text.js";
import { drawAction, writeCounts } from "./action_view.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { terminalText } from "./terminal_text.js";

/** @typedef {import("../transcript/blocks.js").ToolBlock} ToolBlock */

/** @type {Record<ToolBlock["state"], {word: string, icon: string, tone: string}>} */
export const STATES = {
  running: { word: "Running", icon: "running", tone: "live" },
  ok: { word: "OK", icon: "ok", tone: "good" },
  failed: { word: "Failed", icon: "failed", tone: "bad" },
  unanswered: { word: "No result", icon: "lost", tone: "warn" },
  asks: { word: "Waits for you", icon: "gate", tone: "warn" },
  allowed: { word: "Allowed", icon: "ok", tone: "good" },
  denied: { word: "Denied", icon: "denied", tone: "warn" },
  answered: { word: "Answered", icon: "ok", tone: "good" },
  withdrawn: { word: "Withdrawn", icon: "stopped", tone: "quiet" },
  expired: { word: "Expired", icon: "clock", tone: "warn" },
};

/** Cards that the reader has opened; they open again when redrawn. */
const opened = new WeakSet();
/** Of each card, until its input is another one. @type {WeakMap<object, {input: any, action: import("../actions/action.js").Action}>} */
const actions = new WeakMap();

export function drawTool(block) {
  const element = copyOf("tool");
  const body = openingCard(element, block, () => writeBody());

  function update() {
    const state = STATES[block.state];
    const action = actionIn(block);
    element.dataset.tone = state.tone;
    element.dataset.state = block.state;
    setIcon(element, state.icon);
    setText(element, "name", visible(block.name));
    setText(element, "summary", visible(headOf(action).split("\n")[0] || block.summary));
    setText(element, "word", state.word);
    writeCounts(element, action.kind === "edit" ? action.files.flatMap(({ lines }) => lines) : []);
    if (body.isOpen()) writeBody();
  }

  function writeBody() {
    const drawn = drawAction(actionIn(block));
    const shown = find(element, "action", HTMLElement);
    shown.hidden = drawn.length === 0;
    shown.replaceChildren(...(drawn.length === 0 ? [] : descriptionIn(block)), ...drawn);
    const args = find(element, "args", HTMLElement);
    args.hidden = block.args.length === 0 || drawn.length > 0;
    if (!args.hidden) find(args, "list", HTMLElement).replaceChildren(...block.args.flatMap(argumentOf));
    writeResolution(find(element, "resolution", HTMLElement), block);
    const result = find(element, "result", HTMLElement);
    writeText(result, block.result);
    void showMedia(result, block.result?.media ?? []);
  }

  update();
  return { element, update };
}

/** Few results have pictures. One that cannot be loaded comes when the card is opened again. */
async function showMedia(part, media) {
  if (media.length === 0) return;
  const view = await import("./media_view.js").catch(() => null);
  view?.writeMedia(part, media);
}

/** Why an agent does it, in its own words. */
function descriptionIn({ input }) {
  if (typeof input?.description !== "string" || input.description === "") return [];
  const element = document.createElement("p");
  element.dir = "auto";
  element.textContent = visible(input.description);
  return [element];
}

function actionIn(block) {
  const known = actions.get(block);
  if (known !== undefined && known.input === block.input) return known.action;
  // Of a text that was cut, what it does is not known.
  const isWhole = block.args.every(({ omitted }) => omitted === 0);
  const isObject = block.input !== null && typeof block.input === "object" && !Array.isArray(block.input);
  const action = isWhole && isObject ? actionOf(block.name, block.input) : { kind: "other" };
  actions.set(block, { input: block.input, action });
  return action;
}

function writeResolution(part, { resolution }) {
  part.hidden = resolution === null;
  if (resolution === null) return;
  const words = typeof resolution.message === "string" && resolution.message !== "" ? `: “${resolution.message}”` : "";
  setText(part, "resolution-text", `${endOf(resolution)}${words}`);
}

export function drawOther(block) {
  const element = copyOf("other");
  element.dataset.name = block.name;
  const body = openingCard(element, block, () => writeText(find(element, "body", HTMLElement), block.body));

  function update() {
    setText(find(element, "card", HTMLElement), "name", block.name === "reasoning" ? "Thinking" : block.name);
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
