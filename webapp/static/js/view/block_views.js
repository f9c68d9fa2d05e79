/** How each kind of block looks. Foreign text goes into text nodes and nowhere else. */

import { drawAsked } from "./asked_view.js";
import { copyOf, find, setText } from "./dom.js";
import { markdownView } from "./markdown_view.js";
import { drawOther, drawTool } from "./tool_card.js";
import { terminalText } from "./terminal_text.js";
import { drawPlan, drawTurn } from "./turn_line.js";

/**
 * @typedef {import("../transcript/blocks.js").Block} Block
 * @typedef {import("../window/windowed_list.js").Drawn} Drawn
 *
 * @typedef {object} BlockActions   what a reader can do where a block stands
 * @property {(block: Block) => string} replyOf   what the agent said in the turn that ends with it
 * @property {((turn: import("../transcript/blocks.js").TurnBlock) => void) | null} retry
 * @property {((text: string) => void) | null} putBack
 * @property {(() => void) | null} showFacts
 */

/** Kinds of approvals that are no card of a tool. */
const ASKED = new Set(["question", "plan"]);

/** Where a conversation is only read. @type {BlockActions} */
const READING = { replyOf: () => "", retry: null, putBack: null, showFacts: null };

/** @type {Record<Block["kind"], (block: any, actions: BlockActions) => Drawn>} */
const DRAW = {
  text: drawText,
  output: drawTerminal,
  stderr: drawTerminal,
  input: drawInput,
  tool: drawCall,
  other: drawOther,
  notice: drawNotice,
  plan: drawPlan,
  turn: (block, { replyOf, ...actions }) => drawTurn(block, { ...actions, replyOf: () => replyOf(block) }),
  lost: drawNotice,
};

/** @param {Block} block @param {BlockActions} [actions] */
export function drawBlock(block, actions = READING) {
  return DRAW[block.kind](block, actions);
}

const LINE_PX = 24;
const LINE_LETTERS = 88;

/** Its height, as far as one can guess without looking. */
export function guessHeight(block) {
  if (block === undefined || !("ending" in block)) return block?.kind === "input" ? 64 : 46;
  const { text } = block;
  let lines = 1;
  let start = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
    lines += 1 + Math.floor((end - start) / LINE_LETTERS);
    start = end + 1;
  }
  return (lines + Math.floor((text.length - start) / LINE_LETTERS)) * LINE_PX + 12;
}

/** What a call asks for may come after the call. */
function drawCall(block) {
  if (ASKED.has(block.approval?.kind)) return drawAsked(block);
  const { element, update } = drawTool(block, drawBlock);
  return { element, update: () => (ASKED.has(block.approval?.kind) ? false : update()) };
}

function drawText(block) {
  const element = copyOf("text");
  const view = markdownView(find(element, "text", HTMLElement));

  function update() {
    element.toggleAttribute("data-continued", block.continued);
    view.write(block.text, block.opening);
  }

  update();
  return { element, update };
}

function drawTerminal(block) {
  const element = copyOf(block.kind);
  const text = terminalText(find(element, "text", HTMLElement));

  function update() {
    element.toggleAttribute("data-continued", block.continued);
    element.toggleAttribute("data-partial", block.ending === "partial");
    // A line end at the end of a block would be a hole.
    text.write(block.text.trimEnd());
  }

  update();
  return { element, update };
}

/** Of a long message so much is shown at first. */
export const SHOWN_LETTERS = 1_500;

function drawInput(block, { putBack }) {
  if (block.messageId === undefined) return drawPlainInput(block);
  const element = copyOf("message");
  const more = find(element, "more", HTMLButtonElement);
  const back = find(element, "put-back", HTMLButtonElement);
  let isWhole = false;
  more.addEventListener("click", () => {
    isWhole = true;
    update();
  });
  back.addEventListener("click", () => putBack?.(block.text));

  function update() {
    const isLong = !isWhole && block.text.length > SHOWN_LETTERS;
    const isCancelled = block.state === "cancelled";
    // What this browser sent is one's own.
    const by = block.by === document.documentElement.dataset.client ? "" : (block.by ?? "");
    element.dataset.state = block.state;
    setText(element, "who", by === "" ? "You said:" : `${by} said:`);
    setText(element, "text", isLong ? `${block.text.slice(0, SHOWN_LETTERS)}…` : block.text);
    setText(element, "note", [by, isCancelled ? "Cancelled before the agent took it." : ""].filter(Boolean).join(" · "));
    more.hidden = !isLong;
    back.hidden = !isCancelled || putBack === null;
  }

  update();
  return { element, update };
}

function drawPlainInput(block) {
  const element = copyOf("input");
  setText(element, "text", block.text);
  return { element, update() {} };
}

function drawNotice(block) {
  const element = copyOf(block.kind);
  const update = () => setText(element, "text", block.text);
  update();
  return { element, update };
}
