/** The box at the bottom: write, choose an agent, send, stop. */

import { ApiError } from "../api/errors.js";
import { late } from "../late.js";
import { find, setText } from "../view/dom.js";
import { Answer, Delivery } from "./delivery.js";
import { readDraft, writeDraft } from "./drafts.js";
import { growWithText } from "./growing_textarea.js";

/**
 * @typedef {import("./delivery.js").Started} Started
 *
 * @typedef {object} ComposerHooks
 * @property {() => string | null} workflowId  of the conversation that the message is for
 * @property {(session: Started, letter: {message: string, agent: string, talks: string | null}) => void} onSent
 * @property {(agent: string) => {mode?: string, model?: string}} choices  with what its conversation goes on
 * @property {() => void} onStop
 * @property {() => boolean} onEscape  from an empty box: whether there was something to do
 */

export class Composer {
  #form;
  #hooks;
  #area;
  #agent;
  #template;
  #delivery = null;
  /** Whose draft is in the box. @type {string | null} */
  #workflowId = null;
  /** A live session that reads what people say. @type {{sessionId: string, agent: string} | null} */
  #listener = null;
  /** The listener that shall not hear this. @type {string | null} */
  #passedOver = null;
  #isSending = false;
  #loadQueue;
  /** @type {import("./queue_view.js").QueueView | null} */
  #queue = null;
  /** @type {[string, import("./queue_view.js").Queued[]]} */
  #queued = ["", []];
  /** Why nothing can be sent now, or "". */
  #closedBecause = "";
  #loadProjects;
  /** @type {import("./project_choice.js").ProjectChoice | null} */
  #projects = null;

