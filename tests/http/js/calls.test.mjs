/** Every procedure by every link, and how errors reach a stock client. */

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { called, errorOf, follow, LINK_NAMES, makeClient, waitFor } from "./trpc.mjs";

after(() => {
  assert.deepEqual([...called].sort(), JSON.parse(process.env.PROCEDURES).sort());
});

for (const linkName of LINK_NAMES) {
  const client = makeClient(linkName);
  const { workflow, session } = client;

  test(`${linkName}: a workflow goes from its first message to its end`, async () => {
    const made = await workflow.create.mutate({ template: "standard", initialMessage: "Begin." });
    const workflowId = made.id;
    assert.equal(made.stages.length, 4);
    assert.deepEqual(await workflow.get.query(workflowId), made);
    const listed = await workflow.list.query({ limit: 200 });
    assert.ok(listed.workflows.some(({ id }) => id === workflowId));

    const following = follow(client, { workflowId });
    const sent = await workflow.sendMessage.mutate({ workflowId, content: "é\u2028😀\n" });
    assert.equal(sent.content, "é\u2028😀\n");
    const opened = await workflow.satisfyGate.mutate({ workflowId, stageIndex: 0 });
    assert.deepEqual(opened.stages[0].gate, { type: "human_approval", satisfied: true });
    assert.equal((await workflow.advance.mutate({ workflowId })).currentStage, 1);
    assert.equal((await workflow.pause.mutate({ workflowId })).status, "paused");
    assert.equal((await workflow.resume.mutate({ workflowId })).status, "active");
    const status = "completed";
    const title = "Mend the clock";
    assert.equal((await workflow.rename.mutate({ workflowId, title })).title, title);
    assert.ok((await workflow.pin.mutate({ workflowId, pinned: true })).pinnedAt);
    assert.ok((await workflow.archive.mutate({ workflowId, archived: true })).archivedAt);
    assert.equal((await workflow.archive.mutate({ workflowId, archived: false })).archivedAt, null);
    assert.equal((await workflow.updateStatus.mutate({ workflowId, status })).status, status);

    const { messages } = await workflow.getHistory.query({ workflowId });
    await waitFor(() => following.contents.length === messages.length);
    following.stop();
    assert.deepEqual(following.contents, messages.map(({ content }) => content));
    assert.deepEqual(following.ids, messages.map(({ id }) => String(id)));
    assert.deepEqual(following.errors, []);

    await workflow.delete.mutate({ workflowId });
    assert.equal((await errorOf(workflow.get.query(workflowId))).data.code, "NOT_FOUND");
  });

  test(`${linkName}: a conversation works in a project, and its worktree ends`, async () => {
    const { projects } = await client.project.list.query();
    assert.deepEqual(projects.map(({ name }) => name), ["shop"]);
    for (const end of ["merge", "keep", "discard"]) {
      const made = await workflow.create.mutate({ project: "shop", worktree: true });
      const invocation = { workflowId: made.id, agent: "writes", message: "x" };
      const { sessionId } = await workflow.invokeAgent.mutate(invocation);
      await waitFor(async () => (await session.get.query({ sessionId })).status === "succeeded");
      const { files } = await session.changes.query({ sessionId });
      assert.deepEqual(files.map(({ path, added }) => [path, added]), [["note", 1]]);
      const { hunks } = await session.diff.query({ sessionId, path: files[0].key });
      assert.equal(hunks.length, 1);

      const { worktrees } = await client.worktree.list.query();
      assert.ok(worktrees.some(({ workflowId }) => workflowId === made.id));
      const ended = { workflowId: made.id, ...(end === "discard" && { evenUntaken: true }) };
      const { worktree } = await client.worktree[end].mutate(ended);
      assert.equal(worktree.outcome, { merge: "merged", keep: "kept", discard: "discarded" }[end]);
    }
  });

  test(`${linkName}: a session runs and is cancelled, with its workflow or alone`, async () => {
    for (const end of ["cancel", "discard", "alone"]) {
      const { id: workflowId } = await workflow.create.mutate();
      const message = "sleep 600";
      const started = await workflow.invokeAgent.mutate({ workflowId, message });
      assert.equal(started.status, "running");
      const { sessionId } = started;
      const { sessions } = await session.list.query({ workflowId });
      assert.deepEqual(sessions.map((found) => found.sessionId), [sessionId]);

      if (end === "alone") await session.cancel.mutate({ sessionId });
      else await workflow[end].mutate({ workflowId });
      const ended = await waitFor(async () => {
        const found = await session.get.query({ sessionId });
        return !["starting", "running"].includes(found.status) && found;
      });
      assert.equal(ended.status, "cancelled");
    }
  });

  test(`${linkName}: a live agent reads what is sent, once`, async () => {
    const { id: workflowId } = await workflow.create.mutate();
    const agent = "demo-dialogue";
    const { sessionId } = await workflow.invokeAgent.mutate({ workflowId, agent, message: "hi" });
    const answers = [["Ada", "1"], ["count 2", "2"], ["count 2", "2"], ["bye", "3"]];
    for (const [content, idempotencyKey] of answers) {
      await session.sendInput.mutate({ sessionId, content, idempotencyKey });
    }
    await waitFor(async () => (await session.get.query({ sessionId })).status === "succeeded");
    const response = await fetch(`${process.env.SERVER_URL}/api/sessions/${sessionId}/log`);
    const log = await response.text();
    assert.deepEqual(log.match(/(?<= stdin F ).*/g), ["Ada", "count 2", "bye"]);
    assert.equal(log.match(/line 2 of 2/g).length, 1);

    const error = await errorOf(session.sendInput.mutate({ sessionId, content: "more" }));
    assert.deepEqual([error.data.code, error.data.field], ["CONFLICT", "sessionId"]);
  });

  test(`${linkName}: a conversation asks, is answered, changes and is interrupted`, async () => {
    const { id: workflowId } = await workflow.create.mutate();
    const invocation = { workflowId, agent: "demo-talk", message: "approve" };
    const { sessionId } = await workflow.invokeAgent.mutate(invocation);
    const heard = [];
    const following = client.approval.onChange.subscribe({}, {
      onData: (event) => heard.push((event.data ?? event).approvals.map(({ id }) => id)),
    });
    const open = await waitFor(async () => {
      const { approvals } = await client.approval.list.query({});
      return approvals.find((found) => found.sessionId === sessionId);
    });
    await waitFor(() => heard.some((ids) => ids.includes(open.id)));
    const [{ id: option }] = open.options;
    const answer = { sessionId, approvalId: open.id, option };
    assert.equal((await session.answer.mutate(answer)).outcome, "allowed");
    assert.equal((await errorOf(session.answer.mutate(answer))).data.code, "CONFLICT");
    await waitFor(() => !heard.at(-1).includes(open.id));
    following.unsubscribe();

    const mode = "acceptEdits";
    assert.equal((await session.setMode.mutate({ sessionId, mode })).mode, mode);
    assert.ok((await session.setModel.mutate({ sessionId, model: "demo-1" })).model);
    await waitFor(async () => (await session.get.query({ sessionId })).state === "idle");
    await session.sendInput.mutate({ sessionId, content: "slow" });
    await waitFor(async () => (await session.get.query({ sessionId })).state === "working");
    const messageId = crypto.randomUUID();
    const later = { sessionId, content: "later", idempotencyKey: messageId };
    await session.sendInput.mutate(later);
    assert.equal((await session.cancelMessage.mutate({ sessionId, messageId })).cancelled, true);
    assert.equal((await session.interrupt.mutate({ sessionId })).interrupted, true);
    await session.cancel.mutate({ sessionId });

    const keys = [`${sessionId}/nothing`];
    assert.ok(await client.notice.markHeard.mutate({ keys }));
    assert.ok(await client.notice.markSeen.mutate({ workflowId }));
  });

  test(`${linkName}: an error carries code, status, path and field`, async () => {
    const cases = [
      [() => workflow.get.query("workflow-0"), "workflow.get", "NOT_FOUND", "workflowId"],
      [() => workflow.create.mutate({ template: "x" }), "workflow.create", "BAD_REQUEST", "template"],
      [() => session.get.query({}), "session.get", "BAD_REQUEST", "sessionId"],
      [() => workflow.nothing.query(), "workflow.nothing", "NOT_FOUND", undefined],
    ];
    const numbers = { NOT_FOUND: [404, -32004], BAD_REQUEST: [400, -32600] };
    for (const [call, path, code, field] of cases) {
      const [httpStatus, number] = numbers[code];
      const error = await errorOf(call());
      assert.equal(error.name, "TRPCClientError");
      assert.ok(error.message.length > 10);
      assert.equal(error.shape.code, number);
      const expected = { code, httpStatus, path };
      assert.deepEqual(error.data, field === undefined ? expected : { ...expected, field });
    }
    called.delete("workflow.nothing");
  });
}

