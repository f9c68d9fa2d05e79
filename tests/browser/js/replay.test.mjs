import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf } from "../../../webapp/static/js/replay/log_lines.js";
import { formatMoment, parseMoment } from "../../../webapp/static/js/replay/moment.js";
import { paceQuery, playedTo } from "../../../webapp/static/js/replay/play_clock.js";
import { formatElapsed, pathsOf, shareOf } from "../../../webapp/static/js/replay/timeline_shape.js";

const bytes = (text) => new TextEncoder().encode(text);

test("a moment in a link is an event's id or a time", () => {
  assert.deepEqual(parseMoment("?at=4711"), { id: "4711" });
  assert.deepEqual(parseMoment("?at=4711.2"), { id: "4711.2" });
  const fine = "2026-11-23T21:04:00.123456789Z";
  assert.deepEqual(parseMoment(`?at=${fine}`), { ms: Date.parse("2026-11-23T21:04:00.123Z"), text: fine });
  assert.equal(formatMoment(parseMoment(`?at=${fine}`)), fine);
  assert.equal(parseMoment("?at=2026-11-23T22:04:00+01:00").ms, Date.parse("2026-11-23T21:04:00Z"));
  for (const search of ["", "?at=", "?at=x", "?at=-1", "?at=Tuesday"]) {
    assert.equal(parseMoment(search), null);
  }
  assert.equal(formatMoment({ id: "4711.2" }), "4711.2");
  assert.equal(formatMoment({ ms: 0 }), "1970-01-01T00:00:00.000Z");
});

test("the clock goes on between events at the replay's speed, and waits in a cut silence", () => {
  const now = { eventMs: 1_000, sinceMs: 500, speed: 4, cutsGaps: true, endMs: 10_000 };
  assert.equal(playedTo(now), 3_000);
  assert.equal(playedTo({ ...now, sinceMs: 5_000 }), 3_000);
  assert.equal(playedTo({ ...now, sinceMs: 1_000, cutsGaps: false }), 5_000);
  assert.equal(playedTo({ ...now, sinceMs: 5_000, cutsGaps: false }), 10_000);
  assert.equal(playedTo({ ...now, endMs: 0 }), 1_000);
  assert.equal(paceQuery(0.5, true), "&speed=0.5&maxGap=2");
  assert.equal(paceQuery(16, false), "&speed=16&maxGap=86400");
});

test("each kind of output has its own shape, and little is still seen beside much", () => {
  const quiet = { time: "", offset: 0, stdout: 0, stderr: 0, toolCalls: 0, errors: 0 };
  const paths = pathsOf([quiet, { ...quiet, stdout: 1_000_000 }, { ...quiet, stderr: 1, toolCalls: 2, errors: 1 }]);
  assert.equal(paths.stdout, "M1 40v-32h0.8v32z");
  assert.equal(paths.stderr, "M2 41v-1h0.8v1z");
  assert.equal(paths.tools, "M2 4v-4h0.8v4z");
  assert.equal(paths.errors, "M2 60v-4h0.8v4z");
  assert.deepEqual(pathsOf([]), { stdout: "", stderr: "", tools: "", errors: "" });
});

test("a moment has its place between beginning and end", () => {
  assert.equal(shareOf(15, 10, 20), 0.5);
  assert.equal(shareOf(5, 10, 20), 0);
  assert.equal(shareOf(25, 10, 20), 1);
  assert.equal(shareOf(10, 10, 10), 1);
});

test("a time since the beginning is as long as it has to be", () => {
  const shown = [0, 3_449, 61_000, 725_000, 10_809_000, -5].map(formatElapsed);
  assert.deepEqual(shown, ["0:00.0", "0:03.4", "1:01.0", "12:05", "3:00:09", "0:00.0"]);
});

const RECORD = "2026-11-23T21:04:00.123456789Z stderr F warning: ü\n";

test("a piece of a log is its whole lines and the bytes that they take", () => {
  const length = bytes(RECORD).length;
  const lines = linesOf(bytes(`half a line\n${RECORD}no record\nhalf`), 100);
  assert.deepEqual(lines, [
    { start: 112, end: 112 + length, time: RECORD.slice(0, 30), stream: "stderr", text: "warning: ü" },
    { start: 112 + length, end: 122 + length, time: "", stream: "", text: "no record" },
  ]);
  assert.equal(linesOf(bytes(RECORD), 0).length, 1);
  assert.equal(linesOf(bytes(RECORD), 5, { isWhole: true }).length, 1);
  assert.deepEqual(linesOf(bytes("no end of it"), 5), []);
});

test("a long line is shown in part", () => {
  const [line] = linesOf(bytes(`${"x".repeat(100_000)}\n`), 0);
  assert.equal(line.text.length, 2_001);
  assert.equal(line.end, 100_001);
});
