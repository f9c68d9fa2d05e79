/** The server's clock. A viewer's own may be minutes off, and times in rows and logs are the server's. */

/** How far the server's clock may be ahead of ours, in milliseconds, as its answers show. */
let minimum = -Infinity;
let maximum = Infinity;

/**
 * Learn from an answer's `Date` header, which has whole seconds.
 *
 * @param {string | null} header
 * @param {number} sentAt  when the request left, by our clock
 */
export function noteServerDate(header, sentAt, receivedAt = Date.now()) {
  const date = Date.parse(header ?? "");
  if (Number.isNaN(date)) return;
  const bounds = [date - receivedAt, date + 1_000 - sentAt];
  const [low, high] = [Math.max(minimum, bounds[0]), Math.min(maximum, bounds[1])];
  // No overlap: one of the clocks was set.
  [minimum, maximum] = low <= high ? [low, high] : bounds;
}

/** The server's time in milliseconds since 1970; ours, as long as the two may agree. */
export function serverNow() {
  const agrees = minimum <= 0 && maximum >= 0;
  return Date.now() + (agrees ? 0 : Math.round((minimum + maximum) / 2));
}
