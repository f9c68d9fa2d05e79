/**
 * Lines of two texts side by side, or of a unified diff.
 *
 * @typedef {{mark: " " | "+" | "-" | "@", text: string}} DiffLine
 */

/** The lines around a change that are shown. */
const CONTEXT = 3;
/** The table of the common lines has at most so many cells: beyond, all is removed and added. */
const MAX_CELLS = 400_000;

/** @returns {DiffLine[]} */
export function diffOf(before, after) {
  const old = before === "" ? [] : before.replace(/\n$/, "").split("\n");
  const now = after === "" ? [] : after.replace(/\n$/, "").split("\n");
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;

  const same = (lines) => lines.map((text) => ({ mark: " ", text }));
  return [
    ...same(old.slice(0, start).slice(-CONTEXT)),
    ...middle(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...same(old.slice(old.length - end).slice(0, CONTEXT)),
  ];
}

/** By the longest common subsequence of the lines. @returns {DiffLine[]} */
function middle(old, now) {
  const removed = (text) => ({ mark: "-", text });
  const added = (text) => ({ mark: "+", text });
  if (old.length * now.length > MAX_CELLS) return [...old.map(removed), ...now.map(added)];

  const width = now.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row -= 1) {
    for (let column = now.length - 1; column >= 0; column -= 1) {
      const at = row * width + column;
      common[at] = old[row] === now[column]
        ? common[at + width + 1] + 1
        : Math.max(common[at + width], common[at + 1]);
    }
  }

  const lines = [];
  let row = 0;
  let column = 0;
  while (row < old.length && column < now.length) {
    const at = row * width + column;
    if (old[row] === now[column]) {
      lines.push({ mark: " ", text: old[row] });
      row += 1;
      column += 1;
    } else if (common[at + width] >= common[at + 1]) lines.push(removed(old[row++]));
    else lines.push(added(now[column++]));
  }
  return [...lines, ...old.slice(row).map(removed), ...now.slice(column).map(added)];
}

/** @returns {DiffLine[]} */
export function unifiedDiff(text) {
  const lines = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const mark = line[0] ?? " ";
    if (line.startsWith("--- ") || line.startsWith("+++ ") || line.startsWith("\\")) continue;
    if (line.startsWith("@@")) lines.push({ mark: "@", text: line });
    else if (mark === "+" || mark === "-" || mark === " ") lines.push({ mark, text: line.slice(1) });
  }
  return lines;
}

/** How many lines a change adds and removes. @param {DiffLine[]} lines */
export function countOf(lines) {
  const count = (mark) => lines.filter((line) => line.mark === mark).length;
  return { added: count("+"), removed: count("-") };
}
