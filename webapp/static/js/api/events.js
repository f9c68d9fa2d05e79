/** What a session printed before some event: windows of its history. */

import { ApiError } from "./errors.js";
import { getJson } from "./requests.js";
import { streamUrl } from "./sessions.js";
import { SseParser } from "../stream/sse_parser.js";

/** @typedef {import("../stream/sse_parser.js").StreamEvent} StreamEvent */

/** A server that has no pages of events is not asked again. */
let hasPages = true;

/**
 * The events before one, in the order of the log: so many of them, or where the server cannot give
 * them page by page, all.
 *
 * @param {string} id     of the event that follows them
 * @returns {Promise<{events: StreamEvent[], isFirst: boolean}>}  isFirst: there is nothing before these
 */
export async function eventsBefore(sessionId, id, limit) {
  if (hasPages) {
    try {
      return await pageBefore(sessionId, id, limit);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      hasPages = false;
    }
  }
  return { events: await streamedBefore(sessionId, id), isFirst: true };
}

async function pageBefore(sessionId, id, limit) {
  const fields = new URLSearchParams({ offset: id, limit: String(limit), order: "desc" });
  const page = await getJson(`/api/sessions/${encodeURIComponent(sessionId)}/events?${fields}`);
  const events = page.events.map(({ id: own, event, data }) => ({
    id: String(own),
    name: event,
    data: JSON.stringify(data),
  }));
  return { events: events.reverse().filter((event) => isBefore(event, id)), isFirst: page.nextOffset === null };
}

async function streamedBefore(sessionId, id) {
  const stop = new AbortController();
  const response = await fetch(streamUrl(sessionId), { cache: "no-store", signal: stop.signal });
  if (!response.ok || response.body === null) throw new ApiError("", { status: response.status });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new SseParser();
  const events = [];
  for (;;) {
    const { value, done } = await reader.read();
    const found = done ? [] : parser.feed(value);
    const end = found.findIndex((event) => !isBefore(event, id));
    for (const event of end === -1 ? found : found.slice(0, end)) events.push(event);
    if (done || end !== -1) break;
  }
  stop.abort();
  return events;
}

/** An id is an offset in the log. */
function isBefore(event, id) {
  return Number(event.id) < Number(id);
}
