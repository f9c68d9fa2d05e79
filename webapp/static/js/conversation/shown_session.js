/** One session in the conversation: its stream, its transcript, its row. */

import { interruptSession } from "../api/approvals.js";
import { eventsBefore, timeOf } from "../api/events.js";
import { cancelSession, getSession, streamUrl } from "../api/sessions.js";
import { ApiError } from "../api/errors.js";
import { isOver } from "../sessions/status.js";
import { pause } from "../stream/backoff.js";
import { EventStream } from "../stream/event_stream.js";
import { applyEvent } from "../transcript/apply_event.js";
import { Transcript } from "../transcript/transcript.js";

/** A row is written after the end of the log, later if the database is busy. */
const ROW_DELAYS_MS = [0, 300, 1_000, 3_000, 8_000];

/** Events after which something beside the transcript looks another way. */
const OF_STATE = new Set([
  "state", "approval", "approval_resolved", "turn_started", "turn_ended", "user_message", "user_message_state",
  "conversation", "conversation_lost", "mode", "model",
]);

/** What is asked for at once; the rest when its reader comes near it. */
const TAIL_EVENTS = 1_000;

/**
 * @typedef {import("../api/sessions.js").Session} Session
 *
 * @typedef {object} SessionHooks
 * @property {(session: ShownSession) => void} onChange          something that is shown is another one
 * @property {(session: ShownSession) => void} onState           of its line, or of the session
 * @property {(session: ShownSession) => boolean} isForemost
 */

export class ShownSession {
  #hooks;
  #stream;
  #leaving = new AbortController();
  #isOpen = false;
  #firstEventId = "";
  #isAskingEarlier = false;

  transcript = new Transcript();
  state = { phase: "connecting" };
  hasEarlier = false;
  isStopping = false;
  /** The turn was asked to end. */
  isInterrupting = false;
  /** When the turn that runs began, by the server's clock. @type {number | null} */
  turnStartedAt = null;
  said = null;
  /** Why what was asked of it last could not be done. */
  problem = "";
  /** Of what is shown beside the blocks. */
  version = 0;

