import assert from "node:assert/strict";
import { test } from "node:test";

import { entriesOf } from "../../../webapp/static/js/conversation/turn_order.js";
import {
  canAdvance, isAtEnd, isFinal, progressOf, waitsForApproval,
} from "../../../webapp/static/js/workflows/status.js";

const session = (sessionId, createdAt) => ({ sessionId, createdAt });
const message = (id, role, content, sessionId, createdAt) => ({ id, role, content, sessionId, createdAt });

test("turns and notes stand in the order in which they came", () => {
  const entries = entriesOf(
    [session("s2", "2026-01-01T00:03"), session("s1", "2026-01-01T00:01")],
    [
      message(1, "user", "first", "s1", "2026-01-01T00:01"),
      message(2, "agent", "an answer", "s1", "2026-01-01T00:02"),
      message(3, "system", "Stage 'design' begins.", null, "2026-01-01T00:02"),
    ],
    (sessionId) => (sessionId === "s2" ? "remembered" : null),
  );
  assert.deepEqual(
    entries.map((entry) => [entry.key, entry.kind === "note" ? entry.text : entry.said]),
    [["s1", "first"], ["note-3", "Stage 'design' begins."], ["s2", "remembered"]],
  );
});

test("what a workflow waits for", () => {
  const workflow = (currentStage, gates, status = "active") => ({
    status, currentStage,
    stages: gates.map(([type, satisfied], index) => ({ name: `s${index}`, gate: { type, satisfied } })),
  });
  const human = workflow(0, [["human_approval", false], ["agent", false]]);
  assert.deepEqual([waitsForApproval(human), canAdvance(human), progressOf(human)], [true, false, "s0 1/2"]);
  const open = workflow(0, [["human_approval", true], ["agent", false]]);
  assert.deepEqual([waitsForApproval(open), canAdvance(open), isAtEnd(open)], [false, true, false]);
  const paused = workflow(0, [["human_approval", false]], "paused");
  assert.deepEqual([waitsForApproval(paused), canAdvance(paused), progressOf(paused)], [false, false, ""]);
  assert.ok(isFinal("discarded") && !isFinal("paused"));
});
