/** Markdown as DOM nodes; foreign text goes into text nodes only. */

import { parseBlocks } from "../markdown/blocks.js";
import { parseInline } from "../markdown/inline.js";
import { visible } from "../transcript/plain_text.js";
import { codeBlock } from "./code_block.js";

/**
 * @typedef {import("../markdown/blocks.js").Block} Block
 * @typedef {{block: Block, element: HTMLElement, code: ReturnType<typeof codeBlock> | null}} Built
 */

/** Only blocks whose lines have changed are built anew. */
export function markdownView(root) {
  let built = [];

  return {
    /** @param {string} [opening]  the fence in which it begins */
    write(text, opening = "") {
      const blocks = parseBlocks(opening === "" ? text : `${opening}\n${text}`);
      const same = blocks.findIndex((block, index) => built[index]?.block.source !== block.source);
      const kept = same === -1 ? blocks.length : same;
      if (built.length === kept + 1 && blocks.length === kept + 1 && grows(built[kept], blocks[kept])) return;

      for (const { element } of built.slice(kept)) element.remove();
      const added = blocks.slice(kept).map(build);
      root.append(...added.map(({ element }) => element));
      built = [...built.slice(0, kept), ...added];
    },
  };
}

/** Code that is being written grows in place: its reader may have scrolled in it. */
function grows(last, block) {
  if (last?.code === null || last === undefined || block?.type !== "code") return false;
  if (last.block.type !== "code" || last.block.language !== block.language) return false;
  if (!last.code.grow(block.text)) return false;
  last.block = block;
  return true;
}

function build(block) {
  const code = block.type === "code" ? codeBlock(block.language, block.text) : null;
  const element = code?.element ?? elementOf(block);
  // Each block has the direction of its own first letters; what is in it has the same.
  if (code === null) element.dir = "auto";
  return { block, code, element };
}

function elementOf(block) {
  switch (block.type) {
    // One level, below the turn's own: those between may not be in the document just now.
    case "heading": return withInline("h3", block.text, `h${block.level}`);
    case "paragraph": return withInline("p", block.text);
    case "code": return codeBlock(block.language, block.text).element;
    case "quote": return make("blockquote", block.blocks.map(elementOf));
    case "list": return listOf(block);
    case "table": return tableOf(block);
    default: return make("hr", []);
  }
}

function listOf({ start, items }) {
  const element = make(
    start === null ? "ul" : "ol",
    items.map(({ done, blocks }) => {
      const mark = done === null ? [] : [checkOf(done)];
      return make("li", [...mark, ...blocks.map(elementOf)], done === null ? "" : "task");
    }),
  );
  if (start !== null && start !== 1) element.setAttribute("start", String(start));
  return element;
}

function checkOf(done) {
  const mark = make("span", [done ? "☑" : "☐"], "task-mark");
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", done ? "done" : "open");
  return mark;
}

function tableOf({ align, head, rows }) {
  /** @param {"th" | "td"} name @param {string[]} cells */
  const row = (name, cells) =>
    make("tr", cells.map((text, column) => withInline(name, text, `align-${align[column] ?? "start"}`)));
  const table = make("table", [
    make("thead", [row("th", head)]),
    make("tbody", rows.map((cells) => row("td", cells))),
  ]);
  const scroller = make("div", [table], "table-scroller");
  scroller.tabIndex = 0;
  return scroller;
}

function withInline(name, text, className) {
  return make(name, parseInline(text).map(inlineOf), className);
}

function inlineOf(inline) {
  switch (inline.type) {
    case "text": return inline.text;
    case "code": return make("code", [visible(inline.text)]);
    case "link": return linkTo(inline.href, inline.children.map(inlineOf));
    default: return make(inline.type, inline.children.map(inlineOf));
  }
}

/** @param {string} href  safe: see markdown/links.js @param {(Node | string)[]} children */
function linkTo(href, children) {
  const link = make("a", children);
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  return link;
}

function make(name, children, className = "") {
  const element = document.createElement(name);
  element.append(...children);
  if (className !== "") element.className = className;
  return element;
}
