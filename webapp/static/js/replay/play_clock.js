/** What time it is in a replay, between one event and the next. */

/** A longer silence is cut to this, unless it is asked for. */
export const MAX_GAP_MS = 2_000;

/**
 * @param {object} now
 * @param {number} now.eventMs     when the last event was printed
 * @param {number} now.sinceMs     so long ago it was shown
 * @param {number} now.speed
 * @param {boolean} now.cutsGaps
 * @param {number} now.endMs       of the session
 */
export function playedTo({ eventMs, sinceMs, speed, cutsGaps, endMs }) {
  const passed = sinceMs * speed;
  const gone = cutsGaps ? Math.min(passed, MAX_GAP_MS) : passed;
  return Math.max(eventMs, Math.min(eventMs + gone, endMs));
}

/** What a timed replay asks of the stream. */
export function paceQuery(speed, cutsGaps) {
  // The server's own limit on a gap that is not to be cut: a day.
  return `&speed=${speed}&maxGap=${cutsGaps ? MAX_GAP_MS / 1_000 : 86_400}`;
}
