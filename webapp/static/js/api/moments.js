/** What a session had printed at a moment, its timeline, and its next event of a kind. */

import { getJson } from "./requests.js";

/**
 * @typedef {{id: string, time: string, stream: string, event: string, data: unknown}} LoggedEvent
 * @typedef {import("../replay/timeline_shape.js").Timeline} Timeline
 */

/**
 * The last events that had been printed at a moment, in the order of the log.
 *
 * @param {string | null} at  an event's id, or a time; null: the end
 * @returns {Promise<{events: LoggedEvent[], hasEarlier: boolean}>}
 */
export async function eventsUpTo(sessionId, at, limit) {
  const fields = new URLSearchParams({ order: "desc", limit: String(limit) });
  if (at !== null) fields.set("at", at);
  const { events, nextOffset } = await getJson(`${pathOf(sessionId)}/events?${fields}`);
  return { events: events.reverse(), hasEarlier: nextOffset !== null };
}

export function getTimeline(sessionId, buckets) {
  return getJson(`${pathOf(sessionId)}/timeline?buckets=${buckets}`);
}

/**
 * The next event of a kind, or the last one before, as far as it takes to find it.
 *
 * @param {"error" | "tool_call"} kind
 * @param {"after" | "before"} side  of the event with this id
 * @returns {Promise<{id: string, time: string} | null>}
 */
export async function findMoment(sessionId, kind, side, id) {
  let from = id;
  for (;;) {
    const fields = new URLSearchParams({ kind, [side]: from });
    const { moment, searchedTo } = await getJson(`${pathOf(sessionId)}/moments?${fields}`);
    if (moment !== null || searchedTo === null) return moment;
    from = String(searchedTo);
  }
}

function pathOf(sessionId) {
  return `/api/sessions/${encodeURIComponent(sessionId)}`;
}
