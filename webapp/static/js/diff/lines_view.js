/** Rows of a diff as elements. Line numbers are no text: who copies lines gets the lines. */

import { visible } from "../transcript/plain_text.js";

/** @typedef {import("./rows.js").Cell} Cell */

/**
 * @param {(import("./rows.js").UnifiedRow | import("./rows.js").SplitRow)[]} rows
 * @param {{isSplit?: boolean, canComment?: boolean}} options  canComment: each line's number is a button
 */
export function drawRows(rows, { isSplit = false, canComment = false } = {}) {
  const element = document.createElement("div");
  element.className = "lines";
  element.toggleAttribute("data-pairs", isSplit);
  element.append(...rows.map((row) => drawRow(row, canComment)));
  return element;
}

function drawRow(row, canComment) {
  const element = document.createElement("div");
  if (row.kind === "hunk") {
    element.className = "line-hunk";
    element.textContent = row.section === "" ? "⋯" : `⋯ ${visible(row.section)}`;
  } else if (row.kind === "line") {
    element.className = "line";
    element.dataset.mark = row.cell.mark;
    element.append(...unified(row.cell, canComment));
  } else {
    element.className = "line-pair";
    element.append(half(row.left, "old", canComment), half(row.right, "now", canComment));
  }
  return element;
}

function unified(cell, canComment) {
  const isRemoved = cell.mark === "-";
  return [
    number(cell.old, isRemoved && canComment ? cell : null),
    number(cell.now, !isRemoved && canComment ? cell : null),
    code(cell),
  ];
}

/** One side of a pair; a line that is in both has its comments on the new one. */
function half(cell, side, canComment) {
  const element = document.createElement("div");
  element.className = "line-half";
  if (cell === null) {
    element.dataset.mark = "none";
    return element;
  }
  element.dataset.mark = cell.mark;
  const isCommented = canComment && (side === "now" || cell.mark === "-");
  element.append(number(cell[side], isCommented ? cell : null), code(cell));
  return element;
}

function number(value, commented) {
  if (commented === null || value === null) {
    const element = document.createElement("span");
    element.className = "line-number";
    if (value !== null) element.dataset.number = `${value}`;
    return element;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "line-number";
  button.dataset.number = `${value}`;
  button.dataset.side = commented.mark === "-" ? "old" : "new";
  button.dataset.commentOn = `${value}`;
  button.setAttribute("aria-label", `Comment on ${commented.mark === "-" ? "removed " : ""}line ${value}`);
  return button;
}

function code(cell) {
  const element = document.createElement("code");
  element.className = "line-text";
  element.dataset.sign = { "+": "+", "-": "−" }[cell.mark] ?? "";
  element.append(...pieces(cell));
  if (cell.hasNoNewline) element.dataset.note = "no newline at the end";
  return element;
}

/** The text in pieces of one look each. */
function* pieces({ text, runs, changed }) {
  const [from, to] = changed ?? [text.length, text.length];
  let start = 0;
  const takeUntil = function* (end, colour) {
    const cuts = [Math.min(Math.max(from, start), end), Math.min(Math.max(to, start), end), end];
    for (const cut of cuts) {
      if (cut > start) yield piece(text.slice(start, cut), colour, start >= from && cut <= to);
      start = Math.max(start, cut);
    }
  };
  for (let index = 0; index + 1 < runs.length; index += 2) {
    yield* takeUntil(Math.min(text.length, start + Number(runs[index])), runs[index + 1]);
  }
  yield* takeUntil(text.length, "");
}

function piece(text, colour, isChanged) {
  const shown = visible(text);
  if (colour === "" && !isChanged) return document.createTextNode(shown);
  const element = document.createElement(isChanged ? "mark" : "span");
  if (colour !== "") element.dataset.colour = colour;
  element.textContent = shown;
  return element;
}
