import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { toolCallOf, toolResultOf } from "../../../webapp/static/js/transcript/tool_calls.js";

/** Also what tests/log/dialects/test_plain.py asks of the server. */
const TABLE = JSON.parse(
  readFileSync(new URL("../../log/dialects/tool_events.json", import.meta.url), "utf8"),
);

for (const [data, expected] of TABLE.calls) {
  test(`call ${JSON.stringify(data)}`, () => {
    const { callId: id, name, args = null } = toolCallOf(data);
    assert.deepEqual({ id, name, args }, expected);
  });
}

for (const [data, expected] of TABLE.results) {
  test(`result ${JSON.stringify(data)}`, () => {
    const { callId: id, name, failed, result } = toolResultOf(data);
    assert.deepEqual({ id, name, ok: !failed, result }, expected);
  });
}

test("pictures of a result are found wherever they are, and nothing else is", () => {
  const one = { mediaType: "image/png", bytes: 5, url: "media/77.0" };
  const two = { mediaType: "application/pdf", bytes: 6, url: "media/77.1" };
  const foreign = { mediaType: "image/png", bytes: 5, url: "https://example.org/media/1.0" };
  assert.deepEqual(toolResultOf({ result: "[image]", media: [one, two] }).media, [one, two]);
  assert.deepEqual(toolResultOf({ content: [{ type: "image", data: one }, "text", { data: two }] }).media, [one, two]);
  assert.deepEqual(toolResultOf({ result: [foreign, { ...one, url: "media/../1" }, null] }).media, []);
});
