/**
 * Markdown inside a line: emphasis, code, links. HTML is text, and an image is a link to it.
 *
 * https://spec.commonmark.org/0.31.2/#inlines, less entities and references; and GitHub's `~~`
 * and bare addresses.
 *
 * @typedef {{type: "text" | "code", text: string}
 *     | {type: "strong" | "em" | "del", children: Inline[]}
 *     | {type: "link", href: string, children: Inline[]}} Inline
 *
 * @typedef {{mark: string, count: number, opens: boolean, closes: boolean}} Run
 *     of `*`, `_` or `~`, not yet known to be emphasis
 */

import { safeUrl } from "./links.js";

/** A paragraph that is longer is shown as it is: marks so far apart mean nothing to a reader. */
const MAX_LENGTH = 20_000;
const MAX_DEPTH = 8;

const SPECIAL = /[\\`*_~[!<]|https?:\/\//g;
const PUNCTUATION = /[\p{P}\p{S}]/u;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const AUTOLINK = /<((?:https?:\/\/|mailto:)[^\s<>]*)>/y;
const BARE_LINK = /https?:\/\/[^\s<>"`]+/y;
const DESTINATION = /\(\s*(?:<([^<>\n]*)>|((?:[^\s()\\]|\\.|\([^\s()]*\))*))(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/y;

export function parseInline(text, depth = 0) {
  if (text.length > MAX_LENGTH || depth > MAX_DEPTH) return [{ type: "text", text }];
  return emphasized(tokensOf(text, depth));
}

function tokensOf(text, depth) {
  const tokens = [];
  const brackets = closingBrackets(text);
  let start = 0;
  let at = 0;

  function take(from, end, token) {
    if (from > start) tokens.push({ type: "text", text: text.slice(start, from) });
    tokens.push(token);
    start = at = end;
  }

  for (;;) {
    SPECIAL.lastIndex = at;
    const found = SPECIAL.exec(text);
    if (found === null) break;
    at = found.index;
    const mark = text[at] ?? "";

    if (mark === "\\") {
      const next = text[at + 1] ?? "";
      if (ESCAPABLE.test(next)) take(at, at + 2, { type: "text", text: next });
      else at += 1;
    } else if (mark === "`") {
      const code = codeAt(text, at);
      if (code.end > 0) take(at, code.end, { type: "code", text: code.text });
      else at += code.ticks;
    } else if (mark === "*" || mark === "_" || mark === "~") {
      const run = runAt(text, at);
      if (mark === "~" && run.count !== 2) at += run.count;
      else take(at, at + run.count, run);
    } else if (mark === "[" || mark === "!") {
      const link = linkAt(text, mark === "!" ? at + 1 : at, brackets, depth);
      if (link !== null) take(at, link.end, link.token);
      else at += 1;
    } else {
      const link = addressAt(text, at, mark === "<");
      if (link !== null) take(at, link.end, link.token);
      else at += 1;
    }
  }

  if (start < text.length) tokens.push({ type: "text", text: text.slice(start) });
  return tokens;
}

/** Where each `[` is closed, found in one pass. */
function closingBrackets(text) {
  const closing = new Map();
  const open = [];
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === "\\") at += 1;
    else if (letter === "[") open.push(at);
    else if (letter === "]" && open.length > 0) closing.set(open.pop(), at);
  }
  return closing;
}

function codeAt(text, at) {
  let ticks = 1;
  while (text[at + ticks] === "`") ticks += 1;
  const fence = "`".repeat(ticks);
  for (let end = text.indexOf(fence, at + ticks); end !== -1; end = text.indexOf(fence, end)) {
    let length = ticks;
    while (text[end + length] === "`") length += 1;
    if (length === ticks) {
      const inside = text.slice(at + ticks, end).replaceAll("\n", " ");
      const isPadded = /^ .* $/.test(inside) && inside.trim() !== "";
      return { ticks, end: end + ticks, text: isPadded ? inside.slice(1, -1) : inside };
    }
    end += length;
  }
  return { ticks, end: 0, text: "" };
}

/**
 * A run of one mark, and whether it may open or close (spec, "left-flanking").
 *
 * @returns {Run}
 */
