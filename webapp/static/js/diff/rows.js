/**
 * A diff as the rows that a reader sees: one column, or the old text beside the new one.
 *
 * @typedef {[mark: " " | "+" | "-" | "\\", text: string, runs?: (number | string)[]]} Line
 *   runs: `[length, class, length, class, …]` of its syntax colours; "" has none
 * @typedef {{oldStart: number | null, newStart: number | null, section?: string, lines: Line[]}} Hunk
 *
 * @typedef {object} Cell
 * @property {" " | "+" | "-"} mark
 * @property {number | null} old      its number in the old text
 * @property {number | null} now      its number in the new text
 * @property {string} text
 * @property {(number | string)[]} runs
 * @property {[from: number, to: number] | null} changed  the part that differs from its partner
 * @property {boolean} hasNoNewline
 *
 * @typedef {{kind: "hunk", section: string, old: number | null, now: number | null}} HunkRow
 * @typedef {{kind: "line", cell: Cell} | HunkRow} UnifiedRow
 * @typedef {{kind: "pair", left: Cell | null, right: Cell | null} | HunkRow} SplitRow
 */

import { diffOf } from "../actions/diff.js";

const NO_NEWLINE = "\\";
/** Two lines are taken for one that was changed if this part of the shorter one is in both. */
const ALIKE = 0.3;
/** Words are compared in lines up to this length. */
const MAX_COMPARED = 1_000;

/** @returns {Hunk[]}  of two texts that are at hand; `start`: the number of their first line, if known */
export function hunksOf(before, after, start = null) {
  const lines = diffOf(before, after).map(({ mark, text }) => [mark, text]);
  return lines.length === 0 ? [] : [{ oldStart: start, newStart: start, lines }];
}

/** @param {Hunk[]} hunks @returns {UnifiedRow[]} */
export function unifiedRows(hunks) {
  return hunks.flatMap((hunk) => [...headOf(hunk), ...cellsOf(hunk).map((cell) => ({ kind: "line", cell }))]);
}

/** @param {Hunk[]} hunks @returns {SplitRow[]} */
export function splitRows(hunks) {
  return hunks.flatMap((hunk) => [...headOf(hunk), ...pairsOf(cellsOf(hunk))]);
}

/** Nothing is left out before the first line, nor where lines have no numbers. @returns {HunkRow[]} */
function headOf({ section = "", oldStart, newStart }) {
  const isFirst = (oldStart ?? 1) <= 1 && (newStart ?? 1) <= 1;
  return isFirst ? [] : [{ kind: "hunk", section, old: oldStart, now: newStart }];
}

/** @param {Hunk} hunk @returns {Cell[]} */
function cellsOf({ oldStart, newStart, lines }) {
  let old = oldStart;
  let now = newStart;
  const cells = lines.filter(([mark]) => mark !== NO_NEWLINE).map(([mark, text, runs = []]) => {
    const cell = {
      mark, text, runs, old: mark === "+" ? null : old, now: mark === "-" ? null : now, changed: null, hasNoNewline: false,
    };
    if (mark !== "+" && old !== null) old += 1;
    if (mark !== "-" && now !== null) now += 1;
    return cell;
  });
  noteNewlines(lines, cells);
  for (const { removed, added } of blocksOf(cells)) {
    // Only where each line has its partner is it clear which one it was.
    if (removed.length !== added.length) continue;
    removed.forEach((cell, index) => markChanged(cell, added[index]));
  }
  return cells;
}

/** Git says it after the line that has none at its end. */
function noteNewlines(lines, cells) {
  let index = 0;
  for (const [mark] of lines) {
    const before = cells[index - 1];
    if (mark !== NO_NEWLINE) index += 1;
    else if (before !== undefined) before.hasNoNewline = true;
  }
}

/** Lines that were removed, and what is there in their stead. */
function* blocksOf(cells) {
  let block = { removed: [], added: [] };
  for (const cell of cells) {
    if (cell.mark === "-" && block.added.length === 0) block.removed.push(cell);
    else if (cell.mark === "+") block.added.push(cell);
    else {
      yield block;
      block = { removed: cell.mark === "-" ? [cell] : [], added: [] };
    }
  }
  yield block;
}

function pairsOf(cells) {
  const rows = [];
  let block = { removed: [], added: [] };
  const flush = () => {
    const count = Math.max(block.removed.length, block.added.length);
    for (let index = 0; index < count; index += 1) {
      rows.push({ kind: "pair", left: block.removed[index] ?? null, right: block.added[index] ?? null });
    }
    block = { removed: [], added: [] };
  };
  for (const cell of cells) {
    if (cell.mark === "+") block.added.push(cell);
    else {
      if (cell.mark === " " || block.added.length > 0) flush();
      if (cell.mark === "-") block.removed.push(cell);
      else rows.push({ kind: "pair", left: cell, right: cell });
    }
  }
  flush();
  return rows;
}

function markChanged(removed, added) {
  const part = changedPart(removed.text, added.text);
  if (part === null) return;
  removed.changed = [part.start, removed.text.length - part.end];
  added.changed = [part.start, added.text.length - part.end];
}

/** How much two lines share at their beginnings and ends; null for lines that are not alike. */
export function changedPart(old, now) {
  const shorter = Math.min(old.length, now.length);
  if (shorter === 0 || shorter > MAX_COMPARED) return null;
  let start = 0;
  while (start < shorter && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < shorter - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  const shared = old.slice(0, start).trim().length + old.slice(old.length - end).trim().length;
  return shared < ALIKE * Math.min(old.trim().length, now.trim().length) ? null : { start, end };
}
