import assert from "node:assert/strict";
import { test } from "node:test";

import { spansOf } from "../../../webapp/static/js/transcript/ansi.js";

/** Spans as short texts: `red bold:text`. */
function show(text) {
  return spansOf(text).map(({ text: shown, look }) => {
    const words = Object.entries(look ?? {})
      .filter(([, value]) => value !== null && value !== false)
      .map(([name, value]) => (value === true ? name : `${name}=${value}`));
    return `${words.join(" ")}:${shown}`;
  });
}

test("SGR is kept", () => {
  const table = {
    "plain": [":plain"],
    "\x1b[32mgreen\x1b[0m x": ["fg=2:green", ": x"],
    "\x1b[1;31mboth\x1b[39m bold\x1b[mend": ["fg=1 bold:both", "bold: bold", ":end"],
    "\x1b[97;100mbright\x1b[49m": ["fg=15 bg=8:bright"],
    "\x1b[38;5;208ma\x1b[48;5;232mb": ["fg=#ff8700:a", "fg=#ff8700 bg=#080808:b"],
    "\x1b[38;2;120;80;220ma\x1b[38:5:9mb": ["fg=#7850dc:a", "fg=9:b"],
    "\x1b[3;4;7;9;2ma\x1b[22;23;24;27;29mb": ["dim italic underline inverse strike:a", ":b"],
    "\x1b[38;9;1mx": ["bold:x"],
    "\x1b[38;2;999mx": ["fg=#ff0000:x"],
  };
  for (const [text, expected] of Object.entries(table)) assert.deepEqual(show(text), expected, JSON.stringify(text));
});

test("what would move the cursor, name a window or fill the clipboard is dropped", () => {
  const clipboard = "\x1b]52;c;aGk=\x07";
  const link = "\x1b]8;;javascript:alert(1)\x1b\\text\x1b]8;;\x1b\\";
  assert.deepEqual(show(`a${clipboard}${link}\x1b[2J\x1b[10;3Hb\x1b(B\x1bM`), [":a", ":text", ":b"]);
  assert.deepEqual(show("a\x1b]0;never closed"), [":a"]);
});

test("a carriage return writes over its line, and only over that", () => {
  assert.deepEqual(show("x\n10%\r50%\r100%\ndone\r\n"), [":x\n100%\ndone\n"]);
  assert.deepEqual(show("kept\n\x1b[1mold\x1b[0m\rnew"), [":kept\nnew"]);
  assert.deepEqual(show("abc\r"), [":abc"]);
});

test("other controls are shown as what they are", () => {
  assert.deepEqual(show("a\0b\x07c\x7f\x9b"), [":a\u2400b\u2407c\u2421\uFFFD"]);
});
