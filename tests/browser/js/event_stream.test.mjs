import assert from "node:assert/strict";
import { test } from "node:test";

import { EventStream, silenceLimitMs } from "../../../webapp/static/js/stream/event_stream.js";

/** @param {string[]} chunks what comes before the connection ends, or breaks on an Error */
function streaming(...chunks) {
  const body = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } });
}

/** A body that says something and then falls silent, until the request is called off. */
function silent(chunk, { signal }) {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(chunk));
      signal.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

/**
 * A stream over connections that answer one after the other; resolves when it has come to rest.
 *
 * @param {((init: any) => Response)[]} connections
 */
function run(...connections) {
  const seen = { events: [], phases: [], states: [], lastIds: [] };
  const fetch = async (_url, init) => {
    seen.lastIds.push(init.headers["Last-Event-ID"]);
    const answer = connections.shift();
    if (answer === undefined) throw new TypeError("no more connections");
    return answer(init);
  };
  const rest = Promise.withResolvers();
  const stream = new EventStream("/stream", {
    finalEvent: "done",
    fetch,
    random: () => 0,
    onEvents: (events) => seen.events.push(...events.map(({ name, data }) => `${name} ${data}`)),
    onState(state) {
      seen.phases.push(state.phase);
      seen.states.push(state);
      if (state.phase === "ended" || state.phase === "refused") rest.resolve(seen);
    },
  });
  stream.open();
  return { stream, seen, rest: rest.promise };
}

const DONE = 'id: 90\nevent: done\ndata: {"exitCode":0}\n\n';
const json = (status, body, headers = {}) => () => Response.json(body, { status, headers });

/** Runs the mocked clock until a promise settles. */
async function elapse(t, promise, stepMs = 500) {
  let isSettled = false;
  promise.then(() => (isSettled = true));
  for (let step = 0; step < 2_000 && !isSettled; step += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(stepMs);
  }
  return promise;
}

test("events come in order, and the final one ends the stream", async () => {
  const { events, phases } = await run(() => streaming("id: 1\ndata: a\n\nid: 2\nda", "ta: b\n\n", DONE)).rest;
  assert.deepEqual(events, ["message a", "message b", 'done {"exitCode":0}']);
  assert.deepEqual(phases, ["connecting", "live", "ended"]);
});

test("a connection that breaks is taken up again after the last whole event", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest } = run(
    () => streaming("retry: 1500\n\nid: 1\ndata: a\n\nid: 2\ndata: torn"),
    () => streaming("id: 2\ndata: b\n\n", DONE),
  );
  const { events, phases, states, lastIds } = await elapse(t, rest);
  assert.deepEqual(events, ["message a", "message b", 'done {"exitCode":0}']);
  assert.deepEqual(lastIds, [undefined, "1"]);
  assert.deepEqual(phases, ["connecting", "live", "waiting", "reconnecting", "live", "ended"]);
  assert.equal(states[2].delayMs, 1500);
});

test("204 on a reconnect means that nothing follows", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest } = run(() => streaming("id: 1\ndata: a\n\n"), () => new Response(null, { status: 204 }));
  assert.equal((await elapse(t, rest)).phases.at(-1), "ended");
});

test("a server that is away is asked again, later each time, and Retry-After is kept", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest } = run(
    () => { throw new TypeError("refused"); },
    json(503, {}, { "Retry-After": "20" }),
    json(502, {}),
    () => streaming(DONE),
  );
  const { states } = await elapse(t, rest);
  const delays = states.filter(({ phase }) => phase === "waiting").map(({ delayMs }) => delayMs);
  assert.deepEqual(delays, [1_000, 20_000, 4_000]);
});

test("events make the next delay short again", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest } = run(json(503, {}), json(503, {}), () => streaming("data: a\n\n"), () => streaming(DONE));
  const { states } = await elapse(t, rest);
  const delays = states.filter(({ phase }) => phase === "waiting").map(({ delayMs }) => delayMs);
  assert.deepEqual(delays, [1_000, 2_000, 1_000]);
});

test("a line without a sign of life is given up for a new one", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { rest, seen } = run((init) => silent("id: 1\ndata: a\n\n", init), () => streaming(DONE));
  await elapse(t, rest, silenceLimitMs() / 5);
  assert.deepEqual(seen.lastIds, [undefined, "1"]);
});

test("a line is quiet for as long as the server may be silent", () => {
  assert.equal(silenceLimitMs(), 35_000);
  assert.ok(silenceLimitMs(120) > 240_000);
});

test("an answer that will not change is not asked for again", async () => {
  const { states } = await run(json(404, { error: { code: "NOT_FOUND", message: "It never existed." } })).rest;
  assert.equal(states.at(-1).phase, "refused");
  assert.equal(states.at(-1).error.message, "It never existed.");
  assert.equal(states.at(-1).error.status, 404);
});

test("an answer that is no event stream is refused", async () => {
  const page = () => new Response("<html>", { headers: { "Content-Type": "text/html" } });
  assert.equal((await run(page).rest).phases.at(-1), "refused");
});

test("a character that is cut in two by the chunks arrives whole", async () => {
  const bytes = new TextEncoder().encode(`data: é\n\n${DONE}`);
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(bytes.slice(0, 7));
      controller.enqueue(bytes.slice(7));
      controller.close();
    },
  });
  const answer = () => new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  assert.equal((await run(answer).rest).events[0], "message é");
});

test("a viewer that raises does not end the stream, and is heard of", async () => {
  const raised = [];
  globalThis.reportError = (error) => raised.push(error.message);
  const rest = Promise.withResolvers();
  new EventStream("/stream", {
    finalEvent: "done",
    fetch: async () => streaming("data: a\n\n", DONE),
    onEvents: (events) => {
      if (events[0].data === "a") throw new Error("a bug");
    },
    onState: ({ phase }) => phase === "ended" && rest.resolve(),
  }).open();
  await rest.promise;
  assert.deepEqual(raised, ["a bug"]);
});

test("a parked stream says nothing, and goes on where it stopped", async () => {
  const { stream, seen, rest } = run(
    (init) => silent("id: 5\ndata: a\n\n", init),
    () => streaming(DONE),
  );
  while (seen.events.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stream.park();
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(seen.phases.at(-1), "parked");

  stream.open();
  await rest;
  assert.deepEqual(seen.lastIds, [undefined, "5"]);
});
