/**
 * A stream of server-sent events that outlives its connections.
 *
 * It asks for the rest with `Last-Event-ID` after each break, waits longer each time that nothing
 * came, and takes a line that has been silent for too long for a dead one.
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
 * @property {typeof globalThis.fetch} [fetch]
 * @property {() => number} [random]
 */

import { errorOf } from "../api/errors.js";
import { DEFAULT_RETRY_MS, pause, reconnectDelay, retryAfterMs } from "./backoff.js";
import { SseParser } from "./sse_parser.js";

/** The server sends a `ping` after 15 s of silence: a line that has missed two is dead. */
export const SILENCE_LIMIT_MS = 35_000;

/** Answers of 4xx that are about the moment, not about the request. */
const PASSING_STATUSES = new Set([408, 425, 429]);

export class EventStream {
  #url;
  #options;
  #fetch;
  #run = new AbortController();
  #lastEventId = "";
  #retryMs = DEFAULT_RETRY_MS;
  #failures = 0;
  #wasLive = false;

  /**
   * @param {string} url
   * @param {StreamOptions} options
   */
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

  /** @param {AbortSignal} stop */
  async #keepConnected(stop) {
    while (!stop.aborted) {
      const again = this.#wasLive || this.#failures > 0;
      this.#options.onState({ phase: again ? "reconnecting" : "connecting" });

      const outcome = await this.#connect(stop);
      if (stop.aborted) return;
      if (outcome.phase === "ended" || outcome.phase === "refused") {
        this.#options.onState(outcome);
        return;
      }

      const delay = reconnectDelay(this.#failures, this.#retryMs, this.#options.random);
      const delayMs = Math.max(delay, outcome.delayMs ?? 0);
      this.#failures += 1;
      this.#options.onState({ phase: "waiting", delayMs });
      await pause(delayMs, stop);
    }
  }

  /**
   * One connection, from its request to its end.
   *
   * @param {AbortSignal} stop
   * @returns {Promise<StreamState>}
   */
  async #connect(stop) {
    const silence = new SilenceLimit();
    try {
      const response = await this.#fetch(this.#url, {
        headers: this.#headers(),
        cache: "no-store",
        signal: AbortSignal.any([stop, silence.signal]),
      });
      const outcome = await judge(response);
      if (stop.aborted || outcome.phase !== "live" || response.body === null) return outcome;

      this.#wasLive = true;
      this.#options.onState(outcome);
      return await this.#read(response.body, stop, silence);
    } catch {
      // fetch and read fail with one TypeError for everything between here and the server.
      return { phase: "waiting" };
    } finally {
      silence.lift();
    }
  }

  #headers() {
    /** @type {Record<string, string>} */
    const headers = { Accept: "text/event-stream" };
    if (this.#lastEventId !== "") headers["Last-Event-ID"] = this.#lastEventId;
    return headers;
  }

  /**
   * @param {ReadableStream<Uint8Array>} body
   * @param {AbortSignal} stop
   * @param {SilenceLimit} silence
   * @returns {Promise<StreamState>}
   */
  async #read(body, stop, silence) {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = new SseParser(this.#lastEventId);

    for (;;) {
      const { value, done } = await reader.read();
      if (stop.aborted || done) return { phase: "waiting" };
      silence.restart();

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

/** Aborts its signal when it has not been restarted for `SILENCE_LIMIT_MS`. */
class SilenceLimit {
  #controller = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    this.restart();
  }

  get signal() {
    return this.#controller.signal;
  }

  restart() {
    this.lift();
    this.#timer = setTimeout(() => this.#controller.abort(), SILENCE_LIMIT_MS);
  }

  lift() {
    clearTimeout(this.#timer);
  }
}

/**
 * What an answer's head says about the stream.
 *
 * @param {Response} response
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

/** @param {Response} response */
function isEventStream(response) {
  return (response.headers.get("Content-Type") ?? "").startsWith("text/event-stream");
}
