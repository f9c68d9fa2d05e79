/** A workflow on the page: its row, its turns, kept up with the server. */

import { listSessions } from "../api/sessions.js";
import { serverNow } from "../clock.js";
import { getHistory, getWorkflow } from "../api/workflows.js";
import { Slots } from "../stream/slots.js";
import { pollWhileVisible } from "../workflows/poller.js";
import { ShownSession } from "./shown_session.js";
import { entriesOf } from "./turn_order.js";

const REFRESH_MS = 2_500;
const PAGE_SIZE = 50;
const FRESH_SIZE = 20;
/** A session has a message that started it, and there are some beside these. */
const MESSAGES_A_SESSION = 4;
/** A tab in the background keeps its streams for this long. */
const PARK_AFTER_MS = 60_000;

/**
 * @typedef {import("../api/sessions.js").Session} Session
 * @typedef {import("../api/workflows.js").Workflow} Workflow
 * @typedef {import("./turn_order.js").Entry} Entry
 *
 * @typedef {object} ConversationHooks
 * @property {(entries: Entry[]) => void} onEntries
 * @property {(workflow: Workflow) => void} onWorkflow
 * @property {(error: Error | null) => void} onProblem
 * @property {(session: ShownSession) => void} onChange
 * @property {(session: ShownSession) => void} onState
 */

export class Conversation {
  #hooks;
  #slots = new Slots();
  #leaving = new AbortController();
  #parkTimer = 0;
  #poll = pollWhileVisible(() => this.#ask(), REFRESH_MS);
  #rows = new Map();
  /** By id. @type {Map<number, import("../api/workflows.js").Message>} */
  #messages = new Map();
  /** Where what was said before begins; null: all of it is here. @type {number | null} */
  #historyCursor = null;
  /** What was said from here, by session, before the history says so. @type {Map<string, string>} */
  #sent = new Map();
  /** Which entries are shown, by their keys. @type {string | null} */
  #shown = null;
  #hadProblem = false;

  workflow = null;
  /** By session. @type {Map<string, ShownSession>} */
  sessions = new Map();
  /** Where the older turns begin; null: all are here. @type {string | null} */
  olderCursor = null;
  isLoaded = false;

  constructor(workflowId, hooks) {
    this.workflowId = workflowId;
    this.#hooks = hooks;
  }

