/**
 * Markdown's blocks: https://spec.commonmark.org/0.31.2/#blocks-and-inlines, and GitHub's tables
 * and task lists. HTML is text.
 *
 * @typedef {{type: "heading", level: number, text: string}
 *     | {type: "paragraph", text: string}
 *     | {type: "code", language: string, text: string}
 *     | {type: "quote", blocks: Block[]}
 *     | {type: "list", start: number | null, items: {done: boolean | null, blocks: Block[]}[]}
 *     | {type: "table", align: string[], head: string[], rows: string[][]}
 *     | {type: "rule"}} Content
 * @typedef {Content & {source: string}} Block  the lines that it was made of
 */

const MAX_DEPTH = 10;

const FENCE = /^ {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})(?:([-*+])|(\d{1,9})([.)]))(?:( +)(.*)|)$/;
const TASK = /^\[([ xX])\] +/;
const DIVIDER = /^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const INDENTED = /^(?: {4}|\t)/;

export function parseBlocks(text) {
  return blocksOf(text.split("\n"), 0);
}

function blocksOf(lines, depth) {
  const blocks = [];
  let at = 0;
  while (at < lines.length) {
    if (isBlank(lines[at])) {
      at += 1;
      continue;
    }
    const { end, content } = blockAt(lines, at, depth);
    blocks.push({ ...content, source: lines.slice(at, end).join("\n") });
    at = end;
  }
  return blocks;
}

function blockAt(lines, at, depth) {
  const line = lines[at] ?? "";
  const fence = FENCE.exec(line);
  if (fence !== null) return codeFrom(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading !== null) {
    const [, marks = "", text = ""] = heading;
    return { end: at + 1, content: { type: "heading", level: marks.length, text } };
  }
  if (RULE.test(line)) return { end: at + 1, content: { type: "rule" } };
  if (depth < MAX_DEPTH) {
    if (QUOTE.test(line)) return quoteFrom(lines, at, depth);
    if (ITEM.test(line)) return listFrom(lines, at, depth);
  }
  if (isTable(lines, at)) return tableFrom(lines, at);
  if (INDENTED.test(line)) return indentedFrom(lines, at);
  return paragraphFrom(lines, at);
}

function codeFrom(lines, at, [opening, marks = "", info = ""]) {
  const indent = opening.length - opening.trimStart().length;
  const closing = new RegExp(`^ {0,3}\\${marks[0]}{${marks.length},}[ \\t]*$`);
  let end = at + 1;
  while (end < lines.length && !closing.test(lines[end] ?? "")) end += 1;
  const text = lines.slice(at + 1, end).map((line) => dedent(line, indent)).join("\n");
  const language = info.trim().split(/\s/)[0] ?? "";
  // Without a closing line it goes on to the end: so does code that is still being written.
  return {
    end: Math.min(end + 1, lines.length),
    content: { type: "code", language, text },
  };
}

function indentedFrom(lines, at) {
  let end = at + 1;
  while (end < lines.length && (INDENTED.test(lines[end] ?? "") || isBlank(lines[end]))) end += 1;
  const text = lines.slice(at, end).map((line) => dedent(line, 4)).join("\n").trimEnd();
  return { end, content: { type: "code", language: "", text } };
}

function quoteFrom(lines, at, depth) {
  let end = at;
  const inner = [];
  while (end < lines.length && (QUOTE.test(lines[end] ?? "") || goesOn(lines, end, inner))) {
    inner.push((lines[end] ?? "").replace(QUOTE, ""));
    end += 1;
  }
  return {
    end,
    content: { type: "quote", blocks: blocksOf(inner, depth + 1) },
  };
}

/**
 * Whether a line without the mark goes on with the paragraph before it.
 *
 * @param {string[]} lines
 * @param {string[]} inner
 */
function goesOn(lines, at, inner) {
  return inner.length > 0 && !isBlank(inner.at(-1)) && !begins(lines, at);
}

