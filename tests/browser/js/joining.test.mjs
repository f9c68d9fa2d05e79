import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { applyEvent } from "../../../webapp/static/js/transcript/apply_event.js";
import { prependEvents } from "../../../webapp/static/js/transcript/earlier.js";
import { Transcript } from "../../../webapp/static/js/transcript/transcript.js";

/** What tests/log/test_joining.py asks of the server: a name, events, and the paragraphs of each run. */
const TABLE = JSON.parse(readFileSync(new URL("../../log/joining.json", import.meta.url), "utf8"));

/** The paragraphs of a transcript: each is a block, and something else between them ends a run. */
function runsOf(transcript) {
  const runs = [[]];
  for (const { kind, name, text } of transcript.blocks) {
    if (kind === "text" || kind === "output") runs.at(-1).push(text.replace(/\n+$/, ""));
    else if (name !== "system") runs.push([]);
  }
  return runs.filter((run) => run.length > 0);
}

for (const [name, pairs, runs] of TABLE) {
  const events = pairs.map(([event, data], index) => ({ name: event, data: JSON.stringify(data), id: String(index) }));

  test(name, () => {
    const transcript = new Transcript();
    for (const event of events) applyEvent(transcript, event);
    assert.deepEqual(runsOf(transcript), runs);
  });

  test(`${name}, where the page begins to read at the end of what there is`, () => {
    for (let end = 1; end < events.length; end += 1) {
      const transcript = new Transcript();
      prependEvents(transcript, events.slice(0, end));
      for (const event of events.slice(end)) applyEvent(transcript, event);
      assert.deepEqual(runsOf(transcript), runs, `up to event ${end}`);
    }
  });

  test(`${name}, wherever the page begins to read`, () => {
    for (let first = 1; first < events.length; first += 1) {
      if (events[first - 1].name === "system" || events[first].name === "system") continue;
      const transcript = new Transcript();
      for (const event of events.slice(first)) applyEvent(transcript, event);
      prependEvents(transcript, events.slice(0, first));
      assert.deepEqual(runsOf(transcript), runs, `from event ${first}`);
    }
  });
}
