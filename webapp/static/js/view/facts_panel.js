/** The selected session's facts: what it is, how it is, and where to look for more. */

import { logUrl } from "../api/sessions.js";
import { formatBytes, formatDateTime, formatDuration, millisecondsBetween } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { copyOnClick } from "./clipboard.js";
import { find, setIcon, setText } from "./dom.js";

/** @typedef {import("../api/sessions.js").Session} Session */

export class FactsPanel {
  #root;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
    for (const button of root.querySelectorAll("[data-copy]")) {
      const fact = button.closest("[data-fact]");
      if (!(button instanceof HTMLButtonElement) || fact === null) continue;
      copyOnClick(button, () => find(fact, "value", HTMLElement).textContent ?? "");
    }
  }

  hide() {
    this.#root.hidden = true;
  }

  /**
   * What is known before the row has come.
   *
   * @param {string} sessionId
   * @param {string | null} workflowId
   */
  showIds(sessionId, workflowId) {
    this.#root.hidden = false;
    setText(this.#root, "agent", "Session");
    for (const fact of this.#root.querySelectorAll("[data-fact]")) {
      if (fact instanceof HTMLElement) fact.hidden = true;
    }
    find(this.#root, "status", HTMLElement).hidden = true;
    setText(this.#root, "brief", "");
    this.#write("id", sessionId);
    this.#write("workflow", workflowId);
    find(this.#root, "log-link", HTMLAnchorElement).href = logUrl(sessionId);
  }

  /** @param {Session} session */
  show(session) {
    const duration = millisecondsBetween(session.startedAt, session.endedAt);
    setText(this.#root, "agent", session.agent);
    this.showStatus(session.status);
    setText(this.#root, "brief", brief(session));

    this.#write("id", session.sessionId);
    this.#write("workflow", `${session.workflowId}`);
    this.#write("stage", String(session.stageIndex));
    this.#write("pid", session.pid);
    this.#write("exit", session.exitCode);
    this.#write("signal", session.exitSignal);
    this.#write("started", formatDateTime(session.startedAt));
    this.#write("duration", duration === null ? null : formatDuration(duration));
    this.#write("log", session.logPath);
    this.#write("bytes", session.logBytes ? formatBytes(session.logBytes) : null);
    this.#write("error", session.error);
  }

  /** @param {string} status */
  showStatus(status) {
    const badge = find(this.#root, "status", HTMLElement);
    const look = lookOf(status);
    badge.hidden = false;
    badge.dataset.tone = look.tone;
    badge.dataset.status = status;
    setIcon(badge, look.icon);
    setText(badge, "word", look.word);
  }

  /**
   * @param {string} name
   * @param {string | number | null | undefined} value  nothing: the fact is not shown
   */
  #write(name, value) {
    const fact = this.#root.querySelector(`[data-fact="${name}"]`);
    if (!(fact instanceof HTMLElement)) throw new Error(`no fact ${name}`);
    fact.hidden = value === null || value === undefined || value === "";
    setText(fact, "value", String(value ?? ""));
  }
}

/** @param {Session} session */
function brief(session) {
  return [
    session.exitCode === null ? "" : `exit code ${session.exitCode}`,
    session.pid === null ? "" : `pid ${session.pid}`,
  ].filter(Boolean).join(" · ");
}