  constructor(form, hooks) {
    this.#form = form;
    this.#hooks = hooks;
    this.#area = find(form, "message", HTMLTextAreaElement);
    this.#agent = find(form, "agent-choice", HTMLSelectElement);
    this.#template = find(form, "template-choice", HTMLSelectElement);
    growWithText(this.#area);
    this.#loadQueue = late(async () => {
      const { QueueView } = await import("./queue_view.js");
      return new QueueView(
        find(form, "queue", HTMLElement),
        (text) => this.putBack(text),
        (error) => this.#showProblem(error),
      );
    });
    this.#loadProjects = late(async () => {
      const { ProjectChoice } = await import("./project_choice.js");
      return ProjectChoice.load(form);
    });
    this.#listen();
    this.#showReady();
  }

  focus() {
    this.#area.focus();
  }

  chooseAgent(agent) {
    const isOffered = [...this.#agent.options].some((option) => option.value === agent);
    if (isOffered) this.#agent.value = agent;
  }

  send(message, agent = this.#agent.value) {
    if (message.trim() !== "") this.#post(message, agent);
  }

  /** Have the conversation go on with what its agent has not taken. */
  goOn(agent) {
    this.#post(undefined, agent);
  }

  /** @param {string | undefined} message  undefined: none but those that wait */
  #post(message, agent) {
    if (this.#isSending || !this.#isPlaceKnown || this.#closedBecause !== "") return;
    const workflowId = this.#hooks.workflowId();
    const place = workflowId === null ? this.#projects?.place : undefined;
    const letter = {
      workflowId, template: this.#template.value, message, agent, ...this.#hooks.choices(agent), ...(place && { place }),
    };
    // One more try of what may have arrived must not be a second message.
    if (!this.#delivery?.repeats(letter)) this.#delivery = new Delivery(letter);
    void this.#deliver(this.#delivery);
  }

  /** Send to a session that runs, rather than to start another. @param {{sessionId: string, agent: string} | null} listener */
  answer(listener) {
    this.#listener = listener?.sessionId === this.#passedOver ? null : listener;
    const isAnswer = this.#listener !== null;
    find(this.#form, "answering", HTMLElement).hidden = !isAnswer;
    find(this.#form, "agent", HTMLElement).hidden = isAnswer;
    setText(this.#form, "listener", this.#listener?.agent ?? "");
    this.#area.placeholder = isAnswer ? `Answer ${this.#listener?.agent}` : "Message to the agent";
  }

  /** @param {string | null} workflowId  null: the message begins a workflow: its template can be chosen */
  show(workflowId) {
    const isNew = workflowId === null;
    this.#workflowId = workflowId;
    const { text, pending } = readDraft(workflowId);
    this.#delivery = pending === null ? null : Delivery.restored(pending);
    this.#write(text);
    const hasChoice = this.#template.options.length > 1;
    find(this.#form, "template", HTMLElement).hidden = !isNew || !hasChoice;
    void this.#showPlace(isNew);
    find(this.#form, "problem", HTMLElement).hidden = true;
  }

  /** A message that begins a conversation waits until it is known where that is to be. */
  get #isPlaceKnown() {
    return this.#workflowId !== null || this.#projects !== null || !this.#form.hasAttribute("data-has-projects");
  }

  async #showPlace(isNew) {
    if (isNew && !this.#isPlaceKnown) {
      try {
        this.#projects = await this.#loadProjects();
      } catch (error) {
        this.#showProblem(error);
      }
    }
    for (const part of this.#form.querySelectorAll("[data-place]")) {
      part.toggleAttribute("hidden", this.#workflowId !== null || this.#projects === null);
    }
    this.#projects?.write();
    this.#showReady();
  }

  /** @param {string} reason  why nothing can be sent, or "" */
  close(reason, canResume = false) {
    this.#closedBecause = reason;
    const closed = find(this.#form, "closed", HTMLElement);
    closed.hidden = reason === "";
    find(this.#form, "box", HTMLElement).hidden = reason !== "";
    setText(closed, "text", reason);
    find(closed, "resume-here", HTMLElement).hidden = !canResume;
    find(closed, "start-anew", HTMLElement).hidden = canResume;
    this.#showReady();
  }

  /** A text that was sent, or was to be, comes back to be changed: what is in the box stays. */
  putBack(text) {
    const written = this.#area.value;
    this.#write(written.trim() === "" ? text : `${text}\n\n${written}`);
    this.#area.focus();
  }

  /** A text that goes into the message, after what is in the box. */
  add(text) {
    const written = this.#area.value.trimEnd();
    this.#write(written === "" ? text : `${written}\n\n${text}`);
  }

  /** Messages that the agent has not taken. @param {import("./queue_view.js").Queued[]} queued */
  showQueue(sessionId, queued) {
    this.#queued = [sessionId, queued];
    if (queued.length > 0 || this.#queue !== null) void this.#writeQueue();
    const also = queued.length === 1 ? "; the message that waits is cancelled" : "; the messages that wait are cancelled";
    find(this.#form, "stop", HTMLButtonElement).title = `Ends the turn${queued.length > 0 ? also : ""}`;
  }

  async #writeQueue() {
    try {
      this.#queue ??= await this.#loadQueue();
      this.#queue.show(...this.#queued);
    } catch (error) {
      this.#showProblem(error);
    }
  }

  /** Whether something above the box waits for an answer. */
  showAsks(isAsked) {
    find(this.#form, "ask-keys", HTMLElement).hidden = !isAsked;
    find(this.#form, "keys", HTMLElement).hidden = isAsked;
  }

  /** @param {"none" | "possible" | "asked" | "again"} stopping  again: the turn was asked to end, the agent can be ended */
  showStop(stopping) {
    const button = find(this.#form, "stop", HTMLButtonElement);
    button.hidden = stopping === "none";
    button.disabled = stopping === "asked";
    setText(button, "word", { asked: "Stopping…", again: "End the agent" }[stopping] ?? "Stop");
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#sendWritten();
    });
    this.#area.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#area.value === "" && this.#hooks.onEscape()) event.preventDefault();
      if (event.key !== "Enter" || event.shiftKey || isComposing(event)) return;
      event.preventDefault();
      this.#sendWritten();
    });
    find(this.#form, "pass-over", HTMLButtonElement).addEventListener("click", () => {
      this.#passedOver = this.#listener?.sessionId ?? null;
      this.answer(null);
      this.focus();
    });
    this.#area.addEventListener("input", () => {
      this.#showReady();
      this.#keep();
    });
    find(this.#form, "stop", HTMLButtonElement).addEventListener("click", () => this.#hooks.onStop());
    find(this.#form, "retry", HTMLButtonElement).addEventListener("click", () => {
      if (this.#delivery !== null) void this.#deliver(this.#delivery);
    });
    find(this.#form, "send-anew", HTMLButtonElement).addEventListener("click", () => {
      if (!(this.#delivery instanceof Delivery)) return;
      this.#delivery.moveToNewWorkflow();
      void this.#deliver(this.#delivery);
    });
  }

  #sendWritten() {
    const message = this.#area.value;
    if (this.#listener === null) return this.send(message);
    if (this.#isSending || message === "" || this.#closedBecause !== "") return;
    const letter = { sessionId: this.#listener.sessionId, message };
    if (!this.#delivery?.repeats(letter)) this.#delivery = new Answer(letter);
    void this.#deliver(this.#delivery);
  }

  async #deliver(delivery) {
    if (this.#isSending) return;
    this.#isSending = true;
    find(this.#form, "problem", HTMLElement).hidden = true;
    this.#showReady();
    this.#keep();
    const sentFrom = this.#workflowId;

    try {
      const session = await delivery.attempt();
      if (sentFrom !== this.#workflowId) writeDraft(sentFrom, { text: "", pending: null });
      else if (this.#area.value === delivery.letter.message) this.#write("");
      this.#keep();
      if (session === null || delivery instanceof Answer) return;
      if (this.#workflowId === null) this.#moveDraft(session.workflowId);
      this.#hooks.onSent(session, { ...delivery.letter, talks: this.#talks(delivery.letter.agent) });
    } catch (error) {
      if (delivery === this.#delivery) this.#showProblem(error);
    } finally {
      this.#isSending = false;
      this.#showReady();
    }
  }

  /** Whether an agent holds conversations, so far as the page knows. */
  #talks(agent) {
    const option = [...this.#agent.options].find(({ value }) => value === agent);
    return option?.hasAttribute("data-talk") ? "?" : null;
  }

  #write(text) {
    this.#area.value = text;
    this.#area.dispatchEvent(new Event("input"));
  }

  #keep() {
    const pending = this.#delivery instanceof Delivery ? this.#delivery.saved : null;
    writeDraft(this.#workflowId, { text: this.#area.value, pending });
  }

  /** What was written on, while the first message was on its way, goes on in its workflow. */
  #moveDraft(workflowId) {
    writeDraft(workflowId, { text: this.#area.value, pending: null });
    writeDraft(null, { text: "", pending: null });
  }

  #showReady() {
    const button = find(this.#form, "send", HTMLButtonElement);
    const isEmpty = this.#area.value.trim() === "";
    button.disabled = this.#isSending || isEmpty || this.#closedBecause !== "" || !this.#isPlaceKnown;
    setText(button, "word", this.#isSending ? "Sending…" : "Send");
    this.#form.toggleAttribute("data-sending", this.#isSending);
  }

  #showProblem(error) {
    const problem = find(this.#form, "problem", HTMLElement);
    const isAboutWorkflow =
      error instanceof ApiError && error.field === "workflowId" && this.#delivery instanceof Delivery;
    setText(problem, "text", error instanceof Error ? error.message : String(error));
    find(problem, "send-anew", HTMLButtonElement).hidden = !isAboutWorkflow;
    problem.hidden = false;
  }
}

/** The key belongs to an input method: Safari says so by 229 when it ends a composition. */
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
