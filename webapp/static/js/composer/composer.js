/** The box at the bottom: write, choose an agent, send, stop. */

import { ApiError } from "../api/errors.js";
import { rememberMessage } from "../sessions/sent_messages.js";
import { find, setText } from "../view/dom.js";
import { Delivery } from "./delivery.js";
import { growWithText } from "./growing_textarea.js";

/**
 * @typedef {object} ComposerEvents
 * @property {() => string | null} workflowId  of the conversation that the message is for
 * @property {(session: {sessionId: string, workflowId: string}) => void} onSent
 * @property {() => Promise<void>} onStop
 */

export class Composer {
  #form;
  #events;
  #area;
  #agent;
  /** @type {Delivery | null} */
  #delivery = null;
  #isSending = false;

  /**
   * @param {HTMLFormElement} form
   * @param {ComposerEvents} events
   */
  constructor(form, events) {
    this.#form = form;
    this.#events = events;
    this.#area = find(form, "message", HTMLTextAreaElement);
    this.#agent = find(form, "agent-choice", HTMLSelectElement);
    growWithText(this.#area);
    this.#listen();
    this.#showReady();
  }

  focus() {
    this.#area.focus();
  }

  /** @param {string} agent */
  chooseAgent(agent) {
    const isOffered = [...this.#agent.options].some((option) => option.value === agent);
    if (isOffered) this.#agent.value = agent;
  }

  /** @param {string} message */
  send(message) {
    if (this.#isSending || message.trim() === "") return;
    const workflowId = this.#events.workflowId();
    this.#delivery = new Delivery({ workflowId, message, agent: this.#agent.value });
    void this.#deliver(this.#delivery);
  }

  /** @param {"none" | "possible" | "asked"} stopping */
  showStop(stopping) {
    const button = find(this.#form, "stop", HTMLButtonElement);
    button.hidden = stopping === "none";
    button.disabled = stopping === "asked";
    setText(button, "word", stopping === "asked" ? "Stopping…" : "Stop");
  }

  hideProblem() {
    find(this.#form, "problem", HTMLElement).hidden = true;
  }

  #listen() {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(this.#area.value);
    });
    this.#area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.send(this.#area.value);
    });
    this.#area.addEventListener("input", () => this.#showReady());
    find(this.#form, "stop", HTMLButtonElement).addEventListener("click", () => void this.#stop());
    find(this.#form, "retry", HTMLButtonElement).addEventListener("click", () => {
      if (this.#delivery !== null) void this.#deliver(this.#delivery);
    });
    find(this.#form, "send-anew", HTMLButtonElement).addEventListener("click", () => {
      this.#delivery?.moveToNewWorkflow();
      if (this.#delivery !== null) void this.#deliver(this.#delivery);
    });
  }

  /** @param {Delivery} delivery */
  async #deliver(delivery) {
    if (this.#isSending) return;
    this.#isSending = true;
    this.hideProblem();
    this.#showReady();

    try {
      const session = await delivery.attempt();
      rememberMessage(session.sessionId, delivery.letter.message);
      if (this.#area.value === delivery.letter.message) this.#clear();
      this.#events.onSent(session);
    } catch (error) {
      this.#showProblem(error, { canRetry: true });
    } finally {
      this.#isSending = false;
      this.#showReady();
    }
  }

  async #stop() {
    this.hideProblem();
    this.showStop("asked");
    try {
      await this.#events.onStop();
    } catch (error) {
      this.showStop("possible");
      this.#showProblem(error, { canRetry: false });
    }
  }

  #clear() {
    this.#area.value = "";
    this.#area.dispatchEvent(new Event("input"));
  }

  #showReady() {
    const button = find(this.#form, "send", HTMLButtonElement);
    button.disabled = this.#isSending || this.#area.value.trim() === "";
    setText(button, "word", this.#isSending ? "Sending…" : "Send");
    this.#form.toggleAttribute("data-sending", this.#isSending);
  }

  /**
   * @param {unknown} error
   * @param {{canRetry: boolean}} offer
   */
  #showProblem(error, { canRetry }) {
    const problem = find(this.#form, "problem", HTMLElement);
    const isAboutWorkflow = error instanceof ApiError && error.field === "workflowId";
    setText(problem, "text", error instanceof Error ? error.message : String(error));
    find(problem, "retry", HTMLButtonElement).hidden = !canRetry;
    find(problem, "send-anew", HTMLButtonElement).hidden =
      !canRetry || !isAboutWorkflow;
    problem.hidden = false;
  }
}
