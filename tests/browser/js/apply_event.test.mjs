import assert from "node:assert/strict";
import { test } from "node:test";

import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { MAX_BLOCKS, MAX_WEIGHT } from "../../../webapp/static/js/transcript/limits.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";

/** A transcript of these events: pairs of a name and its data. */
function transcriptOf(...events) {
  const transcript = new Transcript();
  for (const [name, data] of events) {
    applyEvent(transcript, { name, data: typeof data === "string" ? data : JSON.stringify(data), id: "" });
  }
  return transcript;
}

const blocksOf = (...events) => transcriptOf(...events).blocks;

test("a session has a start, words, a tool, warnings, figures and an end", () => {
  const transcript = transcriptOf(
    ["session", { agent: "demo", pid: 7, startedAt: "2026-11-23T21:04:00Z" }],
    ["message", { type: "message", content: "Hello " }],
    ["message", { type: "message", content: "there." }],
    ["tool_call", { type: "tool_call", id: "1", name: "read", args: {} }],
    ["tool_result", { type: "tool_result", id: "1", ok: true, result: "x" }],
    ["stderr", { message: "warning" }],
    ["ping", { type: "ping" }],
    ["usage", { type: "usage", inputTokens: 3 }],
    ["done", { exitCode: 0, signal: null, status: "succeeded" }],
  );
  assert.deepEqual(transcript.blocks.map((block) => block.kind), ["text", "text", "tool", "stderr"]);
  assert.deepEqual(transcript.turnUsage, { inputTokens: 3 });
  assert.deepEqual(transcript.start, { agent: "demo", pid: 7, startedAt: "2026-11-23T21:04:00Z" });
  assert.deepEqual(transcript.done, { exitCode: 0, signal: null, status: "succeeded" });
});

test("a run of lines is one block, and something else between them ends it", () => {
  const blocks = blocksOf(
    ["message", { content: "a" }],
    ["message", { content: "b" }],
    ["stderr", { message: "c" }],
    ["stderr", { message: "d" }],
    ["message", { content: "e" }],
  );
  assert.deepEqual(blocks.map(({ text }) => text), ["a\nb", "c\nd", "e"]);
});

test("a result belongs to the call with its id, or to the oldest of its name", () => {
  const [first, second, third] = blocksOf(
    ["tool_call", { name: "read", id: "1", args: { path: "a" } }],
    ["tool_call", { name: "read", id: "2" }],
    ["tool_call", { name: "write" }],
    ["tool_result", { id: "2", ok: false, result: "no" }],
    ["tool_result", { name: "write", result: "yes" }],
  );
  assert.equal(first.state, "running");
  assert.equal(first.summary, "path: a");
  assert.deepEqual([second.state, second.result.text], ["failed", "no"]);
  assert.deepEqual([third.state, third.result.text], ["ok", "yes"]);
});

test("results say that they failed in several ways", () => {
  const failed = [{ ok: false }, { isError: true }, { is_error: true }, { error: "x" }, { status: "error" }, { exitCode: 2 }];
  const fine = [{}, { ok: true }, { error: null }, { status: "completed" }, { exitCode: 0 }];
  const stateOf = (result) => blocksOf(["tool_call", { name: "t" }], ["tool_result", { ...result }])[0].state;
  assert.deepEqual(new Set(failed.map(stateOf)), new Set(["failed"]));
  assert.deepEqual(new Set(fine.map(stateOf)), new Set(["ok"]));
});

test("a result without a call has a card of its own", () => {
  const [block] = blocksOf(["tool_result", { name: "read", id: "9", result: { lines: 2 } }]);
  assert.deepEqual([block.kind, block.name, block.state], ["tool", "read", "ok"]);
  assert.equal(block.result.text, '{\n  "lines": 2\n}');
});

test("calls that are open at the end will have no result", () => {
  const [call] = blocksOf(["tool_call", { name: "t" }], ["done", { exitCode: null, status: "lost" }]);
  assert.equal(call.state, "unanswered");
});

