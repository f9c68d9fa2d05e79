/** One changed file as a section of the list: its head, and its diff in pieces once it is open. */

import { drawRows } from "../diff/lines_view.js";
import { splitRows, unifiedRows } from "../diff/rows.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, setText } from "../view/dom.js";

/** Rows that come and go together while one scrolls. */
const ROWS = 25;
const ROW_PX = 24;
const WORDS = { added: "new", deleted: "deleted", renamed: "renamed", retyped: "another kind" };

/**
 * @typedef {object} ChangedFile  as webapp/http/session_changes.py has it
 * @property {string} path
 * @property {string} key
 * @property {string | null} oldPath
 * @property {string} status
 * @property {"file" | "link" | "submodule" | "large"} kind
 * @property {number | null} added
 * @property {number | null} removed
 * @property {boolean} isBinary
 * @property {boolean | null} isProgram
 *
 * @typedef {{file: ChangedFile, isOpen: boolean, hunks: any[] | null, isCut: boolean, problem: string}} Shown
 *
 * @typedef {object} SectionHooks
 * @property {() => void} onToggle
 * @property {() => void} onWanted  its diff comes into sight, and is not there
 */

/** @param {Shown} shown @param {boolean} isSplit @param {SectionHooks} hooks */
export function fileSection(shown, isSplit, hooks, number) {
  const { file, isOpen, hunks } = shown;
  const rows = !isOpen || hunks === null ? [] : isSplit ? splitRows(hunks) : unifiedRows(hunks);
  const count = Math.ceil(rows.length / ROWS);
  return {
    key: `${number}/${file.key}`,
    firstId: 1,
    endId: count + 1,
    leadGuess: 40,
    footGuess: 0,
    guess: (id) => Math.min(ROWS, rows.length - (id - 1) * ROWS) * ROW_PX,
    versionOf: () => 0,
    draw(part) {
      const element =
        part === "lead" ? head(shown, hooks) : part === "foot" ? foot(shown) : piece(shown, rows, part, isSplit);
      return { element, update: () => undefined };
    },
    onNear() {
      if (isOpen && hunks === null && shown.problem === "") hooks.onWanted();
    },
  };
}

function piece({ file }, rows, id, isSplit) {
  const element = drawRows(rows.slice((id - 1) * ROWS, id * ROWS), { isSplit, canComment: true });
  element.dataset.path = file.path;
  return element;
}

function head({ file, isOpen }, { onToggle }) {
  const element = copyOf("changed-file");
  const path = visible(file.path);
  const cut = path.lastIndexOf("/") + 1;
  element.setAttribute("aria-expanded", `${isOpen}`);
  element.title = path;
  setText(element, "old", file.oldPath === null ? "" : `${visible(file.oldPath)} → `);
  setText(element, "folder", path.slice(0, cut));
  setText(element, "name", path.slice(cut));
  setText(element, "word", wordsOf(file).join(", "));
  setText(element, "added", file.added === null ? "" : `+${file.added}`);
  setText(element, "removed", file.removed === null ? "" : `−${file.removed}`);
  element.addEventListener("click", onToggle);
  return element;
}

function wordsOf({ status, kind, isBinary, isProgram }) {
  const words = [WORDS[status], kind === "link" || kind === "submodule" ? kind : undefined];
  if (kind === "large") words.push("too large to show");
  if (isBinary) words.push("binary");
  if (isProgram !== null) words.push(isProgram ? "can be run now" : "can be run no longer");
  return words.filter((word) => word !== undefined);
}

function foot({ file, isOpen, hunks, isCut, problem }) {
  const element = document.createElement("p");
  element.className = "file-foot";
  if (isOpen) element.textContent = footText(file, hunks, isCut, problem);
  return element;
}

function footText(file, hunks, isCut, problem) {
  if (problem !== "") return problem;
  if (file.kind === "large") return "This file is too large to be compared.";
  if (file.isBinary) return "A binary file: it is not shown.";
  if (hunks === null) return "Loading…";
  if (isCut) return "The diff is too large: the rest of it is not shown.";
  return hunks.length === 0 ? "No line has changed." : "";
}
