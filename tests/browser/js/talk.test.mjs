import assert from "node:assert/strict";
import { test } from "node:test";

import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { prependEvents } from "../../../webapp/static/js/transcript/earlier.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";

const said = (id, content, state = "sent", by = "Ada") => ["user_message", { id, content, by, state }];
const state = (id, state) => ["user_message_state", { id, state }];
const began = (turn) => ["turn_started", { turn, messageIds: [] }];
const ended = (turn, more = {}) => ["turn_ended", { turn, outcome: "completed", durationMs: 12_000, costUsd: 0.03, denied: 0, ...more }];
const call = (id, name, args) => ["tool_call", { id, name, args }];
const result = (id, text, ok = true) => ["tool_result", { id, ok, result: text }];
const thought = (content) => ["system", { subtype: "reasoning_delta", content }];
const asked = (id, callId, kind = "command", input = { command: "ls" }) => [
  "approval", { id, callId, kind, tool: "Bash", title: "Run ls", input, options: [{ id: "allow_once", kind: "allow_once" }] },
];
const resolved = (id, outcome, more = {}) => ["approval_resolved", { id, outcome, by: "Ada", ...more }];

/** What a reader sees of a block, in a word or two. */
function look(block) {
  switch (block.kind) {
    case "input": return `${block.state === "cancelled" ? "cancelled" : "said"} ${block.text}`;
    case "text": return block.text;
    case "tool": {
      const inner = block.inner === null ? "" : ` {${block.inner.blocks.map(look).join("; ")}}`;
      return `${block.name} ${block.state}${block.result === null ? "" : `: ${block.result.text}`}${inner}`;
    }
    case "plan": return block.steps.map(({ text, status }) => `${text} ${status}`).join(", ");
    case "turn": return `${block.outcome} ${block.usage.costUsd ?? ""} after ${block.said}`;
    case "notice": return block.text;
    case "other": return `${block.name} ${block.body.text}`;
    default: return block.kind;
  }
}

