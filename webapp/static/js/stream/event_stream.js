/**
 * A stream of server-sent events that outlives its connections: it resumes with `Last-Event-ID`,
 * waits longer after each failure, and drops a connection that is silent for too long.
 *
 * @typedef {import("./sse_parser.js").StreamEvent} StreamEvent
 *
 * @typedef {object} StreamState
 * @property {"connecting" | "live" | "reconnecting" | "waiting" | "parked" | "ended" | "refused"} phase
 * @property {number} [delayMs]   waiting: until the next attempt
 * @property {Error} [error]      refused: why
 *
 * @typedef {object} StreamOptions
 * @property {string} finalEvent  the name of the event after which nothing follows
 * @property {(events: StreamEvent[]) => void} onEvents
 * @property {(state: StreamState) => void} onState
 * @property {Slots} [slots]            of connections; without them it takes what it wants
 * @property {() => boolean} [isForemost]  looked at just now: it gives its slot up less often
 * @property {number} [pingSeconds]     of silence, after which the server says something
 * @property {string} [firstQuery]      what the first connection asks for beside the rest: "&tail=9"
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random]
 */

import { errorOf } from "../api/errors.js";
import { DEFAULT_RETRY_MS, pause, reconnectDelay, retryAfterMs } from "./backoff.js";
import { Slots } from "./slots.js";
import { SseParser } from "./sse_parser.js";

/** The server sends a `ping` after so many seconds of silence, unless the page says otherwise. */
const PING_SECONDS = 15;
const LATE_MS = 5_000;

/** A line that has missed two pings is dead. @param {number} [pingSeconds] */
export function silenceLimitMs(pingSeconds = pingSecondsOfPage()) {
  return 2 * pingSeconds * 1_000 + LATE_MS;
}

function pingSecondsOfPage() {
  const said = Number(globalThis.document?.documentElement.dataset.pingSeconds);
  return said > 0 ? said : PING_SECONDS;
}

/** For so long it keeps a connection that others wait for, at least. */
const TURN_MS = 500;
const FOREMOST_TURN_MS = 3_000;
/** Silent for so long, it has caught up. */
const QUIET_MS = 150;

/** 4xx answers that may change later: a person may log in. */
const PASSING_STATUSES = new Set([401, 408, 425, 429]);

export class EventStream {
  #url;
  #options;
  #fetch;
  #run = new AbortController();
  #lastEventId = "";
  #retryMs = DEFAULT_RETRY_MS;
  #failures = 0;
  #wasLive = false;

  constructor(url, options) {
    this.#url = url;
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  /** Connect, or try again at once; what has come already is not asked for again. */
  open() {
    this.close();
    this.#run = new AbortController();
    void this.#keepConnected(this.#run.signal);
  }

  /** Let go of the connection. Nothing is reported after this; `open` goes on where it stopped. */
  close() {
    this.#run.abort();
  }

  /** Close for a while: a tab that nobody sees must not hold one of the origin's six connections. */
  park() {
    this.close();
    this.#options.onState({ phase: "parked" });
  }

  async #keepConnected(stop) {
    let outcome = await this.#takeTurn(stop, "connecting");
    while (!stop.aborted) {
      if (outcome.phase === "ended" || outcome.phase === "refused") {
        this.#options.onState(outcome);
        return;
      }
      if (outcome.phase === "waiting") {
        const delay = reconnectDelay(this.#failures, this.#retryMs, this.#options.random);
        const delayMs = Math.max(delay, outcome.delayMs ?? 0);
        this.#failures += 1;
        this.#options.onState({ phase: "waiting", delayMs });
        await pause(delayMs, stop);
      }
      outcome = await this.#takeTurn(stop, outcome.phase === "waiting" ? "reconnecting" : null);
    }
  }

  /**
   * One connection, once there is a slot for it.
   *
   * @param {"connecting" | "reconnecting" | null} phase  null: it only lets others have their turn
   * @returns {Promise<StreamState>}
   */
  async #takeTurn(stop, phase) {
    if (stop.aborted) return { phase: "parked" };
    if (phase !== null) this.#options.onState({ phase: this.#wasLive ? "reconnecting" : phase });
    const slot = await this.#options.slots?.acquire(stop);
    try {
      return stop.aborted ? { phase: "parked" } : await this.#connect(stop, slot);
    } finally {
      slot?.release();
    }
  }

