/** Code with its language and a button that copies it. */

import { copyOnClick } from "./clipboard.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setText } from "./dom.js";

export function codeBlock(language, text) {
  const element = copyOf("code");
  const code = find(element, "text", HTMLElement);
  let written = text;
  const node = document.createTextNode(visible(text));
  code.append(node);
  setText(element, "language", language || "text");
  copyOnClick(find(element, "copy", HTMLButtonElement), () => written);

  return {
    element,
    /** @returns {boolean} whether it could grow to that */
    grow(next) {
      if (!next.startsWith(written)) return false;
      node.appendData(visible(next.slice(written.length)));
      written = next;
      return true;
    },
  };
}
