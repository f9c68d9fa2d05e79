/** A tool call as a card that opens to its arguments and its result. */

import { copyOf, find, setIcon, setText } from "./dom.js";
import { omission } from "./growing_text.js";

/** @typedef {import("../transcript/blocks.js").ToolBlock} ToolBlock */

/** @type {Record<ToolBlock["state"], {word: string, icon: string, tone: string}>} */
const STATES = {
  running: { word: "Running", icon: "running", tone: "live" },
  ok: { word: "OK", icon: "ok", tone: "good" },
  failed: { word: "Failed", icon: "failed", tone: "bad" },
  unanswered: { word: "No result", icon: "lost", tone: "warn" },
};

/**
 * @param {ToolBlock} first
 * @returns {import("./block_views.js").Drawn}
 */
export function drawTool(first) {
  const element = copyOf("tool");
  setText(element, "name", first.name);
  setText(element, "summary", first.summary);
  writePart(find(element, "args", HTMLElement), first.args);

  /** @param {ToolBlock} block */
  function update(block) {
    const state = STATES[block.state];
    element.dataset.tone = state.tone;
    element.dataset.state = block.state;
    setIcon(element, state.icon);
    setText(element, "word", state.word);
    writePart(find(element, "result", HTMLElement), block.result);
  }

  update(first);
  return { element, update };
}

/**
 * @param {HTMLElement} part
 * @param {{text: string, omitted: number} | null} content
 */
function writePart(part, content) {
  part.hidden = content === null || content.text === "";
  if (content === null) return;
  setText(part, "text", content.text);
  omission(find(part, "omitted", HTMLElement), content.omitted);
}
