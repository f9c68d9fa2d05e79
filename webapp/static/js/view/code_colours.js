/** Syntax colours for code, from the server: loaded with the first code that has come whole. */

import { postJson } from "../api/requests.js";
import { visible } from "../transcript/plain_text.js";

const MAX_LETTERS = 30_000;
const MAX_KEPT = 200;

/** What was asked for lately. @type {Map<string, Promise<(number | string)[][]>>} */
const asked = new Map();

/** The text in pieces of one colour each; null: it has none. @returns {Promise<DocumentFragment | null>} */
export async function coloured(language, text) {
  if (text.length > MAX_LETTERS) return null;
  const lines = await linesOf(language, text);
  return lines.some((runs) => runs.length > 0) ? fragmentOf(text, lines) : null;
}

function linesOf(language, text) {
  const key = `${language}\n${text}`;
  const known = asked.get(key) ?? postJson("/api/colours", { language, text }).then(({ lines }) => lines);
  asked.delete(key);
  asked.set(key, known);
  known.catch(() => asked.delete(key));
  if (asked.size > MAX_KEPT) asked.delete(asked.keys().next().value ?? "");
  return known;
}

function fragmentOf(text, lines) {
  const fragment = document.createDocumentFragment();
  text.split("\n").forEach((line, index) => {
    const runs = lines[index] ?? [];
    let start = 0;
    for (let at = 0; at + 1 < runs.length; at += 2) {
      const end = start + Number(runs[at]);
      fragment.append(piece(line.slice(start, end), runs[at + 1]));
      start = end;
    }
    fragment.append(`${visible(line.slice(start))}${index === lines.length - 1 ? "" : "\n"}`);
  });
  return fragment;
}

function piece(text, colour) {
  if (colour === "") return visible(text);
  const element = document.createElement("span");
  element.dataset.colour = String(colour);
  element.textContent = visible(text);
  return element;
}
