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
