import assert from "node:assert/strict";
import { test } from "node:test";

import { SseParser } from "../../../webapp/static/js/stream/sse_parser.js";

/** @param {string} text */
const parse = (text) => new SseParser().feed(text);

test("an event has a name, data and an id", () => {
  assert.deepEqual(parse('id: 42\nevent: tool_call\ndata: {"a":1}\n\n'), [
    { name: "tool_call", data: '{"a":1}', id: "42" },
  ]);
});

test("the grammar of the standard", () => {
  /** @type {[string, string, [string, string][]][]} */
  const table = [
    ["an event without a name is a message", "data: a\n\n", [["message", "a"]]],
    ["data lines are joined by LF", "data: a\ndata: b\n\n", [["message", "a\nb"]]],
    ["only one space after the colon goes", "data:  a\n\n", [["message", " a"]]],
    ["a field without a colon is empty", "data\n\n", [["message", ""]]],
    ["comments say nothing", ": hello\ndata: a\n\n", [["message", "a"]]],
    ["unknown fields say nothing", "datum: b\ndata: a\n\n", [["message", "a"]]],
    ["CR ends a line", "data: a\rdata: b\r\r", [["message", "a\nb"]]],
    ["CR LF ends a line once", "data: a\r\ndata: b\r\n\r\n", [["message", "a\nb"]]],
    ["an event without data is none", "event: x\n\ndata: a\n\n", [["message", "a"]]],
    ["an event whose blank line has not come is none", "data: a\n", []],
    ["U+2028 ends no line", "data: a\u2028b\n\n", [["message", "a\u2028b"]]],
    ["error is a name like any other", "event: error\ndata: a\n\n", [["error", "a"]]],
  ];
  for (const [what, text, expected] of table) {
    assert.deepEqual(parse(text).map(({ name, data }) => [name, data]), expected, what);
  }
});

test("wherever the chunks are cut, the events are the same", () => {
  const text = ": hi\r\nid: 1\r\ndata: a\r\n\r\nid: 2\nevent: x\ndata: b\ndata: c\n\nretry: 9\n\nid\ndata: é\r\r";
  const whole = parse(text);
  assert.equal(whole.length, 3);

  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      const parser = new SseParser();
      const events = [text.slice(0, first), text.slice(first, second), text.slice(second)]
        .flatMap((chunk) => parser.feed(chunk));
      assert.deepEqual(events, whole);
    }
  }
});

test("an id holds until the next one, and a block without data moves it too", () => {
  const parser = new SseParser("7");
  assert.equal(parser.feed("data: a\n\n")[0]?.id, "7");
  parser.feed("id: 8\n\n");
  assert.equal(parser.lastEventId, "8");
  assert.equal(parser.feed("data: b\n\n")[0]?.id, "8");
});

test("an id counts only when its event is whole", () => {
  const parser = new SseParser("7");
  parser.feed("id: 8\ndata: a\n");
  assert.equal(parser.lastEventId, "7");
});

test("an id with a NUL is none", () => {
  assert.equal(parse("id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n")[1]?.id, "1");
});

test("retry is taken only when it is a number", () => {
  const parser = new SseParser();
  parser.feed("retry: soon\n\n");
  assert.equal(parser.retryMs, null);
  parser.feed("retry: 1500\n\n");
  assert.equal(parser.retryMs, 1500);
});

test("a line of 8 MB in small chunks takes linear time", { timeout: 5_000 }, () => {
  const parser = new SseParser();
  parser.feed("data: ");
  for (let count = 0; count < 8_000; count += 1) parser.feed("x".repeat(1_000));
  assert.equal(parser.feed("\n\n")[0]?.data.length, 8_000_000);
});
