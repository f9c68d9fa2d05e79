/** A question with its answer, and a plan with what became of it, where they stand in the conversation. */

import { endOf } from "../approvals/words.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { markdownView } from "./markdown_view.js";
import { STATES } from "./tool_card.js";

/** @param {import("../transcript/blocks.js").ToolBlock} block  with an approval of one of these kinds */
export function drawAsked(block) {
  const element = copyOf("asked");
  const body = find(element, "body", HTMLElement);
  const { kind, questions = [], input = {} } = block.approval;
  const plan = kind === "plan" && typeof input.plan === "string" ? markdownView(body) : null;
  if (plan !== null) {
    body.classList.add("prose");
    plan.write(input.plan);
  }
  setIcon(element, kind);
  setText(element, "title", kind === "plan" ? "Plan" : questions.length === 1 ? "Question" : "Questions");

  function update() {
    const state = STATES[block.state];
    const { resolution } = block;
    element.dataset.tone = state.tone;
    element.dataset.state = block.state;
    find(element, "end-icon", SVGUseElement).setAttribute("href", `#icon-${state.icon}`);
    setText(element, "word", resolution === null ? state.word : endOf(resolution));
    const said = typeof resolution?.message === "string" && resolution.message !== "" ? [line(`“${resolution.message}”`, "asked-answer")] : [];
    if (plan === null) body.replaceChildren(...questions.flatMap((question) => pairOf(question, resolution)), ...said);
    else if (said.length > 0 && body.querySelector(".asked-answer") === null) body.append(...said);
  }

  update();
  return { element, update };
}

function pairOf({ id, question, options = [] }, resolution) {
  const answers = resolution?.answers?.[id];
  const text = Array.isArray(answers) ? answers.join(", ") : "";
  const choices = options.map(({ label }) => label).join(" · ");
  return [
    line(question, "asked-question"),
    ...(text !== "" ? [line(text, "asked-answer")] : resolution === null && choices !== "" ? [line(choices, "asked-choices")] : []),
  ];
}

function line(text, className) {
  const element = document.createElement("p");
  element.className = className;
  element.dir = "auto";
  element.textContent = text;
  return element;
}
