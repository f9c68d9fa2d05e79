import assert from "node:assert/strict";
import { test } from "node:test";

import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { prependEvents } from "../../../webapp/static/js/transcript/earlier.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";

/** The events of a session, as the page gets them. */
const EVENTS = [
  ["session", { agent: "demo", pid: 7 }],
  ["message", { type: "message", content: "Hel" }],
  ["message", { type: "message", content: "lo " }],
  ["message", { type: "message", content: "there." }],
  ["tool_call", { id: "1", name: "read", args: { path: "a" } }],
  ["stderr", { message: "one" }],
  ["stderr", { message: "two" }],
  ["tool_result", { id: "1", ok: false, result: "no" }],
  ["message", { content: "plain" }],
  ["message", { content: "lines" }],
  ["done", { exitCode: 0, signal: null, status: "succeeded" }],
].map(([name, data], index) => ({ name, data: JSON.stringify(data), id: String(index) }));

/** A message that came in pieces and then whole, between two others. */
const PIECES = [
  ["message", { type: "message", content: "I begin." }],
  ["message_delta", { type: "message_delta", content: "Hel" }],
  ["message_delta", { type: "message_delta", content: "lo there," }],
  ["message_delta", { type: "message_delta", content: " reader." }],
  ["message", { type: "message", content: "Hello there, reader." }],
  ["tool_call", { id: "1", name: "read", args: { path: "a" } }],
  ["message", { type: "message", content: "Bye." }],
].map(([name, data], index) => ({ name, data: JSON.stringify(data), id: String(index) }));

test("pieces of a message and the whole of it are one text, wherever the page begins to read", () => {
  for (let first = 0; first < PIECES.length; first += 1) {
    for (let middle = 0; middle <= first; middle += 1) {
      const transcript = new Transcript();
      for (const event of PIECES.slice(first)) applyEvent(transcript, event);
      prependEvents(transcript, PIECES.slice(middle, first));
      prependEvents(transcript, PIECES.slice(0, middle));
      const texts = transcript.blocks.filter(({ kind }) => kind === "text").map(({ text }) => text.split(/\n+/));
      assert.deepEqual(texts.flat(), ["I begin.", "Hello there, reader.", "Bye."], `${middle}, ${first}`);
    }
  }
});

/** What a reader sees, whatever the order in which it came. */
function seen(transcript) {
  return transcript.blocks
    .map((block) => (block.kind === "tool" ? [block.name, block.state, block.args[0]?.text, block.result?.text].join(" ") : `${block.kind} ${block.text}`))
    .sort();
}

test("wherever the page begins to read, earlier events complete it", () => {
  const whole = new Transcript();
  for (const event of EVENTS) applyEvent(whole, event);

  for (let first = 1; first < EVENTS.length; first += 1) {
    const transcript = new Transcript();
    for (const event of EVENTS.slice(first)) applyEvent(transcript, event);
    const middle = Math.ceil(first / 2);
    prependEvents(transcript, EVENTS.slice(middle, first));
    prependEvents(transcript, EVENTS.slice(0, middle));
    assert.deepEqual(seen(transcript), seen(whole), `from event ${first}`);
    assert.equal(transcript.start.agent, "demo");
    transcript.blocks.forEach((block, index) => assert.equal(block.id, transcript.firstId + index));
  }
});

test("a result that is still to come finds its call among the earlier events", () => {
  const transcript = new Transcript();
  applyEvent(transcript, EVENTS[5]);
  prependEvents(transcript, EVENTS.slice(0, 5));
  applyEvent(transcript, EVENTS[7]);
  const call = transcript.blocks.find((block) => block.kind === "tool");
  assert.deepEqual([call.state, call.result.text], ["failed", "no"]);
});