  open() {
    const { signal } = this.#leaving;
    document.addEventListener("visibilitychange", () => this.#noteVisibility(), { signal });
    window.addEventListener("online", () => this.hurry(), { signal });
    this.#poll.start(signal);
  }

  close() {
    this.#leaving.abort();
    this.#poll.stop();
    clearTimeout(this.#parkTimer);
    for (const session of this.sessions.values()) session.close();
  }

  refresh() {
    this.#poll.now();
  }

  hurry() {
    for (const session of this.sessions.values()) session.hurry();
  }

  tryNow() {
    for (const session of this.sessions.values()) if (session.state.phase === "waiting") session.tryNow();
    this.refresh();
  }

  /** What waits for a person in it, oldest first. */
  get asking() {
    return [...this.sessions.values()].flatMap((session) =>
      session.asking.map((approval) => ({ approval, agent: session.row.agent })),
    );
  }

  /** How an approval ended, as far as this page has read. */
  resolutionOf(id) {
    for (const { transcript } of this.sessions.values()) {
      const resolution = transcript.resolutions.get(id);
      if (resolution !== undefined) return resolution;
    }
    return null;
  }

  /** The newest session. @returns {ShownSession | undefined} */
  get latest() {
    return [...this.sessions.values()].reduce(
      (last, session) => (last === undefined || session.row.createdAt >= last.row.createdAt ? session : last),
      undefined,
    );
  }

  /** A session that was just started from here, before the server's list has it. */
  takeStarted({ sessionId, stageIndex }, { agent, message, talks }) {
    this.#sent.set(sessionId, message);
    if (this.#rows.has(sessionId)) return;
    this.takeRows([
      {
        sessionId, stageIndex, agent, workflowId: this.workflowId, status: "starting", pid: null, talk: talks,
        exitCode: null, exitSignal: null, error: null, logPath: null, logBytes: null,
        createdAt: new Date(serverNow()).toISOString(), startedAt: null, endedAt: null,
      },
    ]);
    this.refresh();
  }

  /** @param {Session[]} rows  of any workflow */
  takeRows(rows) {
    for (const row of rows) {
      if (row.workflowId !== this.workflowId) continue;
      this.#rows.set(row.sessionId, row);
      this.sessions.get(row.sessionId)?.setRow(row);
    }
    this.#arrange();
  }

  takeWorkflow(workflow) {
    if (workflow.id !== this.workflowId || this.#leaving.signal.aborted) return;
    this.workflow = workflow;
    this.#hooks.onWorkflow(workflow);
  }

  async loadOlder() {
    const cursor = this.olderCursor;
    if (cursor === null) return;
    this.olderCursor = null;
    const { workflowId } = this;
    try {
      const [page, history] = await Promise.all([
        listSessions({ workflowId, limit: PAGE_SIZE, cursor }),
        this.#askHistory(),
      ]);
      if (this.#leaving.signal.aborted) return;
      this.olderCursor = page.nextCursor;
      this.#takeHistory(history);
      this.takeRows(page.sessions);
    } catch {
      this.olderCursor = cursor;
    }
  }

  async #askHistory() {
    const cursor = this.#historyCursor;
    if (cursor === null) return { messages: [], nextCursor: null };
    return getHistory(this.workflowId, { limit: PAGE_SIZE * MESSAGES_A_SESSION, cursor });
  }

  /** @param {import("../api/workflows.js").History} history  older than all that is here */
  #takeHistory({ messages, nextCursor }) {
    for (const message of messages) this.#messages.set(message.id, message);
    this.#historyCursor = nextCursor;
  }

  async #ask() {
    const { workflowId } = this;
    const limit = this.isLoaded ? FRESH_SIZE : PAGE_SIZE;
    try {
      const [{ workflow, history }, page] = await Promise.all([
        getWorkflow(workflowId, limit * MESSAGES_A_SESSION),
        listSessions({ workflowId, limit }),
      ]);
      if (this.#leaving.signal.aborted) return;
      if (this.isLoaded) {
        for (const message of history.messages) this.#messages.set(message.id, message);
      } else {
        this.olderCursor = page.nextCursor;
        this.#takeHistory(history);
      }
      this.isLoaded = true;
      this.takeWorkflow(workflow);
      this.takeRows(page.sessions);
      this.#tell(null);
    } catch (error) {
      if (!this.#leaving.signal.aborted) this.#tell(error instanceof Error ? error : new Error(`${error}`));
    }
  }

  #tell(problem) {
    if (problem === null && this.#hadProblem) this.hurry();
    this.#hadProblem = problem !== null;
    this.#hooks.onProblem(problem);
  }

  #arrange() {
    const rows = [...this.#rows.values()];
    const oldest = rows.reduce((least, { createdAt }) => (createdAt < least ? createdAt : least), "9");
    // What was said between turns that are not here yet waits for them.
    const from = this.olderCursor === null ? "" : oldest;
    const messages = [...this.#messages.values()].filter(({ createdAt }) => createdAt >= from);
    const entries = entriesOf(rows, messages, (id) => this.#sent.get(id) ?? null);
    for (const entry of entries) {
      if (entry.kind !== "session") continue;
      this.#sessionFor(entry.session).setSaid(entry.said);
    }
    const shown = entries.map((entry) => entry.key).join();
    // The list may name sessions of a workflow that is not loaded yet.
    if (shown === this.#shown || (shown === "" && !this.isLoaded)) return;
    this.#shown = shown;
    this.#hooks.onEntries(entries);
  }

  #sessionFor(row) {
    let session = this.sessions.get(row.sessionId);
    if (session !== undefined) return session;
    session = new ShownSession(
      row,
      {
        onChange: this.#hooks.onChange,
        onState: this.#hooks.onState,
        isForemost: (asking) => asking === this.latest,
      },
      this.#slots,
    );
    this.sessions.set(row.sessionId, session);
    if (session.isLive && !document.hidden) session.open();
    return session;
  }

  #noteVisibility() {
    clearTimeout(this.#parkTimer);
    if (!document.hidden) return this.hurry();
    this.#parkTimer = window.setTimeout(() => {
      for (const session of this.sessions.values()) session.park();
    }, PARK_AFTER_MS);
  }
}
