/**
 * How texts become one: the rule of `webapp/log/joining.py`. A whole message is a block of its own, so
 * that its code fences and lists end with it.
 *
 * @typedef {{content: string, ending: "line" | "partial" | "piece" | "whole"}} Piece
 */

export function goesOn(ending, next) {
  if (next.ending === "piece") return ending === "piece";
  return next.ending !== "whole" && (ending === "line" || ending === "partial");
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
  const isPartial = data.partial === true;
  if (data.type === undefined) return { content, kind: "output", ending: isPartial ? "partial" : "line" };
  return { content, kind: "text", ending: isPartial ? "piece" : "whole" };
}

/** What a whole message says beyond its pieces; null when they are no pieces of it. */
export function restOf(whole, draft) {
  // A reader who began in the middle has its end; one who saw a failed try has more.
  if (draft.endsWith(whole) || whole.endsWith(draft)) return "";
  return whole.startsWith(draft) ? whole.slice(draft.length) : null;
}
