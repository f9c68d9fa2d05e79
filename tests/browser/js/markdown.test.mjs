import assert from "node:assert/strict";
import { test } from "node:test";

import { parseBlocks } from "../../../webapp/static/js/markdown/blocks.js";
import { parseInline } from "../../../webapp/static/js/markdown/inline.js";
import { safeUrl } from "../../../webapp/static/js/markdown/links.js";

/** Inline Markdown as a short text: `em(a)`, `link[href](a)`. */
function inline(text) {
  const show = (nodes) =>
    nodes
      .map((node) => {
        if (node.type === "text") return node.text;
        if (node.type === "code") return `code(${node.text})`;
        const target = node.type === "link" ? `[${node.href}]` : "";
        return `${node.type}${target}(${show(node.children)})`;
      })
      .join("");
  return show(parseInline(text));
}

/** Blocks as a nested list of short texts. */
function shape(text) {
  const show = (block) => {
    switch (block.type) {
      case "heading": return `h${block.level} ${block.text}`;
      case "paragraph": return `p ${block.text}`;
      case "code": return `code ${block.language}|${block.text}`;
      case "quote": return ["quote", ...block.blocks.map(show)];
      case "list": return [block.start ?? "ul", ...block.items.map((item) => item.blocks.map(show))];
      case "table": return ["table", block.align.join(), block.head.join(), ...block.rows.map((row) => row.join())];
      default: return block.type;
    }
  };
  return parseBlocks(text).map(show);
}

test("what stands inside a line", () => {
  const table = {
    "plain": "plain",
    "**a** *b* _c_ ~~d~~": "strong(a) em(b) em(c) del(d)",
    "***a***": "em(strong(a))",
    "**a *b* c**": "strong(a em(b) c)",
    "snake_case_name and 2 * 3 * 4": "snake_case_name and 2 * 3 * 4",
    "*open **and** never closed": "*open strong(and) never closed",
    "a `code *x*` b ``co`de``": "a code(code *x*) b code(co`de)",
    "an `open tick": "an `open tick",
    "\\*not\\* \\x": "*not* \\x",
    "[a](https://x.test/b)": "link[https://x.test/b](a)",
    "[**a**](https://x.test \"title\")": "link[https://x.test/](strong(a))",
    "![pic](https://x.test/p.png)": "link[https://x.test/p.png](pic)",
    "see https://x.test/a_b_c. Or (https://x.test/w_(1))!":
      "see link[https://x.test/a_b_c](https://x.test/a_b_c). Or (link[https://x.test/w_(1)](https://x.test/w_(1)))!",
    "<https://x.test> <mailto:a@x.test>": "link[https://x.test/](https://x.test) link[mailto:a@x.test](mailto:a@x.test)",
    "<b>no</b> <img src=x onerror=alert(1)>": "<b>no</b> <img src=x onerror=alert(1)>",
    "a~b ~~~c": "a~b ~~~c",
    "[x] [y](": "[x] [y](",
  };
  for (const [text, expected] of Object.entries(table)) assert.equal(inline(text), expected, text);
});

test("an address that runs something is shown, and leads nowhere", () => {
  for (const address of [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)",
    "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x", "/api/x", "//x.test", "",
  ]) {
    assert.equal(safeUrl(address), null, address);
  }
  assert.equal(inline("[click](javascript:alert%281%29)"), "click (javascript:alert%281%29)");
  assert.equal(inline("[click](/logout)"), "click (/logout)");
  assert.equal(inline("<javascript:alert(1)>"), "<javascript:alert(1)>");
});

test("blocks", () => {
  const text = [
    "# Title #", "one", "two", "", "---", "> quoted", "lazy", "> - in a list", "",
    "```js x", "a <b>", "", "```", "    indented", "", "last",
  ].join("\n");
  assert.deepEqual(shape(text), [
    "h1 Title", "p one\ntwo", "rule", ["quote", "p quoted\nlazy", ["ul", ["p in a list"]]],
    "code js|a <b>\n", "code |indented", "p last",
  ]);
});

test("lists hold lists, paragraphs and code", () => {
  assert.deepEqual(shape("1. a\n2. b\n   - c\n   - d\n\n   more\n3. e\n\nend"), [
    [1, ["p a"], ["p b", ["ul", ["p c"], ["p d"]], "p more"], ["p e"]], "p end",
  ]);
  assert.deepEqual(shape("- a\n\n- b\n* c"), [["ul", ["p a"], ["p b"]], ["ul", ["p c"]]]);
  assert.deepEqual(shape("- a\n  ```\n  x\n  ```"), [["ul", ["p a", "code |x"]]]);
  assert.deepEqual(shape("text\n- a\nb"), ["p text", ["ul", ["p a\nb"]]]);
  const [list] = parseBlocks("- [x] done\n- [ ] open\n- plain");
  assert.deepEqual(list.items.map((item) => item.done), [true, false, null]);
});

test("tables", () => {
  assert.deepEqual(shape("| a | b |\n|---|--:|\n| 1 | x \\| y |\n| 2 |\nend"), [
    ["table", "start,end", "a,b", "1,x | y", "2,"], "p end",
  ]);
  assert.deepEqual(shape("a | b\nno table"), ["p a | b\nno table"]);
});

test("code that is still being written is code", () => {
  assert.deepEqual(shape("a\n```py\nx = 1"), ["p a", "code py|x = 1"]);
  assert.deepEqual(shape("~~~~\n~~~\n~~~~"), ["code |~~~"]);
});

test("a block that is complete keeps its source while the text grows", () => {
  const text = "# A\n\npara one\n\n- a\n- b\n\n```\ncode\n```\n\nthe end";
  const whole = parseBlocks(text).map((block) => block.source);
  const half = parseBlocks(text.slice(0, 20)).map((block) => block.source);
  assert.deepEqual(half.slice(0, 2), whole.slice(0, 2));
});

test("nothing that an agent prints takes long", () => {
  const hostile = [
    "[".repeat(20_000), "*".repeat(20_000), "*a ".repeat(6_000), "`a".repeat(10_000), "> ".repeat(5_000),
    "- ".repeat(5_000), "![](".repeat(5_000), "<".repeat(20_000), "|".repeat(20_000), "_a*".repeat(6_000),
    "a".repeat(1_000_000), "[a](".repeat(5_000), "- \n".repeat(5_000), "\n\n- a".repeat(5_000),
    `${"`".repeat(3_000)}\n`.repeat(5), "~~".repeat(10_000), "https://".repeat(2_500), " ".repeat(20_000),
  ];
  for (const text of hostile) {
    // Not the clock's time: the machine may have other work.
    const started = process.cpuUsage();
    for (const block of parseBlocks(text)) if ("text" in block) parseInline(block.text);
    const took = process.cpuUsage(started).user / 1_000;
    assert.ok(took < 1_500, `${text.slice(0, 12)}… took ${took} ms`);
  }
});
