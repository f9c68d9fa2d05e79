import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { spansOf } from "../../../webapp/static/js/transcript/ansi.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";
import { written } from "../../../webapp/static/js/transcript/screen.js";

/** Also what tests/cli/test_screen.py asks of the shell's commands. */
const TABLE = JSON.parse(readFileSync(new URL("../../cli/screen.json", import.meta.url), "utf8"));

const shown = (text) => spansOf(text).map((span) => span.text).join("");

for (const [name, pieces, expected] of TABLE) {
  test(name, () => {
    assert.equal(shown(pieces.join("")), expected);
    assert.equal(shown(pieces.reduce(written, "")), expected);
    assert.equal(shown([...pieces.join("")].reduce(written, "")), expected);
  });
}

test("a long progress is one line of one block", () => {
  for (const [name, key] of [["stderr", "message"], ["message", "content"]]) {
    const transcript = new Transcript();
    for (let i = 0; i <= 3000; i += 1) {
      const data = { [key]: `\rmodel: ${String(i / 30).slice(0, 3)}%|${"█".repeat(i / 300)}|`, partial: true };
      applyEvent(transcript, { name, data: JSON.stringify(data), id: String(i) });
    }
    applyEvent(transcript, { name, data: JSON.stringify({ [key]: "" }), id: "3001" });
    applyEvent(transcript, { name, data: JSON.stringify({ [key]: "downloaded" }), id: "3002" });
    assert.equal(shown(transcript.last?.text ?? ""), `model: 100%|${"█".repeat(10)}|\ndownloaded`);
    assert.equal(transcript.endId - transcript.firstId, 1);
  }
});
