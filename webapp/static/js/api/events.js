/** What a session printed before some event: windows of its history. */

import { getJson } from "./requests.js";

/** @typedef {import("../stream/sse_parser.js").StreamEvent} StreamEvent */

/** The most that the server gives in one page, and how many pages make a window. */
const PAGE_EVENTS = 1_000;
const PAGES = 5;

/**
 * The events before one, in the order of the log.
 *
 * @param {string} id     of the event that follows them
 * @returns {Promise<{events: StreamEvent[], isFirst: boolean}>}  isFirst: there is nothing before these
 */
export async function eventsBefore(sessionId, id) {
  const path = `/api/sessions/${encodeURIComponent(sessionId)}/events`;
  const events = [];
  let offset = id;
  for (let count = 0; count < PAGES && offset !== null; count += 1) {
    const page = await getJson(`${path}?order=desc&limit=${PAGE_EVENTS}&offset=${offset}`);
    events.push(...page.events);
    offset = page.nextOffset;
  }
  // The first page begins with the event itself.
  const earlier = events.filter((event) => event.id !== id).reverse();
  return { events: earlier.map(asStreamed), isFirst: offset === null };
}

/** When an event was recorded. @returns {Promise<string | null>} */
export async function timeOf(sessionId, id) {
  const path = `/api/sessions/${encodeURIComponent(sessionId)}/events`;
  const { events } = await getJson(`${path}?order=desc&limit=1&offset=${id}`);
  return events[0]?.time ?? null;
}

function asStreamed({ id, event, data }) {
  return { id, name: event, data: JSON.stringify(data) };
}
