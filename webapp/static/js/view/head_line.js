/** The line under a conversation's title: its state, agent, model, mode and directory. */

import { setMode, setModel } from "../api/approvals.js";
import { visible } from "../transcript/plain_text.js";
import { find, setIcon, setText } from "./dom.js";

/** @typedef {import("../conversation/shown_session.js").ShownSession} ShownSession */

/** @type {Record<string, {word: string, icon: string, tone: string}>} */
const STATES = {
  working: { word: "Working", icon: "running", tone: "live" },
  waiting: { word: "Waits for you", icon: "gate", tone: "warn" },
  idle: { word: "Idle", icon: "dot", tone: "quiet" },
  ended: { word: "Idle: goes on with your next message", icon: "dot", tone: "quiet" },
  lost: { word: "Begins anew with your next message", icon: "lost", tone: "warn" },
};

const WORDS = new Map([
  ["default", "Ask first"], ["acceptEdits", "Accept edits"], ["plan", "Plan"], ["auto", "Auto"],
  ["dontAsk", "Deny what is not allowed"], ["bypassPermissions", "Allow all"],
]);

export class HeadLine {
  #root;
  #mode;
  #model;
  #turn = null;
  /** What was chosen while no agent ran. */
  #preset = { sessionId: "", choices: {} };

  constructor(root) {
    this.#root = root;
    this.#mode = new Choice(find(root, "mode", HTMLElement), (value) => this.#set("mode", setMode, value), WORDS);
    this.#model = new Choice(find(root, "model", HTMLElement), (value) => this.#set("model", setModel, value), new Map());
  }

  /** With what the next message to this agent goes on. @returns {{mode?: string, model?: string}} */
  choicesFor(agent) {
    const { sessionId, choices } = this.#preset;
    const isHere = this.#turn?.sessionId === sessionId && !this.#turn.isLive && this.#turn.row.agent === agent;
    return isHere ? choices : {};
  }

  /** @param {ShownSession | undefined} turn  the newest session of the conversation */
  show(turn) {
    this.#turn = turn ?? null;
    // An agent of one message is one of a conversation if it can remember it.
    const isConversation = turn !== undefined && (turn.isTalk || Boolean(turn.row.conversationId));
    this.#root.hidden = !isConversation && !turn?.row.project;
    if (turn === undefined || this.#root.hidden) return;
    const { row, transcript, talkState } = turn;
    const talk = transcript.talk ?? {};
    const look = STATES[talkState] ?? STATES.ended;
    const state = find(this.#root, "state", HTMLElement);
    state.dataset.tone = look.tone;
    state.dataset.state = talkState;
    setIcon(state, look.icon);
    setText(state, "word", look.word);
    state.hidden = !isConversation;
    setText(this.#root, "head-agent", row.agent);
    const project = find(this.#root, "head-project", HTMLElement);
    project.textContent = visible(row.project ?? "");
    project.hidden = !row.project;
    const cwd = visible(row.cwd ?? talk.cwd ?? "");
    setText(this.#root, "cwd", shortPath(cwd));
    const path = find(this.#root, "cwd", HTMLElement);
    path.title = cwd;
    path.hidden = cwd === "";
    const chosen = this.choicesFor(row.agent);
    this.#mode.show(chosen.mode ?? talk.mode ?? row.mode ?? "", talk.modes ?? []);
    this.#model.show(chosen.model ?? talk.model ?? row.model ?? "", talk.models ?? []);
  }

  async #set(kind, change, value) {
    if (this.#turn === null) return;
    const { sessionId, isLive, row } = this.#turn;
    if (!isLive) {
      this.#preset = { sessionId, choices: { ...this.choicesFor(row.agent), [kind]: value } };
      return;
    }
    const problem = find(this.#root, "head-problem", HTMLElement);
    problem.hidden = true;
    try {
      await change(sessionId, value);
    } catch (error) {
      setText(this.#root, "head-problem", error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
    this.show(this.#turn);
  }
}

/** One of several values, or just the one that is known. */
class Choice {
  #root;
  #select;
  #words;
  #written = "";

  constructor(root, onChoice, words) {
    this.#root = root;
    this.#words = words;
    this.#select = find(root, "choice-select", HTMLSelectElement);
    this.#select.addEventListener("change", () => onChoice(this.#select.value));
  }

  show(value, offered) {
    const values = offered.map((each) => (typeof each === "string" ? { id: each, name: "" } : { id: each?.id, name: each?.name }));
    const known = values.some(({ id }) => id === value) || value === "" ? values : [{ id: value, name: "" }, ...values];
    const content = JSON.stringify(known);
    if (content !== this.#written) {
      this.#written = content;
      this.#select.replaceChildren(...known.map(({ id, name }) => new Option(name || (this.#words.get(id) ?? id), id)));
    }
    this.#select.value = value;
    this.#select.disabled = known.length < 2;
    this.#root.hidden = value === "";
  }
}

/** The end of a path is what tells it from others. */
function shortPath(path) {
  const parts = path.split("/").filter(Boolean);
  return parts.length > 3 ? `…/${parts.slice(-2).join("/")}` : path;
}
