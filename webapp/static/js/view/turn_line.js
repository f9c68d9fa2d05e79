/** The quiet line under a turn's answer, and an agent's list of steps. */

import { formatCost, formatDuration, formatFigure, formatMeasure } from "../format.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setIcon, setText } from "./dom.js";

/** @type {Map<string, {word: string, icon: string, tone: string}>} */
const OUTCOMES = new Map([
  ["completed", { word: "", icon: "ok", tone: "quiet" }],
  ["interrupted", { word: "Stopped", icon: "stopped", tone: "quiet" }],
  ["failed", { word: "Failed", icon: "failed", tone: "bad" }],
  ["refused", { word: "The model refused", icon: "warn", tone: "warn" }],
]);

/**
 * @param {import("../transcript/blocks.js").TurnBlock} block
 * @param {{replyOf: () => string, retry: ((block: import("../transcript/blocks.js").TurnBlock) => void) | null, showFacts: (() => void) | null}} actions
 */
export function drawTurn(block, actions) {
  const element = copyOf("turn");
  const retry = find(element, "retry", HTMLButtonElement);
  const facts = find(element, "facts", HTMLButtonElement);
  retry.addEventListener("click", () => actions.retry?.(block));
  facts.addEventListener("click", () => actions.showFacts?.());
  copyOnClick(find(element, "copy", HTMLButtonElement), actions.replyOf);

  function update() {
    const look = OUTCOMES.get(block.outcome) ?? { word: block.outcome, icon: "dot", tone: "quiet" };
    element.dataset.tone = look.tone;
    element.dataset.outcome = block.outcome;
    setIcon(element, look.icon);
    setText(element, "word", look.word);
    const figures = find(element, "figures", HTMLElement);
    setText(element, "figures", shortFigures(block.usage));
    figures.title = allFigures(block.usage);
    setText(element, "denied", deniedText(block.denied));
    setText(element, "reason", block.error);
    find(element, "reason", HTMLElement).hidden = block.error === "";
    retry.hidden = block.said === "" || actions.retry === null;
    facts.hidden = actions.showFacts === null;
  }

  update();
  return { element, update };
}

export function deniedText(count) {
  return count === 0 ? "" : count === 1 ? "1 action was denied" : `${count} actions were denied`;
}

/** "12 s · $0.03" @param {{durationMs?: number, costUsd?: number}} usage */
export function shortFigures({ durationMs, costUsd }) {
  const time = durationMs === undefined ? "" : durationMs < 10_000 ? formatDuration(durationMs) : formatDuration(Math.round(durationMs / 1_000) * 1_000).replace(".0 s", " s");
  return [time, formatCost(costUsd)].filter(Boolean).join(" · ");
}

export function allFigures(usage) {
  const known = Object.entries(usage).filter(([, value]) => typeof value === "number");
  return known.map(([name, value]) => formatMeasure(name, Number(value)).join(" ")).join("\n");
}

const STEPS = new Map([
  ["completed", { icon: "ok", word: "done", tone: "good" }],
  ["in_progress", { icon: "running", word: "now", tone: "live" }],
]);

/** @param {import("../transcript/blocks.js").PlanBlock} block */
export function drawPlan(block) {
  const element = copyOf("plan");

  function update() {
    const done = block.steps.filter(({ status }) => status === "completed").length;
    setText(element, "progress", `${formatFigure(done)} of ${formatFigure(block.steps.length)} done`);
    const items = block.steps.map(({ text, status }) => {
      const item = copyOf("step");
      const { icon, word, tone } = STEPS.get(status) ?? { icon: "todo", word: "to do", tone: "quiet" };
      item.dataset.tone = tone;
      item.dataset.status = status;
      setIcon(item, icon);
      setText(item, "word", `${word}: `);
      setText(item, "text", text);
      return item;
    });
    find(element, "steps", HTMLElement).replaceChildren(...items);
  }

  update();
  return { element, update };
}
