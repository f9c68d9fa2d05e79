/** The inside of a card: what a tool does, and what came of it. */

import { endOf } from "../approvals/words.js";
import { formatFigure } from "../format.js";
import { visible } from "../transcript/plain_text.js";
import { drawAction } from "./action_view.js";
import { copyOnClick } from "./clipboard.js";
import { find, setText } from "./dom.js";
import { terminalText } from "./terminal_text.js";

/** Of what a subagent does, so many of the newest blocks are drawn. */
const MAX_INNER = 200;
const PARTS = ["action", "args", "resolution", "result"];

/**
 * @param {import("../transcript/blocks.js").ToolBlock} block
 * @param {() => import("../actions/action.js").Action} actionOf
 * @param {import("./tool_card.js").DrawBlock} drawBlock
 * @returns {() => void}  writes it
 */
export function toolBody(element, block, actionOf, drawBlock) {
  // Before what a subagent does is in it, which has such parts too.
  const parts = Object.fromEntries(PARTS.map((name) => [name, find(element, name, HTMLElement)]));
  const inner = innerView(find(element, "inner", HTMLElement), drawBlock);
  copyParts(element);
  /** @type {any} */
  let drawn = null;

  return () => {
    const action = actionOf();
    if (action !== drawn) writeAction(parts, block, action);
    drawn = action;
    writeResolution(parts.resolution, block);
    inner(block.inner);
    const { result } = parts;
    setText(result, "label", action.kind === "command" ? outputLabel(block) : "Result");
    writeText(result, block.result);
    void showMedia(result, block.result?.media ?? []);
  };
}

/** Few results have pictures. One that cannot be loaded comes when the card is opened again. */
async function showMedia(part, media) {
  if (media.length === 0) return;
  const view = await import("./media_view.js").catch(() => null);
  view?.writeMedia(part, media);
}

export function otherBody(element, block) {
  copyParts(element);
  return () => writeText(find(element, "body", HTMLElement), block.body);
}

function writeAction({ action: shown, args }, block, action) {
  const drawn = drawAction(action);
  shown.hidden = drawn.length === 0;
  shown.replaceChildren(...(drawn.length === 0 ? [] : descriptionIn(block)), ...drawn);
  args.hidden = block.args.length === 0 || drawn.length > 0;
  if (!args.hidden) find(args, "list", HTMLElement).replaceChildren(...block.args.flatMap(argumentOf));
}

/** Why an agent does it, in its own words. */
function descriptionIn({ input }) {
  if (typeof input?.description !== "string" || input.description === "") return [];
  const element = document.createElement("p");
  element.dir = "auto";
  element.textContent = visible(input.description);
  return [element];
}

function outputLabel({ exitCode }) {
  return exitCode === null || exitCode === undefined ? "Output" : `Output, exit code ${exitCode}`;
}

function writeResolution(part, { resolution }) {
  part.hidden = resolution === null;
  if (resolution === null) return;
  const words = typeof resolution.message === "string" && resolution.message !== "" ? `: “${resolution.message}”` : "";
  setText(part, "resolution-text", `${endOf(resolution)}${words}`);
}

/** What a subagent does, as blocks like any. */
function innerView(root, drawBlock) {
  const rows = blockRows(root, drawBlock);
  return (inner) => {
    root.hidden = inner === null;
    rows(inner?.blocks.slice(-MAX_INNER) ?? []);
  };
}

/** Blocks under each other; those that have changed are drawn anew. @returns {(blocks: any[]) => void} */
export function blockRows(root, drawBlock) {
  /** @type {Map<any, {drawn: import("../window/windowed_list.js").Drawn, version: number}>} */
  const rows = new Map();
  return (blocks) => {
    const kept = new Set(blocks);
    for (const [block, { drawn }] of rows) {
      if (kept.has(block)) continue;
      drawn.element.remove();
      rows.delete(block);
    }
    blocks.forEach((block, index) => {
      const known = rows.get(block);
      const isStale = known !== undefined && known.version !== block.version && known.drawn.update() === false;
      if (isStale) known.drawn.element.remove();
      const drawn = known === undefined || isStale ? drawBlock(block) : known.drawn;
      rows.set(block, { drawn, version: block.version });
      if (root.children[index] !== drawn.element) root.insertBefore(drawn.element, root.children[index] ?? null);
    });
  };
}

function copyParts(element) {
  for (const button of element.querySelectorAll("[data-copy]")) {
    const part = button.closest("[data-part]");
    if (!(button instanceof HTMLButtonElement) || part === null) continue;
    copyOnClick(button, () => part.querySelector("[data-text], [data-list]")?.textContent ?? "");
  }
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
