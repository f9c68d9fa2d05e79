/**
 * Server-sent events, taken apart as the WHATWG grammar says:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 *
 * EventSource gives only the names that somebody listens to, and an agent may print any name, so
 * the page reads the stream itself.
 *
 * @typedef {object} StreamEvent
 * @property {string} name  the `event` field, "message" when there was none
 * @property {string} data
 * @property {string} id    the last id that the stream has given up to this event
 */

const LINE_END = /[\r\n]/g;
const DIGITS = /^[0-9]+$/;

export class SseParser {
  /** What the server asks a viewer to wait before it connects again. @type {number | null} */
  retryMs = null;

  /** Where to go on after this connection: a block without data moves it too. */
  lastEventId;

  /** Pieces of a line whose end has not come: joined once, so that a long line stays linear. */
  #line = [];
  #endedInCarriageReturn = false;

  #id;
  #name = "";
  #data = [];

  constructor(lastEventId = "") {
    this.lastEventId = lastEventId;
    this.#id = lastEventId;
  }

  /**
   * The events that this chunk completes.
   *
   * @returns {StreamEvent[]}
   */
  feed(chunk) {
    const events = [];
    let start = 0;

    if (this.#endedInCarriageReturn && chunk !== "") {
      this.#endedInCarriageReturn = false;
      start = chunk[0] === "\n" ? 1 : 0;
    }

    LINE_END.lastIndex = start;
    for (let end = LINE_END.exec(chunk); end !== null; end = LINE_END.exec(chunk)) {
      this.#line.push(chunk.slice(start, end.index));
      start = end.index + 1;
      if (end[0] === "\r") {
        if (start === chunk.length) this.#endedInCarriageReturn = true;
        else if (chunk[start] === "\n") start += 1;
      }
      LINE_END.lastIndex = start;
      this.#takeLine(this.#line.join(""), events);
      this.#line = [];
    }

    if (start < chunk.length) this.#line.push(chunk.slice(start));
    return events;
  }

  #takeLine(line, events) {
    if (line === "") {
      this.#dispatch(events);
      return;
    }

    const colon = line.indexOf(":");
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);

    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#name = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    else if (field === "retry" && DIGITS.test(value)) this.retryMs = Number(value);
  }

  #dispatch(events) {
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      events.push({ name: this.#name || "message", data: this.#data.join("\n"), id: this.#id });
    }
    this.#name = "";
    this.#data = [];
  }
}