function listFrom(lines, at, depth) {
  const kind = kindOf(lines[at]);
  const first = ITEM.exec(lines[at] ?? "");
  const items = [];
  let end = at;

  while (end < lines.length && kindOf(lines[end]) === kind && !RULE.test(lines[end] ?? "")) {
    const { end: itemEnd, inner } = itemFrom(lines, end);
    const task = TASK.exec(inner[0] ?? "");
    if (task !== null) inner[0] = (inner[0] ?? "").slice(task[0].length);
    items.push({
      done: task === null ? null : task[1] !== " ",
      blocks: blocksOf(inner, depth + 1),
    });
    end = itemEnd;
  }
  const start = first?.[3] === undefined ? null : Number(first[3]);
  return { end, content: { type: "list", start, items } };
}

/**
 * One item: its own lines, and what is indented under it.
 *
 * @param {string[]} lines
 */
function itemFrom(lines, at) {
  const [whole = "", before = "", , number = "", , space = " ", text = ""] =
    ITEM.exec(lines[at] ?? "") ?? [];
  const marker = before.length + (number === "" ? 1 : number.length + 1);
  const indent = whole.trim().length > 0 && space.length <= 4 ? marker + space.length : marker + 1;
  const inner = [text];
  let end = at + 1;

  while (end < lines.length) {
    const line = lines[end] ?? "";
    if (isBlank(line)) {
      const next = nextText(lines, end);
      if (next === -1 || indentOf(lines[next] ?? "") < indent) break;
    } else if (indentOf(line) < indent) {
      const isLazy = !isBlank(inner.at(-1)) && !begins(lines, end);
      if (!isLazy) break;
    }
    inner.push(dedent(line, indent));
    end += 1;
  }
  while (end < lines.length && isBlank(lines[end]) && isItem(lines[nextText(lines, end)])) end += 1;
  return { end, inner };
}

function paragraphFrom(lines, at) {
  let end = at + 1;
  while (end < lines.length && !isBlank(lines[end]) && !begins(lines, end)) end += 1;
  const text = lines.slice(at, end).map((line) => line.trimStart()).join("\n").trimEnd();
  return { end, content: { type: "paragraph", text } };
}

function tableFrom(lines, at) {
  const head = cellsOf(lines[at] ?? "");
  const align = cellsOf(lines[at + 1] ?? "").map((cell) => {
    if (!cell.endsWith(":")) return "start";
    return cell.startsWith(":") ? "center" : "end";
  });
  const rows = [];
  let end = at + 2;
  while (end < lines.length && (lines[end] ?? "").includes("|")) {
    const cells = cellsOf(lines[end] ?? "");
    rows.push(head.map((_, column) => cells[column] ?? ""));
    end += 1;
  }
  return { end, content: { type: "table", align, head, rows } };
}

function isTable(lines, at) {
  const [head = "", divider = ""] = [lines[at], lines[at + 1]];
  if (!head.includes("|") || !divider.includes("-") || !DIVIDER.test(divider)) return false;
  return cellsOf(head).length === cellsOf(divider).length;
}

function cellsOf(line) {
  const inner = line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "");
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
}

/**
 * Whether something other than a paragraph begins here, which ends the paragraph before it.
 *
 * @param {string[]} lines
 */
function begins(lines, at) {
  const line = lines[at] ?? "";
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line)) return true;
  return isItem(line) || isTable(lines, at);
}

function isItem(line) {
  return kindOf(line) !== "";
}

/** Items of one list have the same mark. */
function kindOf(line) {
  const item = ITEM.exec(line ?? "");
  return item === null || item[6]?.trim() === "" ? "" : (item[2] ?? item[4] ?? "");
}

function nextText(lines, at) {
  return lines.findIndex((line, index) => index > at && !isBlank(line));
}

function isBlank(line) {
  return line === undefined || line.trim() === "";
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

function dedent(line, columns) {
  return line.slice(Math.min(columns, indentOf(line)));
}