for (const linkName of ["httpBatchLink", "httpBatchStreamLink"]) {
  test(`${linkName}: of several calls in one request the bad one fails alone`, async () => {
    const { workflow } = makeClient(linkName);
    const { id } = await workflow.create.mutate();
    const [good, bad, alsoGood] = await Promise.allSettled([
      workflow.get.query(id),
      workflow.get.query("workflow-0"),
      workflow.list.query({ limit: 1 }),
    ]);
    assert.equal(good.value.id, id);
    assert.equal(alsoGood.value.workflows.length, 1);
    assert.equal(bad.reason.data.field, "workflowId");
    const { response } = bad.reason.meta;
    assert.equal(response.status, linkName === "httpBatchLink" ? 207 : 200);
    assert.match(response.url, /workflow\.get,workflow\.get,workflow\.list\?batch=1/);
  });

  test(`${linkName}: a batch that is refused as a whole fails for each call`, async () => {
    const { workflow } = makeClient(linkName);
    const calls = Array.from({ length: 101 }, () => workflow.list.query());
    for (const { reason } of await Promise.allSettled(calls)) {
      assert.equal(reason.data.code, "BAD_REQUEST");
    }
  });
}

test("httpBatchStreamLink: many answers come in the order of their calls", async () => {
  const { workflow } = makeClient("httpBatchStreamLink");
  const order = [];
  const calls = Array.from({ length: 20 }, (_, number) =>
    workflow.create.mutate({ requestId: String(number) }).then((made) => order.push(made.requestId)),
  );
  await Promise.all(calls);
  assert.deepEqual(order, Array.from({ length: 20 }, (_, number) => String(number)));
});
