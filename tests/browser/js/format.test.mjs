import assert from "node:assert/strict";
import { test } from "node:test";

import {
  formatAge, formatBytes, formatDuration, formatMeasure, millisecondsBetween,
} from "../../../webapp/static/js/format.js";
import { inOneLine } from "../../../webapp/static/js/transcript/tool_calls.js";

test("durations", () => {
  /** @type {[number, string][]} */
  const table = [
    [-5, "0 ms"], [0, "0 ms"], [340, "340 ms"], [1_000, "1.0 s"], [59_940, "59.9 s"], [59_960, "1 min"],
    [185_000, "3 min 5 s"], [3_599_600, "1 h"], [7_800_000, "2 h 10 min"], [90_000_000, "1 d 1 h"],
  ];
  for (const [ms, text] of table) assert.equal(formatDuration(ms), text);
});

test("ages", () => {
  const now = Date.parse("2026-11-23T21:00:00Z");
  /** @type {[number, string][]} */
  const table = [[-60, "now"], [2, "now"], [12, "12 s"], [300, "5 min"], [7_200, "2 h"], [3 * 86_400, "3 d"]];
  for (const [seconds, text] of table) {
    assert.equal(formatAge(new Date(now - seconds * 1_000).toISOString(), now), text);
  }
  assert.equal(formatAge("rubbish", now), "");
});

test("bytes", () => {
  /** @type {[number, string][]} */
  const table = [[0, "0 B"], [999, "999 B"], [1_000, "1.0 kB"], [123_456, "123 kB"], [999_999, "1.0 MB"], [5e15, "5000 TB"]];
  for (const [bytes, text] of table) assert.equal(formatBytes(bytes), text);
});

test("figures under the names that programs give them", () => {
  /** @type {[string, number, string][]} */
  const table = [
    ["inputTokens", 1234, "1,234 input tokens"], ["cache_read_tokens", 5, "5 cache read tokens"],
    ["durationMs", 4200, "4.2 s duration"], ["duration_ms", 90, "90 ms duration"], ["ms", 5, "5 ms took"],
    ["items", 3, "3 items"], ["total_cost_usd", 0.0123, "$0.0123 total cost"], ["costUsd", 2, "$2 cost"],
  ];
  for (const [name, value, text] of table) assert.equal(formatMeasure(name, value).join(" "), text);
});

test("the time between two instants, once both are known", () => {
  assert.equal(millisecondsBetween("2026-11-23T21:00:00Z", "2026-11-23T21:00:01.500Z"), 1_500);
  assert.equal(millisecondsBetween("2026-11-23T21:00:01Z", "2026-11-23T21:00:00Z"), 0);
  assert.equal(millisecondsBetween(null, "2026-11-23T21:00:00Z"), null);
  assert.equal(millisecondsBetween("2026-11-23T21:00:00Z", undefined), null);
});

test("arguments in one line", () => {
  assert.equal(inOneLine({ path: "a.py", lines: [1, 2] }), "path: a.py, lines: [1,2]");
  assert.equal(inOneLine("a\n  b"), "a b");
  assert.equal(inOneLine(undefined), "");
  assert.equal(inOneLine(null), "null");
  assert.equal(inOneLine({ text: "x".repeat(1_000_000) }).length, 160);
});