  /**
   * One connection, from its request to its end.
   *
   * @returns {Promise<StreamState>}
   */
  async #connect(stop, slot) {
    const silence = new SilenceLimit(silenceLimitMs(this.#options.pingSeconds));
    const turn = new Turn(slot, () => this.#options.isForemost?.() ?? false);
    try {
      const isFirst = this.#lastEventId === "";
      const response = await this.#fetch(this.#url + (isFirst ? (this.#options.firstQuery ?? "") : ""), {
        headers: this.#headers(),
        cache: "no-store",
        signal: AbortSignal.any([stop, silence.signal, turn.signal]),
      });
      const outcome = await judge(response);
      if (stop.aborted || outcome.phase !== "live" || response.body === null) return outcome;

      this.#wasLive = true;
      this.#options.onState(outcome);
      return await this.#read(response.body, stop, silence, turn);
    } catch {
      // fetch and read fail with one TypeError for everything between here and the server.
      return turn.signal.aborted ? { phase: "live" } : { phase: "waiting" };
    } finally {
      silence.lift();
      turn.end();
    }
  }

  #headers() {
    const headers = { Accept: "text/event-stream" };
    if (this.#lastEventId !== "") headers["Last-Event-ID"] = this.#lastEventId;
    return headers;
  }

  /**
   * @param {ReadableStream<Uint8Array>} body
   * @returns {Promise<StreamState>}  live: others are to have their turn
   */
  async #read(body, stop, silence, turn) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser(this.#lastEventId);

    for (;;) {
      const { value, done } = await reader.read();
      if (stop.aborted || done) return { phase: "waiting" };
      silence.restart();
      turn.noteData();

      const events = parser.feed(decoder.decode(value, { stream: true }));
      this.#retryMs = parser.retryMs ?? this.#retryMs;
      this.#lastEventId = parser.lastEventId;
      const last = events.at(-1);
      if (last === undefined) continue;

      this.#failures = 0;
      this.#hand(events);
      if (last.name === this.#options.finalEvent) {
        void reader.cancel().catch(() => {});
        return { phase: "ended" };
      }
      if (turn.isOver) turn.give();
    }
  }

  /**
   * A viewer that raises is a bug to be seen, and no reason to give up the line.
   *
   * @param {StreamEvent[]} events
   */
  #hand(events) {
    try {
      this.#options.onEvents(events);
    } catch (error) {
      reportError(error);
    }
  }
}

/** A connection's time while others wait for its slot: its signal aborts when that is over. */
class Turn {
  #controller = new AbortController();
  #slot;
  #isForemost;
  #startedAt = performance.now();
  #dataAt = performance.now();
  #timer;
  isOver = false;

  constructor(slot, isForemost) {
    this.#slot = slot;
    this.#isForemost = isForemost;
    this.#timer = slot === undefined ? undefined : setInterval(() => void this.#check(), QUIET_MS);
  }

  get signal() {
    return this.#controller.signal;
  }

  noteData() {
    this.#dataAt = performance.now();
  }

  /** Only between events: half of one would have to come again. */
  give() {
    this.#controller.abort();
  }

  end() {
    clearInterval(this.#timer);
  }

  async #check() {
    const now = performance.now();
    if (now - this.#startedAt < (this.#isForemost() ? FOREMOST_TURN_MS : TURN_MS)) return;
    this.isOver = (await this.#slot?.isWanted()) ?? false;
    if (this.isOver && performance.now() - this.#dataAt >= QUIET_MS) this.give();
  }
}

/** Aborts its signal when it has not been restarted for so long. */
class SilenceLimit {
  #controller = new AbortController();
  #limitMs;
  #timer;

  constructor(limitMs) {
    this.#limitMs = limitMs;
    this.restart();
  }

  get signal() {
    return this.#controller.signal;
  }

  restart() {
    this.lift();
    this.#timer = setTimeout(() => this.#controller.abort(), this.#limitMs);
  }

  lift() {
    clearTimeout(this.#timer);
  }
}

/**
 * What an answer's head says about the stream.
 *
 * @returns {Promise<StreamState>}
 */
async function judge(response) {
  if (response.status === 204) return { phase: "ended" };
  if (response.ok && isEventStream(response)) return { phase: "live" };

  const passing = response.status >= 500 || PASSING_STATUSES.has(response.status);
  if (passing) {
    void response.body?.cancel().catch(() => {});
    return { phase: "waiting", delayMs: retryAfterMs(response.headers.get("Retry-After")) };
  }
  return { phase: "refused", error: await errorOf(response) };
}

function isEventStream(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
}
