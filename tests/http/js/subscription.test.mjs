/** A subscription that nothing breaks: no worker's end, no lost line. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { EventSource } from "eventsource";

import { follow, makeClient, waitFor } from "./trpc.mjs";

/** An EventSource that remembers which worker answers it, and which ids it sent. */
function makeObservedEventSource() {
  const seen = { workers: [], lastIds: [] };
  class ObservedEventSource extends EventSource {
    constructor(url, options) {
      super(url, {
        ...options,
        fetch: async (input, init) => {
          const response = await fetch(input, init);
          seen.workers.push(Number(response.headers.get("x-worker-pid")));
          seen.lastIds.push(new Headers(init.headers).get("last-event-id"));
          return response;
        },
      });
    }
  }
  return { seen, ObservedEventSource };
}

async function startedWorkflow(client, count = 0) {
  const { id: workflowId } = await client.workflow.create.mutate();
  for (let n = 0; n < count; n += 1) await say(client, workflowId, `before ${n}`);
  return workflowId;
}

const say = (client, workflowId, content) =>
  client.workflow.sendMessage.mutate({ workflowId, content });

test("messages come as they are added, by whichever worker", async () => {
  const client = makeClient("httpLink");
  const workflowId = await startedWorkflow(client, 1);
  const followings = Array.from({ length: 4 }, () => follow(client, { workflowId }));
  const expected = ["before 0"];
  for (let n = 0; n < 20; n += 1) {
    await say(client, workflowId, `live ${n}`);
    expected.push(`live ${n}`);
  }
  for (const following of followings) {
    await waitFor(() => following.contents.length >= expected.length);
    assert.deepEqual(following.contents, expected);
    following.stop();
  }
});

test("a client goes on after the id that it names", async () => {
  const client = makeClient("httpLink");
  const workflowId = await startedWorkflow(client, 3);
  const { messages } = await client.workflow.getHistory.query({ workflowId });
  const lastEventId = String(messages[1].id);
  const following = follow(client, { workflowId, lastEventId });
  await say(client, workflowId, "live");
  await waitFor(() => following.contents.length >= 2);
  assert.deepEqual(following.contents, ["before 2", "live"]);
  following.stop();
});

test("a subscription goes on after its worker was killed: all once, in order", async () => {
  const { seen, ObservedEventSource } = makeObservedEventSource();
  const client = makeClient("httpLink", { EventSource: ObservedEventSource });
  const workflowId = await startedWorkflow(client, 5);
  const following = follow(client, { workflowId });
  const expected = Array.from({ length: 5 }, (_, n) => `before ${n}`);
  await waitFor(() => following.contents.length === 5);

  for (const round of [1, 2]) {
    process.kill(seen.workers.at(-1), "SIGKILL");
    for (let n = 0; n < 5; n += 1) {
      const content = `round ${round}, ${n}`;
      await sayPatiently(client, workflowId, content);
      expected.push(content);
    }
    await waitFor(() => following.contents.length >= expected.length);
    await waitFor(() => seen.workers.length >= round + 1);
    assert.deepEqual(following.contents, expected);
  }
  following.stop();
  assert.equal(new Set(seen.workers).size, 3);
  assert.deepEqual(following.errors, []);
  assert.ok(following.states.filter((state) => state === "connecting").length >= 3);
  assert.ok(seen.lastIds.slice(1).every((id) => following.ids.includes(id)));
});

/** A message, sent again where the connection went to the worker that was killed. */
async function sayPatiently(client, workflowId, content) {
  await waitFor(async () => {
    try {
      return await say(client, workflowId, content);
    } catch (error) {
      if (error.data) throw error;
      const { messages } = await client.workflow.getHistory.query({ workflowId });
      return messages.some((message) => message.content === content);
    }
  });
}

test("a silent line is told from a dead one: pings keep the client from coming back", async () => {
  const { seen, ObservedEventSource } = makeObservedEventSource();
  const client = makeClient("httpLink", { EventSource: ObservedEventSource });
  const workflowId = await startedWorkflow(client);
  const following = follow(client, { workflowId });
  const silentMs = 3.5 * Number(process.env.PING_SECONDS) * 1000; // it gives up after 3
  await new Promise((resolve) => setTimeout(resolve, silentMs));
  await say(client, workflowId, "at last");
  await waitFor(() => following.contents.length === 1);
  following.stop();
  assert.equal(seen.workers.length, 1);
});

test("a subscription to nothing ends with an error", async () => {
  const client = makeClient("httpLink");
  const following = follow(client, { workflowId: "workflow-0" });
  const [error] = await waitFor(() => following.errors.length && following.errors);
  assert.deepEqual(error.data, {
    code: "NOT_FOUND",
    httpStatus: 404,
    path: "workflow.onMessage",
    field: "workflowId",
  });
});
