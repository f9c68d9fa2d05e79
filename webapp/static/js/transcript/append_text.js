/** Appends text to a transcript, in blocks of bounded size. */

import { weightOfText } from "./blocks.js";
import { MAX_BLOCK_TEXT, SPLIT_TEXT_AT, wholeUpTo } from "./limits.js";
import { readable } from "./plain_text.js";
import { isEdit, written } from "./screen.js";
import { goesOn } from "./text_run.js";

/** @typedef {import("./blocks.js").TextBlock & import("./blocks.js").Counted} TextBlock */

/** Put a piece at the end of the text that is open, or begin one. @param {TextBlock["kind"]} kind */
export function appendText(transcript, kind, piece) {
  // Escapes in what a program prints are shown: see ansi.js.
  const content = kind === "text" ? readable(piece.content) : piece.content;
  const open = kind === "text" ? transcript.openText : transcript.last;
  if (open?.kind === kind && goesOn(open.ending, piece)) {
    const between = open.ending === "line" ? "\n" : "";
    const isBlank = open.text === "" && !open.continued;
    if (isBlank) open.lead += between;
    write(transcript, open, (isBlank ? "" : between) + content, piece.ending);
    return;
  }
  const text = kind === "text" ? content.replace(/^\n+/, "") : content;
  if (piece.ending === "whole" && text.trim() === "") return;
  const lead = "\n".repeat(content.length - text.length);
  const block = begin(transcript, kind, { continued: false, opening: "", begins: piece.ending, lead });
  write(transcript, block, text, piece.ending);
}

/** No piece goes on with the open text. */
export function endText(transcript) {
  if (transcript.openText !== null) transcript.openText.ending = "whole";
  transcript.openText = null;
}

function write(transcript, first, text, ending) {
  let block = first;
  let rest = text;
  if (block.kind !== "text" && isEdit(block.text, rest)) {
    rest = written(block.text, rest);
    transcript.touch(block, -weightOfText(block.text));
    block.text = "";
  }
  for (let end = endFor(block, rest); end !== -1; end = endFor(block, rest)) {
    grow(transcript, block, rest.slice(0, end));
    block.ending = block.kind === "text" ? "whole" : "line";
    rest = rest.slice(rest[end] === "\n" ? end + 1 : end);
    const opening = block.kind === "text" ? openFence(block) : "";
    block = begin(transcript, block.kind, { continued: true, opening, begins: ending, lead: "" });
  }
  grow(transcript, block, rest);
  block.ending = ending;
  transcript.openText = ending === "piece" ? block : null;
}

/** Where in `text` a block that is long enough can be left for a new one; -1 when not yet. */
function endFor(block, text) {
  const length = block.text.length;
  if (length + text.length <= SPLIT_TEXT_AT) return -1;
  const from = Math.max(0, SPLIT_TEXT_AT - length);
  const most = MAX_BLOCK_TEXT - length;

  const pause = text.indexOf(block.kind === "text" ? "\n\n" : "\n", from);
  if (pause !== -1 && pause <= most) return pause;
  if (text.length <= most) return -1;
  const lineEnd = text.lastIndexOf("\n", most);
  return lineEnd > 0 ? lineEnd : wholeUpTo(text, most);
}

/** The line that opened the code block in which a text ends, or "". */
function openFence({ opening, text }) {
  let open = opening;
  for (const [line, mark = ""] of text.matchAll(/^ {0,3}(`{3,}|~{3,}).*$/gm)) {
    if (open === "") open = line.trim();
    else if (line.trim() === mark && open.startsWith(mark)) open = "";
  }
  return open;
}

function grow(transcript, block, text) {
  block.text += text;
  transcript.touch(block, weightOfText(text));
}

function begin(transcript, kind, start) {
  return transcript.add({ kind, text: "", ending: "line", ...start });
}
