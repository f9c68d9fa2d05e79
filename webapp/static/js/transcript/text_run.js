/**
 * How the pieces of a run of messages become one text.
 *
 * A plain line ends where it ends. A partial piece goes on in the next one. An agent that prints
 * JSON messages says nothing about what stands between two of them: words that carry their own
 * spaces are put together as they are, bare words get a space, sentences a paragraph each.
 *
 * @typedef {object} Piece
 * @property {string} content
 * @property {"line" | "partial" | "json"} ending
 */

const PUNCTUATION = /^[,.;:!?)\]}…]/;

/**
 * What stands between a text and the piece that follows it.
 *
 * @param {Piece["ending"]} ending  of the text's last piece
 * @param {Piece} next
 */
export function separator(text, ending, next) {
  if (text === "" && ending !== "line") return "";
  if (ending === "partial") return "";
  if (ending === "line" || next.ending !== "json") return "\n";
  if (next.content === "" || /\s$/.test(text) || /^\s/.test(next.content)) return "";
  if (PUNCTUATION.test(next.content)) return "";
  return /\s/.test(next.content.trim()) ? "\n\n" : " ";
}

/**
 * The piece in a message's data; null when the data is something else than text. What comes as JSON
 * is Markdown, a line that is no JSON is a program's output.
 *
 * @returns {(Piece & {kind: "text" | "output"}) | null}
 */
export function pieceOf(data) {
  if (data === null || typeof data !== "object") return null;
  if (data.type !== undefined && data.type !== "message") return null;
  const content = data.content ?? data.text;
  if (typeof content !== "string") return null;
  const isLine = data.type === undefined;
  const ending = data.partial === true ? "partial" : isLine ? "line" : "json";
  return { content, ending, kind: isLine ? "output" : "text" };
}