test("any event name of an agent becomes a card, whatever its data", () => {
  const blocks = blocksOf(
    ["error", { type: "error", reason: "rate limited" }],
    ["constructor", { type: "constructor" }],
    ["__proto__", "not JSON"],
    ["plan", [1, 2]],
    ["message", { type: "done", exitCode: 0 }],
    ["message", { type: "message", content: { n: 1 } }],
    ["tool_call", null],
    ["usage", null],
    ["notice", null],
    ["stderr", 7],
    ["input", 7],
  );
  assert.deepEqual(
    blocks.map(({ kind, name }) => [kind, name].filter(Boolean).join(" ")),
    [
      "other error", "other constructor", "other __proto__", "other plan", "other done", "other message",
      "tool tool", "other usage", "notice", "other stderr", "other input",
    ],
  );
  assert.equal(blocks[0].summary, "reason: rate limited");
});

test("notices are said in words", () => {
  /** @type {[any, string][]} */
  const table = [
    [{ type: "gap", bytes: 4096, reason: "no space left on device" }, "4.1 kB of output is missing here: no space left on device."],
    [{ type: "gap" }, "Some output is missing here."],
    [{ type: "truncated", maxLogBytes: 5 }, "The session has reached the largest log it may write. What follows was not kept."],
    [{ type: "terminating", status: "timed_out" }, "The agent was told to end: timed out."],
    [
      { type: "processes_ended", count: 3, processes: [{ pid: 7, name: "sleep" }, { pid: 9, name: "vite" }] },
      "What the agent had started was ended: sleep (7), vite (9), 1 more.",
    ],
    [
      { type: "processes_left", count: 1, processes: [{ pid: 9, name: "vite" }] },
      "What the agent started goes on without it: vite (9).",
    ],
    [{ type: "input_ended" }, "The agent's input was closed."],
    [{ type: "agent_refused", message: "Unknown mode." }, "The agent refused what it was asked: Unknown mode."],
    [{ type: "approvals_refused", maximum: 50 }, "More than 50 approvals are open. Further ones are denied."],
    [{ type: "request_too_long", bytes: 4096 }, "The agent asked for something too long to answer, 4.1 kB."],
    [{ type: "error", message: "No such command." }, "No such command."],
    [{ type: "backlogFull", dropped: 3 }, "backlog full: dropped: 3"],
    [null, "null"],
  ];
  for (const [data, text] of table) assert.equal(blocksOf(["notice", data])[0].text, text);
});

test("an agent's own done does not end the transcript", () => {
  assert.equal(transcriptOf(["message", { type: "done", exitCode: 0 }]).done, null);
});

test("what a person said is not shown twice when the log has it too", () => {
  const transcript = new Transcript();
  transcript.said = "help\nme";
  for (const content of ["help", "me", "go on"]) {
    applyEvent(transcript, { name: "input", data: JSON.stringify({ content }), id: "" });
  }
  assert.deepEqual(transcript.blocks.map(({ text }) => text), ["go on"]);
});

test("what a person said to a live agent is shown, several lines as one", () => {
  const blocks = blocksOf(["input", { content: "a" }], ["input", { content: "b" }], ["message", { content: "c" }], ["input", { content: "d" }]);
  assert.deepEqual(blocks.map(({ text }) => text), ["a\nb", "c", "d"]);
});

test("JSON messages are Markdown, other lines are output", () => {
  const blocks = blocksOf(
    ["message", { type: "message", content: "*a*" }],
    ["message", { content: "\x1b[31mb" }],
    ["message", { type: "message", content: "c", partial: true }],
  );
  assert.deepEqual(blocks.map(({ kind, text }) => [kind, text]), [["text", "*a*"], ["output", "\x1b[31mb"], ["text", "c"]]);
});

