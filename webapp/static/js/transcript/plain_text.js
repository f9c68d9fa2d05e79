/** Foreign text as a person can read it: terminal escapes stripped, controls made visible. */

const NEEDS_WORK = /[\0-\x08\x0B-\x1F\x7F-\x9F]/;

/**
 * CSI, OSC, DCS, SOS, PM and APC sequences and two-character escapes (ECMA-48, section 5), and one
 * whose end is missing, to the end of its line.
 */
export const ESCAPES = new RegExp(
  [
    "\\x1B\\[[0-?]*[ -/]*[@-~]",
    "\\x1B[\\]PX^_][^\\x07\\x1B\\n]*(?:\\x07|\\x1B\\\\)?",
    "\\x1B[ -/]+[0-~]",
    "\\x1B[0-OQ-WYZ\\\\`-~]",
  ].join("|"),
  "g",
);

/** Whether a program asks a terminal for more than letters: see ansi.js. */
export function isStyled(text) {
  return /[\x1B\r\b]/.test(text);
}

const CONTROLS = /[\0-\x08\x0B-\x1F\x7F-\x9F]/g;

export function readable(text) {
  if (!NEEDS_WORK.test(text)) return text;
  return pictured(text.replace(ESCAPES, "").replace(/\r\n?/g, "\n"));
}

/** Letters that change the order in which others are shown: https://trojansource.codes/ */
const BIDI_CONTROLS = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;

/** Text that a program reads, such as a command or a path, with nothing hidden in it. */
export function visible(text) {
  return pictured(text).replace(BIDI_CONTROLS, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Controls as pictures: U+2400 to U+2421 are those of C0 and DEL. */
export function pictured(text) {
  return NEEDS_WORK.test(text) ? text.replace(CONTROLS, picture) : text;
}

function picture(control) {
  const code = control.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\uFFFD";
}