function runAt(text, at) {
  const mark = text[at] ?? "";
  let count = 1;
  while (text[at + count] === mark) count += 1;
  const before = text[at - 1] ?? " ";
  const after = text[at + count] ?? " ";
  const isSpaceBefore = /\s/.test(before);
  const isSpaceAfter = /\s/.test(after);
  const isMarkBefore = PUNCTUATION.test(before);
  const isMarkAfter = PUNCTUATION.test(after);
  const left = !isSpaceAfter && (!isMarkAfter || isSpaceBefore || isMarkBefore);
  const right = !isSpaceBefore && (!isMarkBefore || isSpaceAfter || isMarkAfter);
  const opens = mark === "_" ? left && (!right || isMarkBefore) : left;
  const closes = mark === "_" ? right && (!left || isMarkAfter) : right;
  return { mark, count, opens, closes };
}

/**
 * @param {number} at  of the `[`
 * @param {Map<number, number>} brackets
 * @returns {{end: number, token: Inline} | null}
 */
function linkAt(text, at, brackets, depth) {
  const close = brackets.get(at);
  if (close === undefined || text[close + 1] !== "(") return null;
  DESTINATION.lastIndex = close + 1;
  const found = DESTINATION.exec(text);
  if (found === null) return null;

  const address = (found[1] ?? found[2] ?? "").replace(/\\([!-/:-@[-`{-~])/g, "$1");
  const label = text.slice(at + 1, close) || address;
  const href = safeUrl(address);
  const end = DESTINATION.lastIndex;
  // What may not be followed is still there to be read.
  if (href === null) return { end, token: { type: "text", text: `${label} (${address})` } };
  return { end, token: { type: "link", href, children: parseInline(label, depth + 1) } };
}

function addressAt(text, at, isBracketed) {
  const pattern = isBracketed ? AUTOLINK : BARE_LINK;
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found === null) return null;

  const address = isBracketed ? (found[1] ?? "") : withoutTail(found[0]);
  const href = safeUrl(address);
  if (href === null) return null;
  const end = isBracketed ? pattern.lastIndex : at + address.length;
  return { end, token: { type: "link", href, children: [{ type: "text", text: address }] } };
}

/** A sentence's own marks, and a bracket that was opened before it, are no part of an address. */
function withoutTail(address) {
  const bare = address.replace(/[.,:;!?'*_~\]]+$/, "");
  const isClosedTooOften = bare.split(")").length > bare.split("(").length;
  return bare.endsWith(")") && isClosedTooOften ? withoutTail(bare.slice(0, -1)) : bare;
}

/**
 * Pairs of runs become emphasis (spec, "An algorithm for parsing nested emphasis").
 *
 * @param {(Inline | Run)[]} tokens
 * @returns {Inline[]}
 */
function emphasized(tokens) {
  const done = [];
  /** Open runs in `done`, by mark. @type {Map<string, number[]>} */
  const openers = new Map();

  for (const token of tokens) {
    if ("type" in token) {
      done.push(token);
      continue;
    }
    const run = { ...token };
    const open = openers.get(run.mark) ?? [];
    openers.set(run.mark, open);

    while (run.closes && run.count > 0 && open.length > 0) {
      const at = open.at(-1) ?? 0;
      const opener = done[at];
      const width = Math.min(opener.count, run.count, 2);
      const type = run.mark === "~" ? "del" : width === 2 ? "strong" : "em";
      const children = textsOf(done.splice(at + 1));
      for (const others of openers.values()) dropAbove(others, at);
      done.push({ type, children });
      opener.count -= width;
      run.count -= width;
      if (opener.count === 0) {
        done.splice(at, 1);
        open.pop();
      }
    }
    if (run.count === 0) continue;
    if (run.opens) open.push(done.length);
    done.push(run);
  }
  return textsOf(done);
}

/** @param {number[]} indexes  ascending */
function dropAbove(indexes, limit) {
  while ((indexes.at(-1) ?? -1) > limit) indexes.pop();
}

/**
 * Runs that were no emphasis are what they look like.
 *
 * @param {(Inline | Run)[]} tokens
 * @returns {Inline[]}
 */
function textsOf(tokens) {
  const texts = [];
  for (const token of tokens) {
    const inline = "type" in token ? token : { type: "text", text: token.mark.repeat(token.count) };
    const last = texts.at(-1);
    if (inline.type === "text" && last?.type === "text") {
      texts[texts.length - 1] = { type: "text", text: last.text + inline.text };
    } else {
      texts.push(inline);
    }
  }
  return texts;
}
