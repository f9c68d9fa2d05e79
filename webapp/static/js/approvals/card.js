/** One approval, as a card that a person answers. */

import { actionOf } from "../actions/action.js";
import { answerApproval } from "../api/approvals.js";
import { serverNow } from "../clock.js";
import { formatDuration } from "../format.js";
import { visible } from "../transcript/plain_text.js";
import { drawAction } from "../view/action_view.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";
import { markdownView } from "../view/markdown_view.js";
import { eachSecond } from "../view/ticker.js";
import { inputEditor } from "./input_editor.js";
import { questionsForm } from "./questions.js";
import { OPTION_KEYS, OPTION_WORDS, endOf, lookOfEnd, questionOf } from "./words.js";

/** @typedef {import("../api/approvals.js").Approval} Approval */

export class ApprovalCard {
  #approval;
  #onResolved;
  #questions = null;
  #editor = null;
  #words;
  #isSending = false;
  isResolved = false;
  element = copyOf("approval");

  /**
   * @param {Approval} approval
   * @param {(resolution: any) => void} onResolved
   */
  constructor(approval, onResolved) {
    this.#approval = approval;
    this.#onResolved = onResolved;
    this.#words = find(this.element, "words", HTMLTextAreaElement);
    this.#writeHead();
    this.#writeBody();
    this.#writeButtons();
    this.#listen();
  }

  /** Whether an answer from here is under way: what comes next is its own end. */
  get isSending() {
    return this.#isSending;
  }

  get id() {
    return this.#approval.id;
  }

  focus() {
    this.element.focus();
  }

