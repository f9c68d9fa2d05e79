import assert from "node:assert/strict";
import { test } from "node:test";

import { apiFields, formatQuery, hasCounts, isFiltered, parseQuery } from "../../../webapp/static/js/session_list/query.js";

const NOW = Date.parse("2026-11-23T21:04:00.000Z");

test("a query is what its URL says, and back", () => {
  for (const search of [
    "",
    "?status=failed%2Clost&text=a+b&agent=claude&project=team%2Fsite&workflow=workflow-1&sort=longest&cursor=9.session-1",
    "?since=24h",
    "?since=range&from=2026-11-23T00%3A00&to=2026-11-24T00%3A00",
  ]) {
    assert.equal(formatQuery(parseQuery(search)), search);
  }
});

test("what makes no sense in a URL is left out", () => {
  assert.equal(formatQuery(parseQuery("?status=%3Cb%3E,lost&since=1y&sort=best&from=x&page=3")), "?status=lost");
});

test("the API is asked for what is wanted and nothing else", () => {
  assert.deepEqual(apiFields(parseQuery(""), NOW), { limit: 50, include: "titles" });
  assert.deepEqual(apiFields(parseQuery("?status=lost&since=1h&text=+go+&project=shop&workflow=w&sort=oldest"), NOW), {
    limit: 50,
    include: "titles",
    status: "lost",
    text: "go",
    project: "shop",
    workflowId: "w",
    from: "2026-11-23T20:04:00.000Z",
    sort: "oldest",
  });
});

test("a range of times is local, and may be open", () => {
  const { from, to } = apiFields(parseQuery("?since=range&from=2026-11-23T10:00"), NOW);
  assert.deepEqual([from, to], ["2026-11-23T10:00:00.000Z", undefined]);
});

test("counts by status stand for the list only while nothing else narrows it down", () => {
  assert.equal(hasCounts(parseQuery("?status=lost&agent=claude&sort=oldest")), true);
  for (const search of ["?text=a", "?since=1h", "?workflow=w"]) {
    assert.equal(hasCounts(parseQuery(search)), false);
    assert.equal(isFiltered(parseQuery(search)), true);
  }
  assert.equal(isFiltered(parseQuery("?sort=oldest&cursor=x")), false);
});
