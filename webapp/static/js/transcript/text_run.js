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

const TEXT_KEYS = ["text", "content", "response", "message", "delta"];
const HOLDER_KEYS = ["message", "part", "item", "delta", "data", "content"];

/** The text that an event of any name has where programs usually have it: the rule of `log/dialects/plain.py`. */
export function textIn(data, depth = 2) {
  if (data === null || typeof data !== "object" || Array.isArray(data)) return null;
  for (const key of TEXT_KEYS) {
    const value = data[key];
    if (typeof value === "string" && value !== "") return value;
    const texts = Array.isArray(value) ? value.map((block) => block?.text).filter((text) => typeof text === "string" && text) : [];
    if (texts.length > 0) return texts.join("\n");
  }
  if (depth === 0) return null;
  for (const key of HOLDER_KEYS) {
    const text = textIn(data[key] ?? null, depth - 1);
    if (text !== null) return text;
  }
  return null;
}

/** Such an event as the message that it is, or null. */
export function messageIn(name, data) {
  const content = textIn(data);
  if (content === null) return null;
  const isUsers = [name, data.role, data.message?.role].includes("user");
  const isPiece = data.partial === true || data.delta !== undefined || /delta|chunk/i.test(name);
  return { type: "message", content, ...(isUsers ? { role: "user" } : isPiece ? { partial: true } : {}) };
}

/** What a whole message says beyond its pieces; null when they are no pieces of it. */
export function restOf(whole, draft) {
  // A reader who began in the middle has its end; one who saw a failed try has more.
  if (draft.endsWith(whole) || whole.endsWith(draft)) return "";
  return whole.startsWith(draft) ? whole.slice(draft.length) : null;
}