  /** What a screen reader says of it. */
  get spoken() {
    const action = actionOf(this.#approval.tool, this.#approval.input ?? {});
    const subject = this.#approval.kind === "question" ? "" : visible(String(this.#approval.title ?? ""));
    return [questionOf(this.#approval, action), subject.slice(0, 200)].filter(Boolean).join(" ");
  }

  /** Press the button with this letter. @returns {boolean} whether there is one */
  press(key) {
    const kind = Object.keys(OPTION_KEYS).find((name) => OPTION_KEYS[name] === key);
    const button = this.element.querySelector(`[data-option-kind="${kind}"]`);
    if (!(button instanceof HTMLButtonElement) || this.isResolved) return false;
    button.click();
    return true;
  }

  /** Show how it ended, whoever ended it. */
  resolve(resolution) {
    if (this.isResolved) return;
    this.isResolved = true;
    const look = lookOfEnd(resolution.outcome);
    this.element.dataset.tone = look.tone;
    this.element.toggleAttribute("data-resolved", true);
    setIcon(this.element, look.icon);
    setText(this.element, "title", endOf(resolution));
    for (const part of ["buttons", "words-line", "expiry", "problem", "form", "reason"]) {
      find(this.element, part, HTMLElement).hidden = true;
    }
    this.#editor?.close();
  }

  #writeHead() {
    const { kind, tool, cwd, reason, blockedPath, expiresAt, id } = this.#approval;
    const action = actionOf(tool, this.#approval.input ?? {});
    const title = find(this.element, "title", HTMLElement);
    title.id = `approval-${id}`;
    this.element.setAttribute("aria-labelledby", title.id);
    this.element.dataset.kind = kind;
    this.element.dataset.approval = id;
    setText(this.element, "title", questionOf(this.#approval, action));
    setIcon(this.element, { question: "question", plan: "plan" }[kind] ?? "gate");
    setText(this.element, "reason", visible(String(reason ?? "")));
    find(this.element, "reason", HTMLElement).hidden = !reason;
    const isAction = kind !== "question" && kind !== "plan";
    const where = [cwd && isAction ? `in ${visible(String(cwd))}` : "", blockedPath ? `reaches ${visible(String(blockedPath))}` : ""];
    setText(this.element, "where", where.filter(Boolean).join(" · "));
    if (expiresAt) this.#countDown(Date.parse(expiresAt));
  }

  #countDown(until) {
    const expiry = find(this.element, "expiry", HTMLElement);
    const write = () => {
      const left = Math.max(0, Math.ceil((until - serverNow()) / 1_000)) * 1_000;
      const text = `Denied in ${formatDuration(left).replace(".0 s", " s").replace(/^0 ms$/, "0 s")} without an answer`;
      if (expiry.textContent !== text) expiry.textContent = text;
      expiry.toggleAttribute("data-soon", left <= 30_000);
    };
    expiry.hidden = false;
    write();
    eachSecond(expiry, write);
  }

  #writeBody() {
    const { kind, tool, title, questions = [] } = this.#approval;
    const input = this.#approval.input ?? {};
    const body = find(this.element, "body", HTMLElement);
    if (kind === "question") {
      this.#questions = questionsForm(questions, `answer-${this.id}`);
      find(this.element, "form", HTMLElement).replaceChildren(...this.#questions.elements);
    } else if (kind === "plan" && typeof input.plan === "string") {
      body.classList.add("prose", "ask-plan");
      body.tabIndex = 0;
      markdownView(body).write(input.plan);
    } else {
      const drawn = drawAction(actionOf(tool, input));
      body.replaceChildren(...(drawn.length > 0 ? drawn : [fieldsView(input, String(title ?? ""))]));
    }
    find(this.element, "form", HTMLElement).hidden = kind !== "question";
    if (this.#approval.mayChangeInput) this.#editor = inputEditor(input, body, find(this.element, "editor", HTMLElement));
  }

  #writeButtons() {
    const { options = [], kind, mayExplain } = this.#approval;
    const buttons = find(this.element, "buttons", HTMLElement);
    const mayDeny = options.some((option) => option.kind === "deny");
    // Stop is below: it withdraws the request and ends the turn.
    const offered = options.filter((option) => option.kind !== "deny_and_stop" || !mayDeny);
    buttons.prepend(...offered.map((option) => this.#button(option, kind === "plan")));
    find(this.element, "explain", HTMLElement).hidden = !mayExplain || !mayDeny || kind === "question";
    if (kind === "plan") this.#askForChanges();
    find(this.element, "change", HTMLElement).hidden = this.#editor === null || this.#editor.isEmpty;
  }

  /** Who does not want the plan wants another one. */
  #askForChanges() {
    setText(this.element, "explain", "Say what to change…");
    setText(this.element, "send-words", "Keep planning");
    this.#words.placeholder = "What to change in the plan";
    this.#words.setAttribute("aria-label", this.#words.placeholder);
  }

  #button(option, isPlan) {
    const button = document.createElement("button");
    const isYes = option.kind === "allow_once" || option.kind === "answer";
    const isQuestion = this.#approval.kind === "question";
    const words = OPTION_WORDS[option.kind];
    const key = isQuestion ? undefined : OPTION_KEYS[option.kind];
    button.type = "button";
    button.className = `button${isYes ? " button--primary" : option.kind.startsWith("deny") ? " button--stop" : ""}`;
    button.dataset.optionKind = option.kind;
    const label = (isPlan ? (option.label ?? words) : (words ?? option.label)) ?? option.id;
    button.append(isQuestion && option.kind === "deny" ? "Skip" : label);
    if (key !== undefined) {
      const hint = document.createElement("kbd");
      hint.textContent = key;
      hint.setAttribute("aria-hidden", "true");
      button.setAttribute("aria-keyshortcuts", key);
      button.append(hint);
    }
    button.addEventListener("click", () => void this.#answer(option));
    return button;
  }

  #listen() {
    const line = find(this.element, "words-line", HTMLElement);
    const explain = find(this.element, "explain", HTMLButtonElement);
    explain.addEventListener("click", () => {
      line.hidden = !line.hidden;
      explain.setAttribute("aria-expanded", String(!line.hidden));
      if (!line.hidden) this.#words.focus();
    });
    const sendWords = () => {
      const deny = this.#approval.options.find((option) => option.kind === "deny");
      if (deny !== undefined) void this.#answer(deny);
    };
    find(this.element, "send-words", HTMLButtonElement).addEventListener("click", sendWords);
    this.#words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      sendWords();
    });
    const change = find(this.element, "change", HTMLButtonElement);
    change.addEventListener("click", () => {
      const isOpen = this.#editor?.toggle() ?? false;
      change.setAttribute("aria-expanded", String(isOpen));
      change.textContent = isOpen ? "Undo the change" : "Change…";
    });
  }

  async #answer(option) {
    if (this.#isSending || this.isResolved) return;
    const answer = { sessionId: this.#approval.sessionId, approvalId: this.id, option: option.id };
    if (option.kind === "answer") {
      const answers = this.#questions?.read() ?? null;
      if (answers === null) return;
      answer.answers = answers;
    }
    const words = this.#words.value.trim();
    if (option.kind === "deny" && words !== "") answer.message = words;
    const changed = option.kind.startsWith("allow") ? (this.#editor?.changes() ?? null) : null;
    if (changed !== null) answer.input = changed;

    this.#setSending(true);
    try {
      this.#onResolved(await answerApproval(answer));
    } catch (error) {
      setText(this.element, "problem", problemOf(error));
      find(this.element, "problem", HTMLElement).hidden = false;
    }
    this.#setSending(false);
  }

  #setSending(isSending) {
    this.#isSending = isSending;
    this.element.toggleAttribute("data-sending", isSending);
  }
}

/** Somebody else was first: how it ended matters, and not what its id is. */
function problemOf(error) {
  const message = error instanceof Error ? error.message : String(error);
  const [, how] = /^Approval \S+ is resolved already: (.+)$/.exec(message) ?? [];
  return how === undefined ? message : `Somebody else was first: ${how}`;
}

/** Whatever a tool is given, by name. What is too much to show is counted: a person decides by it. */
function fieldsView(input, title) {
  const list = document.createElement("dl");
  list.className = "arguments";
  list.tabIndex = 0; // it may scroll
  const fields = Object.entries(input);
  if (fields.length === 0) fields.push(["what", title]);
  const omitted = fields.splice(40).length;
  if (omitted > 0) fields.push(["…", `and ${omitted} more`]);
  for (const [name, value] of fields) {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = visible(name);
    const whole = visible(typeof value === "string" ? value : JSON.stringify(value, null, 2));
    const rest = whole.length - 20_000;
    text.textContent = rest > 0 ? `${whole.slice(0, 20_000)}… and ${rest} more letters` : whole;
    list.append(term, text);
  }
  return list;
}