test("only what has changed gets another version", () => {
  const transcript = transcriptOf(["tool_call", { name: "t" }], ["message", { content: "a" }]);
  const [call, text] = transcript.blocks;
  const before = [call.version, text.version];
  applyEvent(transcript, { name: "message", data: '{"content":"b"}', id: "" });
  assert.equal(call.version, before[0]);
  assert.ok(text.version > before[1]);
  applyEvent(transcript, { name: "tool_result", data: "{}", id: "" });
  assert.ok(call.version > before[0]);
});

test("200,000 events are kept within bounds, the last ones", { timeout: 30_000 }, () => {
  const transcript = new Transcript();
  for (let count = 0; count < 100_000; count += 1) {
    applyEvent(transcript, { name: "tool_call", data: `{"name":"t","id":"${count}"}`, id: "" });
    applyEvent(transcript, { name: "message", data: `{"content":"${count}"}`, id: "" });
  }
  assert.ok(transcript.blocks.length <= MAX_BLOCKS);
  assert.equal(transcript.dropped, 200_000 - transcript.blocks.length);
  assert.equal(transcript.last?.text, "99999");
  assert.equal(transcript.block(transcript.firstId), transcript.blocks[0]);
  assert.equal(transcript.endId, 200_001);
});

test("huge events make room for each other", () => {
  const transcript = new Transcript();
  const result = "x".repeat(1_000_000);
  for (let count = 0; count < 300; count += 1) {
    applyEvent(transcript, { name: "tool_result", data: JSON.stringify({ name: "t", result }), id: "" });
  }
  const kept = transcript.blocks.reduce((sum, block) => sum + block.weight, 0);
  assert.ok(kept <= MAX_WEIGHT, String(kept));
  assert.ok(transcript.dropped > 0);
});

test("pieces of a message are seen as they come, and the whole of it adds nothing", () => {
  const pieces = [
    ["message_delta", { type: "message_delta", content: "Hello" }],
    ["message_delta", { type: "message_delta", content: " there" }],
  ];
  assert.deepEqual(blocksOf(...pieces).map(({ text }) => text), ["Hello there"]);

  const whole = ["message", { type: "message", content: "Hello there." }];
  assert.deepEqual(blocksOf(...pieces, whole).map(({ text }) => text), ["Hello there."]);
  assert.deepEqual(blocksOf(...pieces, whole, whole).map(({ text }) => text), ["Hello there.", "Hello there."]);
  const other = ["message", { type: "message", content: "Not that." }];
  assert.deepEqual(blocksOf(...pieces, other).map(({ text }) => text), ["Hello there", "Not that."]);
});

test("what a person said, as an agent repeats it, is what a person said", () => {
  const [block] = blocksOf(["message", { type: "message", content: "Do it.", role: "user" }]);
  assert.deepEqual([block.kind, block.text], ["input", "Do it."]);
});

test("what an agent says about itself is not shown, but what it thinks", () => {
  const blocks = blocksOf(
    ["system", { type: "system", subtype: "init", model: "m" }],
    ["reasoning", { type: "reasoning", content: "Hm.\nWell." }],
    ["system", { type: "system", subtype: "status" }],
    ["system", 7],
  );
  assert.deepEqual(blocks.map(({ name, summary, body }) => [name, summary, body.text]), [["reasoning", "Hm. Well.", "Hm.\nWell."]]);
});

test("an error is said once, however often it comes", () => {
  const error = ["error", { type: "error", message: "No network." }];
  assert.deepEqual(blocksOf(error, error, error).map(({ kind, text }) => [kind, text]), [["notice", "No network."]]);
});

test("a result without its call shows what it says of it", () => {
  const [block] = blocksOf(["tool_result", { id: "1", name: "shell", ok: true, result: "a", args: { command: "ls" } }]);
  assert.deepEqual([block.name, block.summary, block.args[0].text], ["shell", "command: ls", "ls"]);
});