  constructor(row, hooks, slots) {
    this.row = row;
    if (row.talk) this.transcript.talk = {};
    this.#hooks = hooks;
    this.#stream = new EventStream(streamUrl(row.sessionId), {
      finalEvent: "done",
      firstQuery: `&tail=${TAIL_EVENTS}`,
      slots,
      isForemost: () => hooks.isForemost(this),
      onEvents: (events) => this.#take(events),
      onState: (state) => this.#note(state),
    });
  }

  get sessionId() {
    return this.row.sessionId;
  }

  /** The log's own end is the last word on the status. */
  get status() {
    return this.transcript.done?.status ?? this.row.status;
  }

  get isLive() {
    return !isOver(this.status);
  }

  /** Whether it is one process of a conversation, with many turns. */
  get isTalk() {
    return this.transcript.talk !== null;
  }

  /** @returns {"working" | "waiting" | "idle" | "ended" | "lost"} */
  get talkState() {
    const { talk, asking, queued } = this.transcript;
    if (!this.isLive) return talk?.lost === undefined ? "ended" : "lost";
    if (asking.size > 0) return "waiting";
    // A message that is recorded is on its way to the agent.
    if (talk?.state === "idle" && queued.size === 0) return "idle";
    const state = talk?.state || this.row.state;
    return state === "idle" || state === "waiting" ? state : "working";
  }

  /** Approvals that wait for a person. @returns {import("../api/approvals.js").Approval[]} */
  get asking() {
    if (!this.isLive) return [];
    const { sessionId, workflowId } = this.row;
    return [...this.transcript.asking.values()].map(({ approval }) => ({ sessionId, workflowId, ...approval }));
  }

  /** Whether its stream is of use: open, and not at its end. */
  get isStreaming() {
    return this.#isOpen && this.state.phase !== "ended" && this.state.phase !== "refused";
  }

  /** Once somebody comes near it. */
  open() {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#stream.open();
  }

  close() {
    this.#leaving.abort();
    this.#stream.close();
  }

  tryNow() {
    this.#isOpen = true;
    this.#stream.open();
  }

  /** Something says that the way to the server is open again. */
  hurry() {
    if (this.state.phase === "waiting" || this.state.phase === "parked") this.#stream.open();
  }

  /** A tab that nobody sees lets go of its connections. */
  park() {
    if (this.isStreaming) this.#stream.park();
  }

  setSaid(said) {
    if (this.said === said) return;
    if (this.said === null && this.transcript.start === null) this.transcript.said = said;
    this.said = said;
    this.#changed();
  }

  /** A row from wherever one was just read. @param {Session} row */
  setRow(row) {
    const isStale = isOver(this.row.status) && !isOver(row.status);
    if (isStale || JSON.stringify(row) === JSON.stringify(this.row)) return;
    this.row = row;
    if (row.talk) this.transcript.talk ??= {};
    this.#changed();
    this.#hooks.onState(this);
  }

  /** Ask the agent to end its turn; the stream says when it has. */
  async interrupt() {
    this.isInterrupting = true;
    this.problem = "";
    this.#changed();
    this.#hooks.onState(this);
    try {
      await interruptSession(this.sessionId);
    } catch (error) {
      this.isInterrupting = false;
      this.problem = error instanceof Error ? error.message : String(error);
      this.#changed();
      this.#hooks.onState(this);
    }
  }

  /** Ask the server to stop the agent; the stream tells when it has. */
  async stop() {
    this.isStopping = true;
    this.problem = "";
    this.#changed();
    try {
      this.setRow(await cancelSession(this.sessionId));
    } catch (error) {
      const hasEnded = error instanceof ApiError && error.status === 409;
      if (hasEnded) void this.#askRow();
      else this.problem = error instanceof Error ? error.message : String(error);
      this.isStopping = hasEnded;
      this.#changed();
    }
  }

  async loadEarlier() {
    if (!this.hasEarlier || this.#isAskingEarlier) return;
    this.#isAskingEarlier = true;
    try {
      const before = this.#firstEventId;
      const [{ events, isFirst }, { prependEvents }] = await Promise.all([
        eventsBefore(this.sessionId, before),
        import("../transcript/earlier.js"),
      ]);
      this.hasEarlier = !isFirst && events.length > 0;
      this.#firstEventId = events[0]?.id ?? before;
      if (!this.#leaving.signal.aborted) prependEvents(this.transcript, events);
    } catch {
      await pause(ROW_DELAYS_MS[3] ?? 0, this.#leaving.signal);
    }
    this.#isAskingEarlier = false;
    this.#changed();
  }

  #take(events) {
    const [first] = events;
    if (this.#firstEventId === "" && first !== undefined) {
      const { id = "", name } = events.find((event) => event.id !== "") ?? first;
      this.#firstEventId = id;
      this.hasEarlier = id !== "" && name !== "session";
    }
    const wasOver = this.transcript.done !== null;
    for (const event of events) applyEvent(this.transcript, event);
    this.#noteTalk(events);
    this.#changed();

    const isOverNow = this.transcript.done !== null;
    if (isOverNow && !wasOver) {
      void this.#askRow((row) => isOver(row.status));
      this.#hooks.onState(this);
    } else if (events.some((event) => event.name === "session")) {
      void this.#askRow();
    }
  }

  #noteTalk(events) {
    const started = events.findLast(({ name }) => name === "turn_started");
    const isOver = events.some(({ name }) => name === "turn_ended" || name === "done");
    if (isOver) this.isInterrupting = false;
    if (this.transcript.talk?.turn == null) this.turnStartedAt = null;
    else if (started !== undefined) void this.#askTurnStart(started.id);
    if (events.some(({ name }) => OF_STATE.has(name))) this.#hooks.onState(this);
  }

  async #askTurnStart(eventId) {
    const time = await timeOf(this.sessionId, eventId).catch(() => null);
    if (time === null || this.transcript.talk?.turn == null) return;
    this.turnStartedAt = Date.parse(time);
    this.#changed();
  }

  /** @param {(row: Session) => boolean} [isEnough]  asked again, a few times, until it is */
  async #askRow(isEnough = () => true) {
    if (isOver(this.row.status)) return;
    const { signal } = this.#leaving;
    for (const delayMs of ROW_DELAYS_MS) {
      await pause(delayMs, signal);
      if (signal.aborted) return;
      // The stream is what matters and says so itself when the server is away.
      const row = await getSession(this.sessionId).catch(nullIfPassing);
      if (row === undefined || signal.aborted) return;
      if (row === null) continue;
      this.setRow(row);
      if (isEnough(row)) return;
    }
  }

  #note(state) {
    this.state = state;
    this.#changed();
    this.#hooks.onState(this);
  }

  #changed() {
    this.version += 1;
    this.#hooks.onChange(this);
  }
}

/** @returns {null | undefined}  undefined: the answer will not be another one */
function nullIfPassing(error) {
  return error instanceof ApiError && error.isPassing ? null : undefined;
}
