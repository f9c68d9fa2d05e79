/** A tool call as a card that opens to what it does and what came of it. */

import { actionOf, headOf } from "../actions/action.js";
import { countOf } from "../actions/diff.js";
import { late } from "../late.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { styleSheet } from "./style_sheet.js";

/**
 * @typedef {import("../transcript/blocks.js").ToolBlock} ToolBlock
 * @typedef {(block: any) => import("../window/windowed_list.js").Drawn} DrawBlock
 */

/** @type {Record<ToolBlock["state"], {word: string, icon: string, tone: string}>} */
export const STATES = {
  running: { word: "Running", icon: "running", tone: "live" },
  ok: { word: "OK", icon: "ok", tone: "quiet" },
  failed: { word: "Failed", icon: "failed", tone: "bad" },
  unanswered: { word: "No result", icon: "lost", tone: "warn" },
  asks: { word: "Waits for you", icon: "gate", tone: "warn" },
  allowed: { word: "Allowed", icon: "ok", tone: "good" },
  denied: { word: "Denied", icon: "denied", tone: "warn" },
  answered: { word: "Answered", icon: "ok", tone: "good" },
  withdrawn: { word: "Withdrawn", icon: "stopped", tone: "quiet" },
  expired: { word: "Expired", icon: "clock", tone: "warn" },
};

/** Most cards are never opened: what draws the inside of one is loaded with the first that is. */
const loadBodies = late(() =>
  Promise.all([
    import("./card_body.js"), import("./action_view.js"), import("../diff/lines_view.js"), import("../diff/rows.js"),
    styleSheet(new URL("../../css/diff.css", import.meta.url).href),
  ]),
);
/** Cards that the reader has opened; they open again when redrawn. */
const opened = new WeakSet();
/** Of each card, until its input is another one. @type {WeakMap<object, {input: any, action: import("../actions/action.js").Action}>} */
const actions = new WeakMap();

/** @param {ToolBlock} block @param {DrawBlock} drawBlock  for what a subagent does */
export function drawTool(block, drawBlock) {
  const element = copyOf("tool");
  const body = openingCard(element, block, ({ toolBody }) => toolBody(element, block, () => actionIn(block), drawBlock));

  function update() {
    const state = STATES[block.state];
    const action = actionIn(block);
    element.dataset.tone = state.tone;
    element.dataset.state = block.state;
    element.dataset.kind = action.kind;
    setIcon(element, state.icon);
    setText(element, "name", visible(block.name));
    setText(element, "summary", visible(headOf(action).split("\n")[0] || block.summary));
    setText(element, "word", block.state === "failed" && block.exitCode ? `Exit code ${block.exitCode}` : state.word);
    setText(element, "steps", stepsIn(block));
    writeCounts(element, action.kind === "edit" ? action.files.flatMap(({ lines }) => lines) : []);
    body.update();
  }

  update();
  return { element, update };
}

/** How much a subagent has done. */
function stepsIn({ inner }) {
  const calls = inner?.blocks.filter(({ kind }) => kind === "tool").length ?? 0;
  return calls === 0 ? "" : calls === 1 ? "1 call" : `${calls} calls`;
}

/** "+3 −1" into the elements for it. */
export function writeCounts(root, lines) {
  const { added, removed } = countOf(lines);
  setText(root, "added", added === 0 ? "" : `+${added}`);
  setText(root, "removed", removed === 0 ? "" : `−${removed}`);
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

export function drawOther(block) {
  const element = copyOf("other");
  element.dataset.name = block.name;
  const body = openingCard(element, block, ({ otherBody }) => otherBody(element, block));

  function update() {
    setText(find(element, "card", HTMLElement), "name", block.name === "reasoning" ? "Thinking" : block.name);
    setText(element, "summary", block.summary);
    body.update();
  }

  update();
  return { element, update };
}

/**
 * What a card holds is written when it is opened.
 *
 * @param {object} block
 * @param {(bodies: typeof import("./card_body.js")) => () => void} begin  gives what writes it, now and at each change
 */
export function openingCard(element, block, begin) {
  const details = find(element, "card", HTMLDetailsElement);
  /** @type {(() => void) | null} */
  let write = null;

  async function open() {
    opened.add(block);
    try {
      const [bodies] = await loadBodies();
      write ??= begin(bodies);
      write();
    } catch (error) {
      const problem = document.createElement("p");
      problem.className = "card-part row-note";
      problem.textContent = error instanceof Error ? error.message : String(error);
      details.replaceChildren(...[...details.children].slice(0, 1), problem);
    }
  }

  details.addEventListener("toggle", () => {
    if (!details.open) opened.delete(block);
    else if (!opened.has(block)) void open();
  });
  if (opened.has(block)) {
    details.open = true;
    void open();
  }
  return {
    update() {
      if (details.open) write?.();
    },
  };
}
