import assert from "node:assert/strict";
import { test } from "node:test";

import { changedPart, hunksOf, splitRows, unifiedRows } from "../../../webapp/static/js/diff/rows.js";

const HUNK = {
  oldStart: 10,
  newStart: 12,
  section: "def total(items):",
  lines: [[" ", "a"], ["-", "price = 1"], ["-", "gone"], ["+", "price = 2"], [" ", "b"], ["+", "new", [3, "k"]]],
};

const numbers = (rows) => rows.filter(({ kind }) => kind === "line").map(({ cell }) => [cell.mark, cell.old, cell.now]);

test("in one column each line has its numbers in the old and in the new text", () => {
  const rows = unifiedRows([HUNK]);
  assert.deepEqual(rows[0], { kind: "hunk", section: "def total(items):", old: 10, now: 12 });
  assert.deepEqual(numbers(rows), [
    [" ", 10, 12], ["-", 11, null], ["-", 12, null], ["+", null, 13], [" ", 13, 14], ["+", null, 15],
  ]);
  assert.deepEqual(rows.at(-1).cell.runs, [3, "k"]);
});

test("side by side, what was removed is beside what is there in its stead", () => {
  const rows = splitRows([HUNK]).filter(({ kind }) => kind === "pair");
  const shown = rows.map(({ left, right }) => [left?.text ?? null, right?.text ?? null]);
  assert.deepEqual(shown, [["a", "a"], ["price = 1", "price = 2"], ["gone", null], ["b", "b"], [null, "new"]]);
});

test("removed lines after added ones begin a block of their own", () => {
  const hunk = { oldStart: 1, newStart: 1, lines: [["-", "a"], ["+", "b"], ["-", "c"], ["+", "d"]] };
  const pairs = splitRows([hunk]).map(({ left, right }) => [left.text, right.text]);
  assert.deepEqual(pairs, [["a", "b"], ["c", "d"]]);
});

test("the part of a line that changed is known where lines have partners and are alike", () => {
  const of = (lines) => unifiedRows([{ oldStart: 1, newStart: 1, lines }]).map(({ cell }) => cell.changed);
  assert.deepEqual(of([["-", "total = price"], ["+", "total = price * 2"]]), [[13, 13], [13, 17]]);
  assert.deepEqual(of([["-", "import os"], ["+", "x = 3"]]), [null, null]);
  assert.deepEqual(of([["-", "one line"], ["+", "one line"], ["+", "two lines"]]), [null, null, null]);
  assert.equal(changedPart("", "a"), null);
  assert.equal(changedPart("x".repeat(5_000), `${"x".repeat(5_000)}y`), null);
});

test("two texts give hunks without numbers, and with them from a known line on", () => {
  const [hunk] = hunksOf("a\nb\nc\n", "a\nB\nc\n");
  assert.deepEqual(hunk.lines, [[" ", "a"], ["-", "b"], ["+", "B"], [" ", "c"]]);
  assert.deepEqual(numbers(unifiedRows([hunk]))[1], ["-", null, null]);
  assert.deepEqual(numbers(unifiedRows(hunksOf("", "x\ny", 1))), [["+", null, 1], ["+", null, 2]]);
  assert.deepEqual(hunksOf("", ""), []);
});

test("a missing newline belongs to its line, and is no line", () => {
  const lines = [["-", "a"], ["\\", " No newline at end of file"], ["+", "a"]];
  const cells = unifiedRows([{ oldStart: 1, newStart: 1, lines }]).map(({ cell }) => cell);
  assert.deepEqual(cells.map(({ mark, now, hasNoNewline }) => [mark, now, hasNoNewline]), [["-", null, true], ["+", 1, false]]);
});
