import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStream } from "../../../webapp/static/js/stream/event_stream.js";
import { PageLocks, Slots } from "../../../webapp/static/js/stream/slots.js";

const { signal } = new AbortController();
const settle = async () => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

test("there are so many slots and no more, for all that share the locks", async () => {
  const locks = new PageLocks();
  const tabs = [new Slots(locks, 2), new Slots(locks, 2)];
  const got = [];
  for (const tab of [...tabs, ...tabs]) void tab.acquire(signal).then((slot) => got.push(slot));
  await settle();
  assert.equal(got.length, 2);
  assert.ok(await got[0].isWanted());

  got[0].release();
  await settle();
  assert.equal(got.length, 3);
  got[1].release();
  got[2].release();
  await settle();
  assert.equal(got.length, 4);
  assert.equal(await got[3].isWanted(), false);
});

test("who gives up waiting gets no slot, and holds none", async () => {
  const slots = new Slots(new PageLocks(), 1);
  const first = await slots.acquire(signal);
  const leaving = new AbortController();
  const second = slots.acquire(leaving.signal);
  const third = slots.acquire(signal);
  await settle();
  leaving.abort();
  first.release();
  assert.equal(await second, undefined);
  assert.notEqual(await third, undefined);
});

test("a dozen live streams take turns on four connections, and each gets all its events", { timeout: 30_000 }, async () => {
  const slots = new Slots(new PageLocks(), 4);
  let open = 0;
  let most = 0;
  const streams = Array.from({ length: 12 }, () => {
    const texts = [];
    const done = Promise.withResolvers();
    let opened = 0;
    /** Each connection gives one more event and then is silent, until the fourth ends it. */
    const fetch = async (_url, { headers, signal: stop }) => {
      open += 1;
      most = Math.max(most, open);
      opened += 1;
      const at = Number(headers["Last-Event-ID"] ?? 0);
      const text = at === 3 ? "id: 4\nevent: done\ndata: end\n\n" : `id: ${at + 1}\ndata: ${at + 1}\n\n`;
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(text));
          stop.addEventListener("abort", () => controller.error(stop.reason));
        },
      });
      stop.addEventListener("abort", () => (open -= 1));
      if (at === 3) open -= 1;
      return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
    };
    const phases = new Set();
    const stream = new EventStream("/stream", {
      finalEvent: "done",
      fetch,
      slots,
      onEvents: (events) => texts.push(...events.map(({ data }) => data)),
      onState({ phase }) {
        phases.add(phase);
        if (phase === "ended") done.resolve({ texts, opened, phases });
      },
    });
    stream.open();
    return done.promise;
  });
  for (const { texts, phases } of await Promise.all(streams)) {
    assert.deepEqual(texts, ["1", "2", "3", "end"]);
    assert.ok(!phases.has("waiting") && !phases.has("reconnecting"), "a turn that is over is no break");
  }
  assert.ok(most <= 4, String(most));
});
