import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { appendText } from "../../../webapp/static/js/transcript/append_text.js";
import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { MAX_BLOCK_TEXT } from "../../../webapp/static/js/transcript/limits.js";
import { readable } from "../../../webapp/static/js/transcript/plain_text.js";
import { pieceOf } from "../../../webapp/static/js/transcript/text_run.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";

/** The blocks that a run of messages becomes. */
function run(...messages) {
  const transcript = new Transcript();
  for (const data of messages) appendText(transcript, pieceOf(data).kind, pieceOf(data));
  return transcript.blocks;
}

const line = (content) => ({ content });
const partial = (content) => ({ content, partial: true });
const piece = (content) => ({ type: "message", content, partial: true });
const message = (content) => ({ type: "message", content });

test("pieces become readable text", () => {
  /** @type {[string, any[], string][]} */
  const table = [
    ["lines stay lines", [line("a"), line(""), line("b")], "a\n\nb"],
    ["a partial line goes on", [partial("Thinking about"), line(" the question."), line("b")], "Thinking about the question.\nb"],
    ["messages are blocks of their own", [message("I look."), message("It is there.")], "I look.|It is there."],
    ["pieces of a message are one block", [piece("Hel"), piece("lo\n"), piece("there")], "Hello\nthere"],
    ["a plain line after a message", [message("a"), line("b")], "a|b"],
    ["line ends before anything", [message("\n\n"), message("\na")], "a"],
  ];
  for (const [what, messages, text] of table) {
    assert.equal(run(...messages).map((block) => block.text).join("|"), text, what);
  }
});

test("what is no text is not taken for text", () => {
  for (const data of [null, "a", 7, [], {}, { content: 7 }, { type: "done", content: "a" }]) {
    assert.equal(pieceOf(data), null);
  }
});

test("a long run goes on in new blocks at line ends, and nothing is lost", () => {
  const lines = Array.from({ length: 3_000 }, (_, index) => `line ${index}`);
  const blocks = run(...lines.map(line));
  assert.ok(blocks.length > 2);
  assert.ok(blocks.every((block) => block.text.length <= MAX_BLOCK_TEXT));
  assert.ok(blocks.slice(1).every((block) => block.continued));
  assert.equal(blocks.map((block) => block.text).join("\n"), lines.join("\n"));
});

test("a huge line without a space goes on in new blocks, whole", () => {
  const text = "😀".repeat(500_000);
  const blocks = run(piece(text), piece("\n\ny"));
  assert.ok(blocks.every((block) => block.text.length <= MAX_BLOCK_TEXT));
  const whole = blocks.map((block) => block.text).join("");
  assert.ok(whole.replaceAll("\n", "") === `${text}y`, "nothing is lost or torn");
});

test("long Markdown is left where it pauses, and code goes on as code", () => {
  const paragraph = `${"word ".repeat(700)}\n\n`;
  const blocks = run(...Array.from({ length: 12 }, () => piece(paragraph)));
  assert.ok(blocks.length > 2);
  assert.ok(blocks.every((block) => block.opening === "" && !block.text.trim().includes("\n\n\n")));

  const code = run(message(`\`\`\`js\n${"let a = 1;\n".repeat(4_000)}\`\`\`\n`));
  assert.ok(code.length > 2);
  assert.deepEqual(new Set(code.slice(1).map((block) => block.opening)), new Set(["```js"]));
});

test("a cut does not tear a surrogate pair", () => {
  const [block] = run(line("x" + "😀".repeat(MAX_BLOCK_TEXT)));
  assert.ok(block.text.isWellFormed());
});

test("terminal escapes are stripped and other controls made visible", () => {
  /** @type {[string, string][]} */
  const table = [
    ["plain text, é, 😀\n\tand more", "plain text, é, 😀\n\tand more"],
    ["\x1b[31mred\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[m", "red true"],
    ["\x1b]8;;http://evil/\x07link\x1b]8;;\x1b\\", "link"],
    ["\x1b]52;c;aGk=\x07copied", "copied"],
    ["\x1b]0;title never ended", ""],
    ["10%\r20%\r\ndone", "10%\n20%\ndone"],
    ["a\0b\x07c\x7f", "a␀b␇c␡"],
    ["\x9b31m", "\uFFFD31m"],
  ];
  for (const [raw, expected] of table) assert.equal(readable(raw), expected);
});

/** Also what tests/log/dialects/test_plain.py asks of the server. */
const TEXTS = JSON.parse(readFileSync(new URL("../../log/dialects/text_events.json", import.meta.url), "utf8"));

for (const [data, expected] of TEXTS) {
  test(`text in ${JSON.stringify(data)}`, () => {
    const transcript = new Transcript();
    applyEvent(transcript, { name: data.type, data: JSON.stringify(data) });
    const [block] = transcript.blocks;
    const kind = { user: "input", message: "text", message_delta: "text", reasoning: "other" }[expected?.role ?? expected?.type];
    assert.equal(block?.kind, kind ?? "other");
    const text = block.text ?? block.body.text;
    if (expected === null) assert.equal(block.name, data.type);
    else assert.equal(text, expected.content);
    if (kind === "text") assert.equal(block.ending, expected.partial || expected.type === "message_delta" ? "piece" : "whole");
  });
}
