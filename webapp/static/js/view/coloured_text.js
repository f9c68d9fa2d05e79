/** The colours in which a program printed its words. */

import { spansOf } from "../transcript/ansi.js";
import { visible } from "../transcript/plain_text.js";

/** A program's own colour, adjusted for contrast. */
const readable = (colour) =>
  `light-dark(oklch(from ${colour} min(l, 0.5) c h), oklch(from ${colour} max(l, 0.75) c h))`;

/** @returns {(Text | HTMLElement)[]} */
export function colouredText(text) {
  return spansOf(text).map(spanFor);
}

function spanFor({ text: printed, look }) {
  const text = visible(printed);
  if (look === null) return document.createTextNode(text);
  const span = document.createElement("span");
  span.textContent = text;
  const [fg, bg] = look.inverse ? [look.bg ?? "ground", look.fg ?? "ink"] : [look.fg, look.bg];
  paint(span, "fg", fg);
  paint(span, "bg", bg);
  for (const name of ["bold", "dim", "italic", "underline", "strike"]) {
    if (look[name]) span.classList.add(name);
  }
  return span;
}

/** @param {string | null} colour  of the palette, or "#rrggbb" */
function paint(span, side, colour) {
  if (colour === null) return;
  const isOwn = colour.startsWith("#");
  const ours = isOwn ? colour : `var(--ansi-${colour})`;
  if (side === "fg") {
    span.style.color = isOwn ? readable(colour) : ours;
  } else {
    span.style.background = ours;
    span.style.color ||= "var(--sunken)";
  }
}
