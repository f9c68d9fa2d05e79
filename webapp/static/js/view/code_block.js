/** Code with its language and a button that copies it. */

import { late } from "../late.js";
import { visible } from "../transcript/plain_text.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setText } from "./dom.js";
import { styleSheet } from "./style_sheet.js";

/** Code that has not grown for so long is taken for whole: colours cost more than letters. */
const WHOLE_MS = 400;
const LOOKS = new URL("../../css/diff.css", import.meta.url);
const loadColours = late(async () => (await Promise.all([import("./code_colours.js"), styleSheet(LOOKS.href)]))[0]);

export function codeBlock(language, text) {
  const element = copyOf("code");
  const code = find(element, "text", HTMLElement);
  let written = text;
  const node = document.createTextNode(visible(text));
  code.append(node);
  setText(element, "language", language || "text");
  copyOnClick(find(element, "copy", HTMLButtonElement), () => written);

  async function colour() {
    const text = written;
    try {
      const { coloured } = await loadColours();
      const pieces = await coloured(language, text);
      if (pieces !== null && text === written) code.replaceChildren(pieces);
    } catch {
      // It is read without, too.
    }
  }

  let timer = 0;
  function colourLater() {
    clearTimeout(timer);
    if (language !== "") timer = window.setTimeout(colour, WHOLE_MS);
  }

  colourLater();

  return {
    element,
    /** @returns {boolean} whether it could grow to that */
    grow(next) {
      if (!next.startsWith(written)) return false;
      if (node.parentNode === null) {
        node.data = visible(written);
        code.replaceChildren(node);
      }
      node.appendData(visible(next.slice(written.length)));
      written = next;
      colourLater();
      return true;
    },
  };
}