const TABLE = [
  ["turns in one column",
    [said("1", "one"), began(1), ["message", { type: "message", content: "First." }], ended(1),
      said("2", "two"), began(2), ["message", { type: "message", content: "Second." }], ended(2, { costUsd: 0.5 })],
    ["said one", "First.", "completed 0.03 after one", "said two", "Second.", "completed 0.5 after two"]],
  ["a queued message stands where the agent took it, and a cancelled one says so",
    [said("1", "one"), began(1), said("2", "two", "queued"), said("3", "three", "queued"),
      ["message_delta", { content: "Wor" }], said("4", "four", "queued"), ["message_delta", { content: "king" }],
      state("3", "cancelled"), ended(1), state("2", "taken"), began(2)],
    ["said one", "Working", "cancelled three", "completed 0.03 after one", "said two"], ["four"]],
  ["what is allowed goes on to its result",
    [began(1), call("t", "Bash", { command: "ls" }), asked("a.1", "t"), resolved("a.1", "allowed"), result("t", "a.txt")],
    ["Bash ok: a.txt"]],
  ["what is refused has not failed",
    [began(1), call("t", "Bash", {}), asked("a.1", "t"), resolved("a.1", "denied", { message: "no" }), result("t", "refused", false)],
    ["Bash denied: refused"]],
  ["an approval without a call has a card of its own",
    [began(1), asked("a.1", null), resolved("a.1", "expired"), asked("a.2", "gone"), resolved("a.2", "allowed")],
    ["Bash expired", "Bash allowed"]],
  ["what waited at the end is withdrawn",
    [began(1), call("t", "Bash", {}), asked("a.1", "t"), call("u", "Read", {}), ["done", { status: "lost" }]],
    ["Bash withdrawn", "Read unanswered"]],
  ["an interrupt ends the calls of its turn",
    [said("1", "go"), began(1), call("t", "Bash", {}), asked("a.1", "t"), resolved("a.1", "withdrawn"), ended(1, { outcome: "interrupted" })],
    ["said go", "Bash withdrawn", "interrupted 0.03 after go"]],
  ["a list of steps changes where it stands",
    [began(1), ["plan", { steps: [{ text: "read", status: "in_progress" }] }], ["message", { type: "message", content: "Hm." }],
      call("t", "TodoWrite", { todos: [{ content: "read", status: "completed" }] }), result("t", "done"), ended(1),
      began(2), ["plan", { steps: [{ text: "write", status: "pending" }] }]],
    ["read completed", "Hm.", "completed 0.03 after ", "write pending"]],
  ["thoughts come in pieces and are there once",
    [said("1", "go"), thought("Let "), thought("me see."),
      ["reasoning", { content: "Let me see." }], ["reasoning", { content: "Another." }]],
    ["said go", "reasoning Let me see.", "reasoning Another."]],
  ["thoughts that never come whole are one",
    [["reasoning", { content: "Let ", partial: true }], ["reasoning", { content: "me see.", partial: true }],
      ["message", { type: "message", content: "Hm." }], ["reasoning", { content: "More.", partial: true }]],
    ["reasoning Let me see.", "Hm.", "reasoning More."]],
  ["the protocol's noise, and what repeats a person's words, is not shown",
    [said("1", "go"), ["system", { subtype: "stream_event" }], ["message", { type: "message", role: "user", content: "go" }],
      ["usage", { costUsd: 9, outputTokens: 7 }], ended(1, { costUsd: undefined })],
    ["said go", "completed  after go"]],
  ["lists of steps of other agents",
    [began(1), call("a", "todowrite", { todos: [{ content: "look", status: "completed" }] }), result("a", "[]"),
      began(2), call("b", "update_plan", { plan: [{ step: "look", status: "in_progress" }] }), result("b", "Plan updated"),
      began(3), call("c", "todo_list", { items: "[x] look\n[ ] write" }), result("c", "1 of 2 done")],
    ["look completed", "look in_progress", "look completed, write pending"]],
  ["a list of steps that is made and changed one by one",
    [began(1), call("a", "TaskCreate", { subject: "look" }), result("a", "Task #1 created successfully: look"),
      call("b", "TaskCreate", { subject: "write" }), result("b", "Task #2 created successfully: write"),
      call("c", "TaskUpdate", { taskId: "1", status: "completed" }), result("c", "Updated task #1 status"),
      call("d", "TaskUpdate", { taskId: "2", status: "deleted" }), result("d", "Deleted")],
    ["look completed"]],
  ["retries of the agent's own are one line that changes",
    [began(1), ["system", { subtype: "api_retry", attempt: 1, max_retries: 10, retry_delay_ms: 606, error_status: 500 }],
      ["system", { subtype: "status" }],
      ["system", { subtype: "api_retry", attempt: 4, max_retries: 10, retry_delay_ms: 20_100, error_status: 500 }]],
    ["API error 500, retry 4 of 10 in 20 s"]],
  ["what a subagent does is in the call that started it",
    [began(1), call("t", "Task", { prompt: "look" }), ["message", { type: "message", role: "user", content: "look", parentId: "t" }],
      ["tool_call", { id: "u", name: "Grep", args: {}, parentId: "t" }],
      ["tool_result", { id: "u", ok: true, result: "a.py", parentId: "t" }],
      result("t", "Found."), ["message", { type: "message", content: "Meanwhile." }]],
    ["Task ok: Found. {said look; Grep ok: a.py}", "Meanwhile."]],
  ["a subagent's subagent is in its call",
    [began(1), call("t", "Task", {}), ["tool_call", { id: "v", name: "Task", args: {}, parentId: "t" }],
      ["message", { type: "message", content: "Deep.", parentId: "v" }]],
    ["Task running {Task running {Deep.}}"]],
  ["an error of a tool loses its tag",
    [call("t", "Read", {}), result("t", "<tool_use_error>No file.</tool_use_error>", false)],
    ["Read failed: No file."]],
];

for (const [name, pairs, looks, queued = []] of TABLE) {
  const events = pairs.map(([event, data]) => ({ name: event, data: JSON.stringify(data), id: "" }));
  const check = (transcript, hint) => {
    assert.deepEqual(transcript.blocks.map(look), looks, hint);
    assert.deepEqual([...transcript.queued.values()].map(({ content }) => content), queued, hint);
  };

  test(name, () => {
    const transcript = new Transcript();
    for (const event of events) applyEvent(transcript, event);
    check(transcript, "");
  });
}

