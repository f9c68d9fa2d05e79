import assert from "node:assert/strict";
import { test } from "node:test";

import { factsOf } from "../../../webapp/static/js/view/facts.js";

const SESSION = {
  sessionId: "session-1", workflowId: "workflow-1", stageIndex: 0, agent: "demo", status: "failed", pid: 7,
  exitCode: 0, exitSignal: null, error: null, logPath: "sessions/a/output.log", logBytes: 2_100,
  createdAt: "2026-11-23T21:04:00Z", startedAt: "2026-11-23T21:04:00Z", endedAt: "2026-11-23T21:04:01.100Z",
};

const copied = (session, place = { var: "/srv/var", database: "/srv/var/x.db" }, now = undefined) =>
  Object.fromEntries(factsOf(session, place, now).map(({ name, copy }) => [name, copy]));

test("what a person copies is what a shell or a program takes", () => {
  const facts = copied(SESSION);
  assert.equal(facts.log, "/srv/var/sessions/a/output.log");
  assert.equal(facts.row, `sqlite3 /srv/var/x.db "select * from session_overview where session = 'session-1'"`);
  assert.equal(facts.exit, "0");
  assert.equal(facts.bytes, "2100");
  assert.equal(copied(SESSION, { var: "", database: "/my dir/it's.db" }).row.split(" \"")[0], `sqlite3 '/my dir/it'"'"'s.db'`);
});

test("what is not known is not shown, and a live session's time runs", () => {
  const live = { ...SESSION, status: "running", pid: null, exitCode: null, logPath: null, endedAt: null };
  const facts = copied(live, undefined, "2026-11-23T21:04:05Z");
  assert.ok(!("pid" in facts) && !("exit" in facts) && !("log" in facts) && !("error" in facts));
  assert.equal(facts.duration, "5.0 s");
});

test("what is damaged in a row is named, and nothing is made up for it", () => {
  const damaged = { ...SESSION, endedAt: null, logBytes: null, damaged: ["ended_at", "log_bytes"] };
  const facts = copied(damaged, undefined, "2026-11-23T21:04:05Z");
  assert.equal(facts.damaged, "ended_at, log_bytes");
  assert.ok(!("duration" in facts) && !("bytes" in facts));
  assert.ok(!("damaged" in copied(SESSION)));
});
