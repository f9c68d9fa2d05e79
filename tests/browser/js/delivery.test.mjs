import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError, errorOf } from "../../../webapp/static/js/api/errors.js";
import { Answer, Delivery } from "../../../webapp/static/js/composer/delivery.js";

/** A server that answers each invoke with the next of these: an error to throw, or a session. */
function serverWith(...answers) {
  const seen = { created: 0, templates: [], places: [], invokes: [], pauses: [] };
  return {
    seen,
    async createWorkflow({ template, ...place }) {
      seen.created += 1;
      seen.templates.push(template);
      seen.places.push(place);
      return { id: `workflow-${seen.created}` };
    },
    async invokeAgent(input, key) {
      seen.invokes.push({ ...input, key });
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async pause(ms) {
      seen.pauses.push(ms);
    },
  };
}

const letter = { workflowId: null, template: "chat", message: "hello", agent: "demo" };
const session = { sessionId: "session-1", workflowId: "workflow-1" };
const lost = () => new ApiError("The server cannot be reached.");

test("a first message creates its workflow", async () => {
  const server = serverWith(session);
  assert.equal(await new Delivery(letter, server).attempt(), session);
  assert.equal(server.seen.created, 1);
  assert.equal(server.seen.invokes[0].workflowId, "workflow-1");
});

test("a workflow is created where the message is to be worked on", async () => {
  const server = serverWith(session, session);
  const place = { project: "shop", worktree: true };
  await new Delivery({ ...letter, place }, server).attempt();
  await new Delivery(letter, server).attempt();
  assert.deepEqual(server.seen.places, [place, {}]);
});

test("a lost answer is asked for again with the same key", async () => {
  const server = serverWith(lost(), lost(), session);
  assert.equal(await new Delivery(letter, server).attempt(), session);
  const keys = new Set(server.seen.invokes.map(({ key }) => key));
  assert.deepEqual([keys.size, server.seen.invokes.length, server.seen.created], [1, 3, 1]);
  assert.match([...keys][0], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a person's retry uses the same key and the same workflow", async () => {
  const server = serverWith(lost(), lost(), lost(), session);
  const delivery = new Delivery(letter, server);
  await assert.rejects(delivery.attempt(), /cannot be reached/);
  assert.equal(await delivery.attempt(), session);
  assert.equal(new Set(server.seen.invokes.map(({ key }) => key)).size, 1);
  assert.equal(server.seen.created, 1);
});

test("a refusal is not tried again", async () => {
  const server = serverWith(new ApiError("Unknown agent.", { status: 400, code: "BAD_REQUEST" }));
  await assert.rejects(new Delivery(letter, server).attempt(), /Unknown agent/);
  assert.equal(server.seen.invokes.length, 1);
});

test("a server that asks for a long wait is left to the person", async () => {
  const server = serverWith(new ApiError("Full.", { status: 503, retryAfterMs: 60_000 }));
  await assert.rejects(new Delivery(letter, server).attempt(), /Full/);
  assert.deepEqual(server.seen.pauses, []);
});

test("a message moves to a conversation of its own under a new key", async () => {
  const gone = new ApiError("There is no such workflow.", { status: 404, field: "workflowId" });
  const server = serverWith(gone, session);
  const delivery = new Delivery({ ...letter, workflowId: "workflow-0" }, server);
  await assert.rejects(delivery.attempt());
  delivery.moveToNewWorkflow();
  await delivery.attempt();
  const [first, second] = server.seen.invokes;
  assert.deepEqual([first.workflowId, second.workflowId], ["workflow-0", "workflow-1"]);
  assert.notEqual(first.key, second.key);
});

test("a new conversation gets the template that was chosen, once", async () => {
  const server = serverWith(lost(), session);
  await new Delivery({ ...letter, template: "standard" }, server).attempt();
  assert.deepEqual(server.seen.templates, ["standard"]);
});

test("an answer to a live agent is sent again with the same key, and starts nothing", async () => {
  const sent = [];
  const server = {
    ...serverWith(),
    async sendInput(...input) {
      sent.push(input);
      if (sent.length === 1) throw lost();
    },
  };
  assert.equal(await new Answer({ sessionId: "session-1", message: "yes" }, server).attempt(), null);
  assert.deepEqual(sent[0], sent[1]);
  assert.deepEqual(sent[0].slice(0, 2), ["session-1", "yes"]);
});

test("errors are read from tRPC, from plain JSON and from whatever stands between", async () => {
  const trpc = { error: { message: "No.", code: -32600, data: { code: "BAD_REQUEST", field: "agent" } } };
  const plain = { error: { code: "NOT_FOUND", message: "It never existed." } };
  const read = async (response) => {
    const { message, code, field, status } = await errorOf(response);
    return [message, code, field, status];
  };
  assert.deepEqual(await read(Response.json(trpc, { status: 400 })), ["No.", "BAD_REQUEST", "agent", 400]);
  assert.deepEqual(await read(Response.json(plain, { status: 404 })), ["It never existed.", "NOT_FOUND", "", 404]);
  const proxy = new Response("<html>", { status: 502, statusText: "Bad Gateway" });
  assert.deepEqual(await read(proxy), ["The server answered 502 Bad Gateway.", "", "", 502]);
});
