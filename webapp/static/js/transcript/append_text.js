/** Text into a transcript: runs of messages and of stderr, each block of them bounded. */

import { MAX_BLOCK_TEXT, SPLIT_TEXT_AT, cut } from "./limits.js";
import { readable } from "./plain_text.js";
import { separator } from "./text_run.js";

/**
 * Put a piece at the end of the run that is going on, or begin one.
 *
 * @param {import("./transcript.js").Transcript} transcript
 * @param {"text" | "stderr"} kind
 * @param {import("./text_run.js").Piece} piece
 */
export function appendText(transcript, kind, piece) {
  const next = { ...piece, content: readable(piece.content) };
  const last = transcript.last;
  if (last === undefined || last.kind !== kind) {
    begin(transcript, kind, next.content.replace(/^\n+/, ""), next.ending, false);
    return;
  }

  const isBlank = last.text === "" && !last.continued;
  const text = isBlank ? next.content : separator(last.text, last.ending, next) + next.content;
  const end = lineEndFor(last, text);
  if (end === -1) {
    grow(transcript, last, text, next.ending);
    return;
  }
  grow(transcript, last, text.slice(0, end), "line");
  begin(transcript, kind, text.slice(end + 1), next.ending, true);
}

/**
 * Where a block that is long enough can be left for a new one; -1 when nowhere.
 *
 * @param {import("./blocks.js").TextBlock} block
 * @param {string} text
 */
function lineEndFor(block, text) {
  return block.text.length + text.length > SPLIT_TEXT_AT ? text.indexOf("\n") : -1;
}

/**
 * @param {import("./transcript.js").Transcript} transcript
 * @param {import("./blocks.js").TextBlock} block
 * @param {string} text
 * @param {import("./text_run.js").Piece["ending"]} ending
 */
function grow(transcript, block, text, ending) {
  // After a cut nothing is taken up again: the text must not go on as if nothing were missing.
  const kept = cut(text, block.omitted > 0 ? 0 : MAX_BLOCK_TEXT - block.text.length);
  block.text += kept.text;
  block.omitted += kept.omitted;
  block.ending = ending;
  transcript.touch(block);
}

/**
 * @param {import("./transcript.js").Transcript} transcript
 * @param {"text" | "stderr"} kind
 * @param {string} text
 * @param {import("./text_run.js").Piece["ending"]} ending
 * @param {boolean} continued
 */
function begin(transcript, kind, text, ending, continued) {
  transcript.add({ kind, ...cut(text), continued, ending });
}
