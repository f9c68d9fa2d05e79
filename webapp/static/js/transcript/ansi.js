/**
 * What a program prints for a terminal, as spans of one look each: SGR is kept, what moves the
 * cursor is obeyed (screen.js), every other escape is dropped (ECMA-48, sections 5 and 8.3.117; xterm's 256 and direct colours).
 *
 * @typedef {object} Look
 * @property {string | null} fg  "0" to "15" of the palette, or "#rrggbb"
 * @property {string | null} bg
 * @property {boolean} bold
 * @property {boolean} dim
 * @property {boolean} italic
 * @property {boolean} underline
 * @property {boolean} inverse
 * @property {boolean} strike
 *
 * @typedef {{text: string, look: Look | null}} Span  null: as it is without any escape
 */

import { ESCAPES, pictured } from "./plain_text.js";
import { isEdit, settled } from "./screen.js";

/** @type {Look} */
const PLAIN = {
  fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false,
  strike: false,
};

/** @type {Map<number, Partial<Look>>} */
const CODES = new Map([
  [0, PLAIN],
  [1, { bold: true }], [2, { dim: true }], [22, { bold: false, dim: false }],
  [3, { italic: true }], [23, { italic: false }],
  [4, { underline: true }], [24, { underline: false }],
  [7, { inverse: true }], [27, { inverse: false }],
  [9, { strike: true }], [29, { strike: false }],
  [39, { fg: null }], [49, { bg: null }],
]);

const SGR = /^\x1B\[([\d;:]*)m$/;

export function spansOf(printed) {
  const text = (isEdit("", printed) ? settled(printed) : printed).replace(/\r+(\n|$)/g, "$1");
  const spans = [];
  let look = PLAIN;
  let start = 0;
  for (const { 0: escape, index } of text.matchAll(ESCAPES)) {
    push(spans, text.slice(start, index), look);
    start = index + escape.length;
    const sgr = SGR.exec(escape);
    if (sgr !== null) look = changed(look, sgr[1] ?? "");
  }
  push(spans, text.slice(start), look);
  return spans.map(({ text: raw, look: kept }) => ({ text: pictured(raw), look: kept }));
}

function push(spans, text, look) {
  if (text !== "") spans.push({ text, look: look === PLAIN ? null : look });
}

function changed(look, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  let next = look;
  for (let at = 0; at < codes.length; at += 1) {
    const code = codes[at] ?? 0;
    const known = CODES.get(code);
    if (known !== undefined) {
      next = known === PLAIN ? PLAIN : { ...next, ...known };
    } else if (code === 38 || code === 48) {
      const { colour, used } = extended(codes.slice(at + 1));
      next = { ...next, [code === 38 ? "fg" : "bg"]: colour };
      at += used;
    } else {
      next = { ...next, ...paletteOf(code) };
    }
  }
  return next;
}

/** 30 to 37, 40 to 47 and their bright kin. */
function paletteOf(code) {
  const digit = code % 10;
  if (digit > 7) return {};
  if (code >= 30 && code < 40) return { fg: String(digit) };
  if (code >= 40 && code < 50) return { bg: String(digit) };
  if (code >= 90 && code < 100) return { fg: String(digit + 8) };
  if (code >= 100 && code < 108) return { bg: String(digit + 8) };
  return {};
}

/** `5;n` or `2;r;g;b` @param {number[]} codes */
function extended([kind, ...rest]) {
  if (kind === 5) return { used: 2, colour: indexed(rest[0] ?? 0) };
  if (kind === 2) return { used: 4, colour: hex(rest.slice(0, 3)) };
  return { used: 1, colour: null };
}

function indexed(index) {
  if (index < 16) return String(Math.max(0, index));
  if (index >= 232) return hex(Array(3).fill(8 + 10 * (Math.min(index, 255) - 232)));
  const cube = index - 16;
  const levels = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return hex(levels.map((level) => (level === 0 ? 0 : 55 + 40 * level)));
}

function hex(channels) {
  const [red = 0, green = 0, blue = 0] = channels.map((value) => Math.min(255, value || 0));
  return `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
