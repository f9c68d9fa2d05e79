/** The session in the middle of the page: its stream, its transcript, its facts. */

import { cancelSession, getSession, streamUrl } from "./api/sessions.js";
import { ApiError } from "./api/errors.js";
import { millisecondsBetween } from "./format.js";
import { isOver } from "./sessions/status.js";
import { messageOf } from "./sessions/sent_messages.js";
import { pause } from "./stream/backoff.js";
import { EventStream } from "./stream/event_stream.js";
import { applyEvent } from "./transcript/apply_event.js";
import { cut } from "./transcript/limits.js";
import { Transcript } from "./transcript/transcript.js";

/** A row is written after the end of the log: a busy database may keep it back for a while. */
const ROW_DELAYS_MS = [0, 300, 1_000, 3_000, 8_000];

/** A tab in the background keeps its stream for this long. */
const PARK_AFTER_MS = 60_000;

/**
 * @typedef {import("./api/sessions.js").Session} Session
 * @typedef {import("./stream/event_stream.js").StreamState} StreamState
 *
 * @typedef {object} ConversationEvents
 * @property {(transcript: Transcript) => void} onChange
 * @property {(state: StreamState) => void} onState
 * @property {(session: Session) => void} onRow
 * @property {(status: string) => void} onStatus
 */

export class Conversation {
  #events;
  #stream;
  #transcript = new Transcript();
  /** @type {Session | null} */
  #row = null;
  #state = /** @type {StreamState} */ ({ phase: "connecting" });
  #leaving = new AbortController();
  #parkTimer = 0;

  /**
   * @param {string} sessionId
   * @param {ConversationEvents} events
   */
  constructor(sessionId, events) {
    this.sessionId = sessionId;
    this.#events = events;
    this.#stream = new EventStream(streamUrl(sessionId), {
      finalEvent: "done",
      onEvents: (batch) => this.#take(batch),
      onState: (state) => this.#note(state),
    });
  }

  open() {
    const said = messageOf(this.sessionId);
    if (said !== null) this.#transcript.add({ kind: "input", ...cut(said), fromLog: false });

    const { signal } = this.#leaving;
    document.addEventListener("visibilitychange", () => this.#noteVisibility(), { signal });
    window.addEventListener("online", () => this.hurry(), { signal });
    this.#stream.open();
    void this.#askRow();
  }

  close() {
    this.#leaving.abort();
    clearTimeout(this.#parkTimer);
    this.#stream.close();
  }

  tryNow() {
    this.#stream.open();
  }

  /** Something says that the way to the server is open again. */
  hurry() {
    if (this.#state.phase === "waiting" || this.#state.phase === "parked") this.#stream.open();
  }

  /** Ask the server to stop the agent; the stream tells when it has. */
  async stop() {
    try {
      this.takeRow(await cancelSession(this.sessionId));
    } catch (error) {
      const hasEnded = error instanceof ApiError && error.status === 409;
      if (!hasEnded) throw error;
      await this.#askRow();
    }
  }

  /**
   * A row from wherever one was just read. The log's own end is the last word on the status.
   *
   * @param {Session} session
   */
  takeRow(session) {
    const isStale = this.#row !== null && isOver(this.#row.status) && !isOver(session.status);
    if (this.#leaving.signal.aborted || isStale) return;
    const { done } = this.#transcript;
    this.#row = done === null ? session : { ...session, status: done.status };
    this.#events.onRow(this.#row);
    if (done !== null) this.#complete(done, session);
  }

  /**
   * What the last line of a transcript says, and only the row knows.
   *
   * @param {import("./transcript/blocks.js").DoneBlock} done
   * @param {Session} session
   */
  #complete(done, session) {
    const durationMs = millisecondsBetween(session.startedAt, session.endedAt);
    if (done.durationMs === durationMs && done.error === session.error) return;
    done.durationMs = durationMs;
    done.error = session.error;
    this.#transcript.touch(done);
    this.#events.onChange(this.#transcript);
  }

  /** @param {import("./stream/sse_parser.js").StreamEvent[]} batch */
  #take(batch) {
    for (const event of batch) applyEvent(this.#transcript, event);
    this.#events.onChange(this.#transcript);

    const { done } = this.#transcript;
    if (done !== null) {
      this.#events.onStatus(done.status);
      void this.#askRow((session) => isOver(session.status));
    } else if (batch.some((event) => event.name === "session")) {
      void this.#askRow();
    }
  }

  /**
   * @param {(session: Session) => boolean} [isEnough]  asked again, a few times, until it is
   */
  async #askRow(isEnough = () => true) {
    const { signal } = this.#leaving;
    for (const delayMs of ROW_DELAYS_MS) {
      await pause(delayMs, signal);
      if (signal.aborted) return;
      // The stream is what matters and says so itself when the server is away.
      const session = await getSession(this.sessionId).catch(nullIfPassing);
      if (session === undefined) return;
      if (session === null) continue;
      this.takeRow(session);
      if (isEnough(session)) return;
    }
  }

  /** @param {StreamState} state */
  #note(state) {
    this.#state = state;
    this.#events.onState(state);
  }

  #noteVisibility() {
    clearTimeout(this.#parkTimer);
    if (!document.hidden) return this.hurry();
    this.#parkTimer = window.setTimeout(() => {
      if (this.#state.phase === "live") this.#stream.park();
    }, PARK_AFTER_MS);
  }
}

/**
 * @param {unknown} error
 * @returns {null | undefined}  undefined: the answer will not be another one
 */
function nullIfPassing(error) {
  return error instanceof ApiError && error.isPassing ? null : undefined;
}