/** Where the page may begin to read with nothing but what came before to be added. */
const CUTS = ["turns in one column", "what is allowed goes on to its result", "what is refused has not failed",
  "an approval without a call has a card of its own", "what waited at the end is withdrawn",
  "what a subagent does is in the call that started it"];

for (const [name, pairs, looks] of TABLE.filter(([name]) => CUTS.includes(name))) {
  test(`${name}, wherever the page begins to read`, () => {
    const events = pairs.map(([event, data]) => ({ name: event, data: JSON.stringify(data), id: "" }));
    for (let from = 1; from < events.length; from += 1) {
      const transcript = new Transcript();
      transcript.talk = {};
      for (const event of events.slice(from)) applyEvent(transcript, event);
      prependEvents(transcript, events.slice(0, from));
      assert.deepEqual(transcript.blocks.map(look), looks, `from event ${from}`);
      assert.equal(transcript.asking.size, 0);
    }
  });
}

test("the page that began to read later finds a queued message's words", () => {
  const transcript = new Transcript();
  for (const [name, data] of [state("2", "taken"), state("3", "cancelled"), began(2)]) {
    applyEvent(transcript, { name, data: JSON.stringify(data), id: "" });
  }
  const earlier = [said("1", "one"), began(1), said("2", "two", "queued"), said("3", "three", "queued"), said("4", "four", "queued")];
  prependEvents(transcript, earlier.map(([name, data]) => ({ name, data: JSON.stringify(data), id: "" })));
  assert.deepEqual(transcript.blocks.map(look), ["said one", "said two", "cancelled three"]);
  assert.deepEqual([...transcript.queued.keys()], ["4"]);
});

test("what is known of the conversation", () => {
  const transcript = new Transcript();
  for (const [name, data] of [
    ["conversation", { conversationId: "c", model: "opus", mode: "default", modes: ["default", "plan"] }],
    ["state", { state: "working" }], ["mode", { mode: "plan" }], ["model", { model: "haiku" }], began(3),
  ]) applyEvent(transcript, { name, data: JSON.stringify(data), id: "" });
  assert.deepEqual(transcript.talk, {
    conversationId: "c", model: "haiku", mode: "plan", modes: ["default", "plan"], state: "working", turn: 3,
  });
  assert.equal(transcript.blocks.length, 0);
});

test("figures of a turn's steps add up, wherever the page begins to read", () => {
  const step = (costUsd) => ["usage", { type: "usage", inputTokens: 10, costUsd, partial: true }];
  const events = [step(0.25), ["message", { type: "message", content: "Hm." }], step(0.5), step(0.25), ["done", { status: "succeeded" }]]
    .map(([name, data]) => ({ name, data: JSON.stringify(data), id: "" }));
  for (let from = 0; from < events.length; from += 1) {
    const transcript = new Transcript();
    for (const event of events.slice(from)) applyEvent(transcript, event);
    prependEvents(transcript, events.slice(0, from));
    assert.deepEqual(transcript.turnUsage, { inputTokens: 30, costUsd: 1 }, `from event ${from}`);
  }
});

test("a call that was refused without a question is counted, and has not failed", () => {
  const transcript = new Transcript();
  for (const [name, data] of [call("t", "Bash", {}), ["tool_result", { id: "t", ok: false, refused: true, exitCode: 1, result: "no" }]]) {
    applyEvent(transcript, { name, data: JSON.stringify(data), id: "" });
  }
  assert.deepEqual(transcript.blocks.map(look), ["Bash denied: no"]);
  assert.equal(transcript.refused, 1);
});

test("a turn whose messages no agent has taken waits", () => {
  const taken = [said("1", "one"), began(1), state("1", "taken"), said("2", "two"), ended(1, { outcome: "failed" })];
  const waiting = [said("1", "one"), began(1), ended(1, { outcome: "failed" })];
  for (const [events, expected] of [[taken, ["one", false]], [waiting, ["one", true]]]) {
    const transcript = new Transcript();
    for (const [name, data] of events) applyEvent(transcript, { id: "", name, data: JSON.stringify(data) });
    const turn = transcript.blocks.at(-1);
    assert.deepEqual([turn.said, turn.isWaiting], expected);
  }
});
