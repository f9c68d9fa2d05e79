import assert from "node:assert/strict";
import { test } from "node:test";

import { formatRoute, parseRoute } from "../../../webapp/static/js/route.js";
import { EMPTY_LIST, withNewest, withOlder } from "../../../webapp/static/js/workflows/paged_list.js";
import { isOver, lookOf } from "../../../webapp/static/js/sessions/status.js";

/** A page of items from the newest to the oldest number. */
function page(newest, oldest, nextCursor = null) {
  const items = [];
  for (let number = newest; number >= oldest; number -= 1) items.push({ id: `s${number}` });
  return { items, nextCursor };
}

const ids = (list) => list.items.map(({ id }) => id).join(" ");

test("a refreshed first page takes the place of what it covers", () => {
  const list = withOlder(withNewest(EMPTY_LIST, page(9, 7, "s7")), page(6, 4, "s4"));
  const fresh = withNewest(list, page(10, 8, "s8"));
  assert.equal(ids(fresh), "s10 s9 s8 s7 s6 s5 s4");
  assert.equal(fresh.nextCursor, "s4");
});

test("a first page that covers everything is everything", () => {
  assert.equal(ids(withNewest(page(9, 1), page(3, 2))), "s3 s2");
});

test("when so much is new that the pages do not meet, the list begins anew", () => {
  const fresh = withNewest(page(9, 4, "s4"), page(40, 31, "s31"));
  assert.equal(ids(fresh), ids(page(40, 31)));
  assert.equal(fresh.nextCursor, "s31");
});

test("an older page adds what was not there", () => {
  assert.equal(ids(withOlder(page(9, 7, "s7"), page(7, 5))), "s9 s8 s7 s6 s5");
});

test("a route survives the way through the URL", () => {
  const route = { workflowId: "workflow-1-a", sessionId: "session-1-b", approvalId: "session-1-b.2" };
  assert.deepEqual(parseRoute(formatRoute(route)), route);
  const nothing = { workflowId: null, sessionId: null, approvalId: null };
  assert.deepEqual(parseRoute(""), nothing);
  assert.deepEqual(parseRoute("#session=%3Cscript%3E&approval=%00&workflow=" + "a".repeat(200)), nothing);
});

test("each status has a word, an icon and an end or none", () => {
  for (const status of ["succeeded", "failed", "cancelled", "timed_out", "lost"]) assert.ok(isOver(status), status);
  for (const status of ["starting", "running", "paused by a later version"]) assert.ok(!isOver(status), status);
  assert.equal(lookOf("timed_out").word, "Timed out");
  assert.equal(lookOf("another").word, "another");
});
