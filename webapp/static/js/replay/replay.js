/** A session that is shown as it was at a moment, played on from there, or followed while it runs. */

import { eventsBefore } from "../api/events.js";
import { eventsUpTo, findMoment } from "../api/moments.js";
import { streamUrl } from "../api/sessions.js";
import { EventStream } from "../stream/event_stream.js";
import { applyEvent } from "../transcript/apply_event.js";
import { Transcript } from "../transcript/transcript.js";
import { formatMoment } from "./moment.js";
import { paceQuery, playedTo } from "./play_clock.js";

/** So much before a moment is shown at once; the rest when its reader comes near it. */
const SHOWN_EVENTS = 200;

/**
 * @typedef {import("./moment.js").Moment} Moment
 * @typedef {import("../api/moments.js").LoggedEvent} LoggedEvent
 * @typedef {"paused" | "playing" | "following"} Mode
 *
 * @typedef {object} ReplayHooks
 * @property {() => void} onReset                another transcript is shown now
 * @property {() => void} onChange               the transcript, or where it ends
 * @property {(error: Error | null) => void} onProblem
 */

export class Replay {
  #hooks;
  #stream = null;
  /** The moment that is wanted, while another one is being asked for. @type {Moment | "end" | null} */
  #wanted = null;
  #isSeeking = false;
  #isAskingEarlier = false;
  #firstId = "";
  #heardAt = 0;
  #shownMs = 0;

  transcript = new Transcript();
  hasEarlier = false;
  mode = "paused";
  /** Where the next event begins: the id of the last one. */
  id = "0";
  startMs = 0;
  endMs = 0;
  speed = 1;
  cutsGaps = true;

  /** @param {ReplayHooks} hooks */
  constructor(sessionId, hooks) {
    this.sessionId = sessionId;
    this.#hooks = hooks;
  }

  get isAtEnd() {
    return this.transcript.done !== null;
  }

  /** The time in the session that is shown now. */
  get nowMs() {
    if (this.mode !== "playing") return this.#shownMs;
    return playedTo({
      eventMs: this.#shownMs,
      sinceMs: performance.now() - this.#heardAt,
      speed: this.speed,
      cutsGaps: this.cutsGaps,
      endMs: this.endMs,
    });
  }

  setRange(startMs, endMs) {
    this.startMs = startMs;
    this.endMs = Math.max(endMs, this.endMs);
    this.#shownMs = Math.max(this.#shownMs, startMs);
  }

  /** Show it as it was. Of many that come at once the last one counts. @param {Moment | "end"} moment */
  async seek(moment) {
    this.#stop();
    this.#wanted = moment;
    if (this.#isSeeking) return;
    this.#isSeeking = true;
    while (this.#wanted !== null) {
      const asked = this.#wanted;
      this.#wanted = null;
      try {
        const at = asked === "end" ? null : formatMoment(asked);
        const { events, hasEarlier } = await eventsUpTo(this.sessionId, at, SHOWN_EVENTS);
        this.#show(events, hasEarlier, asked);
        this.#hooks.onProblem(null);
      } catch (error) {
        this.#hooks.onProblem(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#isSeeking = false;
  }

  /** @param {LoggedEvent[]} events @param {Moment | "end"} asked */
  #show(events, hasEarlier, asked) {
    this.transcript = new Transcript();
    this.hasEarlier = hasEarlier;
    for (const event of events) applyEvent(this.transcript, asStreamed(event));
    const last = events.at(-1);
    this.#firstId = events[0]?.id ?? "";
    this.id = last?.id ?? "0";
    const lastMs = Date.parse(last?.time ?? "");
    // A slow answer does not move the slider back from where a press has taken it meanwhile.
    const newest = this.#wanted ?? asked;
    const shownMs = typeof newest === "object" && "ms" in newest ? newest.ms : lastMs;
    this.#shownMs = Number.isNaN(shownMs) ? this.startMs : shownMs;
    this.#hooks.onReset();
    this.#hooks.onChange();
  }

  /** From where it is; from the beginning if that is the end. */
  play() {
    if (this.speed === Number.POSITIVE_INFINITY) return this.seek("end");
    if (this.isAtEnd) this.#rewind();
    this.#open("playing", paceQuery(this.speed, this.cutsGaps));
    return undefined;
  }

  pause() {
    this.#shownMs = this.nowMs;
    this.#stop();
    this.#hooks.onChange();
  }

  /** Its end, and what comes. */
  async follow() {
    await this.seek("end");
    if (!this.isAtEnd) this.#open("following", "");
  }

  setSpeed(speed, cutsGaps) {
    const wasPlaying = this.mode === "playing";
    if (wasPlaying) this.pause();
    this.speed = speed;
    this.cutsGaps = cutsGaps;
    if (wasPlaying) void this.play();
  }

  /**
   * Show the next, or the last, of a kind. @returns whether there is one
   *
   * @param {"error" | "tool_call"} kind
   * @param {"after" | "before"} side
   */
  async jump(kind, side) {
    this.#stop();
    this.#hooks.onChange();
    try {
      const found = await findMoment(this.sessionId, kind, side, this.id);
      if (found !== null) await this.seek({ id: found.id });
      return found !== null;
    } catch (error) {
      this.#hooks.onProblem(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }

  async loadEarlier() {
    if (!this.hasEarlier || this.#isAskingEarlier) return;
    this.#isAskingEarlier = true;
    const { transcript } = this;
    try {
      const [{ events, isFirst }, { prependEvents }] = await Promise.all([
        eventsBefore(this.sessionId, this.#firstId),
        import("../transcript/earlier.js"),
      ]);
      if (transcript === this.transcript) {
        this.hasEarlier = !isFirst && events.length > 0;
        this.#firstId = events[0]?.id ?? this.#firstId;
        prependEvents(transcript, events);
      }
    } catch {
      // Asked for again when its reader comes near it again.
    }
    this.#isAskingEarlier = false;
    this.#hooks.onChange();
  }

  #rewind() {
    this.transcript = new Transcript();
    this.hasEarlier = false;
    this.id = "0";
    this.#shownMs = this.startMs;
    this.#hooks.onReset();
  }

  /** @param {Mode} mode */
  #open(mode, pace) {
    this.#stop();
    this.mode = mode;
    this.#heardAt = performance.now();
    const stream = new EventStream(`${streamUrl(this.sessionId)}&format=envelope${pace}`, {
      finalEvent: "done",
      firstQuery: `&offset=${this.id}`,
      onEvents: (events) => this.#take(events),
      onState: (state) => {
        if (state.phase === "ended") this.#end();
        if (state.phase === "refused") {
          this.#end();
          this.#hooks.onProblem(state.error ?? new Error("The server refused the stream."));
        }
      },
    });
    this.#stream = stream;
    stream.open();
    this.#hooks.onChange();
  }

  #take(events) {
    for (const { id, name, data } of events) {
      const envelope = JSON.parse(data);
      applyEvent(this.transcript, { id, name, data: JSON.stringify(envelope.data) });
      if (id !== "") this.id = id;
      const ms = Date.parse(envelope.time);
      if (Number.isNaN(ms)) continue;
      this.#shownMs = ms;
      this.endMs = Math.max(this.endMs, ms);
    }
    this.#heardAt = performance.now();
    this.#hooks.onChange();
  }

  #end() {
    this.#stop();
    this.#hooks.onChange();
  }

  #stop() {
    this.#stream?.close();
    this.#stream = null;
    this.mode = "paused";
  }
}

/** @param {LoggedEvent} event */
function asStreamed({ id, event, data }) {
  return { id, name: event, data: JSON.stringify(data) };
}
