/**
 * How each kind of block looks. Foreign text goes into text nodes and nowhere else.
 *
 * @typedef {import("../transcript/blocks.js").Block} Block
 *
 * @typedef {object} Drawn
 * @property {HTMLElement} element
 * @property {(block: any) => void} update
 */

import { formatClock, formatDuration, formatMeasure } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { drawTool } from "./tool_card.js";
import { growingText, omission } from "./growing_text.js";

/** @type {Record<Block["kind"], (block: any) => Drawn>} */
const DRAW = {
  start: drawStart,
  text: drawText,
  stderr: drawText,
  input: drawText,
  tool: drawTool,
  other: drawOther,
  usage: drawUsage,
  notice: drawNotice,
  done: drawDone,
};

/**
 * @param {Block} block
 * @returns {Drawn}
 */
export function drawBlock(block) {
  return DRAW[block.kind](block);
}

/** @param {import("../transcript/blocks.js").StartBlock} block */
function drawStart(block) {
  const element = copyOf("start");
  const facts = [
    `${block.agent} started`,
    formatClock(block.startedAt),
    block.pid === null ? "" : `pid ${block.pid}`,
  ];
  setText(element, "text", facts.filter(Boolean).join(" · "));
  return { element, update() {} };
}

/** @param {import("../transcript/blocks.js").TextBlock} first */
function drawText(first) {
  const element = copyOf(first.kind);
  element.toggleAttribute("data-continued", first.continued === true);
  const text = growingText(find(element, "text", HTMLElement));
  const more = find(element, "omitted", HTMLElement);

  /** @param {import("../transcript/blocks.js").TextBlock} block */
  function update(block) {
    text.write(block.text);
    omission(more, block.omitted);
  }

  update(first);
  return { element, update };
}

/** @param {import("../transcript/blocks.js").OtherBlock} block */
function drawOther(block) {
  const element = copyOf("other");
  setText(element, "name", block.name);
  setText(element, "summary", block.summary);
  setText(element, "text", block.body.text);
  omission(find(element, "omitted", HTMLElement), block.body.omitted);
  return { element, update() {} };
}

/** @param {import("../transcript/blocks.js").UsageBlock} block */
function drawUsage(block) {
  const element = copyOf("usage");
  const figures = block.figures.map(([name, value]) => formatMeasure(name, value));
  setText(element, "text", figures.join(" · "));
  return { element, update() {} };
}

/** @param {import("../transcript/blocks.js").NoticeBlock} block */
function drawNotice(block) {
  const element = copyOf("notice");
  setText(element, "text", block.text);
  return { element, update() {} };
}

/** @param {import("../transcript/blocks.js").DoneBlock} first */
function drawDone(first) {
  const element = copyOf("done");
  const look = lookOf(first.status);
  element.dataset.tone = look.tone;
  setIcon(element, look.icon);
  setText(element, "word", look.word);

  /** @param {import("../transcript/blocks.js").DoneBlock} block */
  function update(block) {
    const facts = [
      block.exitCode === null ? "no exit code" : `exit code ${block.exitCode}`,
      block.signal === null ? "" : `signal ${block.signal}`,
      block.durationMs === null ? "" : formatDuration(block.durationMs),
    ];
    setText(element, "facts", facts.filter(Boolean).join(" · "));
    const reason = block.error ?? look.meaning ?? "";
    setText(element, "reason", reason);
    find(element, "reason", HTMLElement).hidden = reason === "";
  }

  update(first);
  return { element, update };
}
