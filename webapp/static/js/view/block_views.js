/** How each kind of block looks. Foreign text goes into text nodes and nowhere else. */

import { formatMeasure } from "../format.js";
import { copyOf, find, setText } from "./dom.js";
import { markdownView } from "./markdown_view.js";
import { drawOther, drawTool } from "./tool_card.js";
import { terminalText } from "./terminal_text.js";

/**
 * @typedef {import("../transcript/blocks.js").Block} Block
 * @typedef {import("../window/windowed_list.js").Drawn} Drawn
 */

/** @type {Record<Block["kind"], (block: any) => Drawn>} */
const DRAW = {
  text: drawText,
  output: drawTerminal,
  stderr: drawTerminal,
  input: drawInput,
  tool: drawTool,
  other: drawOther,
  usage: drawUsage,
  notice: drawNotice,
};

export function drawBlock(block) {
  return DRAW[block.kind](block);
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

function drawInput(block) {
  const element = copyOf("input");
  setText(element, "text", block.text);
  return { element, update() {} };
}

function drawUsage(block) {
  const element = copyOf("usage");
  for (const [name, value] of block.figures) {
    const [figure, label] = formatMeasure(name, value);
    const item = copyOf("figure");
    setText(item, "label", label);
    setText(item, "figure", figure);
    find(element, "figures", HTMLElement).append(item);
  }
  return { element, update() {} };
}

function drawNotice(block) {
  const element = copyOf("notice");
  setText(element, "text", block.text);
  return { element, update() {} };
}
