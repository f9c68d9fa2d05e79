import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_DELAY_MS, pause, reconnectDelay, retryAfterMs } from "../../../webapp/static/js/stream/backoff.js";

test("the first delay is what the server asks for, or up to half as long again", () => {
  assert.equal(reconnectDelay(0, 1500, () => 0), 1500);
  assert.equal(reconnectDelay(0, 1500, () => 1), 2250);
});

test("each failure doubles the delay, up to a limit", () => {
  const delays = [0, 1, 2, 3, 20, 2_000].map((failures) => reconnectDelay(failures, 1_000, () => 0));
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, MAX_DELAY_MS, MAX_DELAY_MS]);
});

test("a server that asks for more than the limit gets it", () => {
  assert.equal(reconnectDelay(5, 60_000, () => 0), 60_000);
});

test("Retry-After is read as seconds or as a date", () => {
  const now = Date.parse("2026-11-23T21:00:00Z");
  assert.equal(retryAfterMs(null, now), 0);
  assert.equal(retryAfterMs("5", now), 5_000);
  assert.equal(retryAfterMs("Mon, 23 Nov 2026 21:00:10 GMT", now), 10_000);
  assert.equal(retryAfterMs("Mon, 23 Nov 2026 20:00:00 GMT", now), 0);
  assert.equal(retryAfterMs("rubbish", now), 0);
  assert.equal(retryAfterMs("1e9", now), 300_000);
});

test("a pause ends at once when it is called off", async () => {
  const stop = new AbortController();
  const paused = pause(3_600_000, stop.signal);
  stop.abort();
  await paused;
  await pause(3_600_000, stop.signal);
});
