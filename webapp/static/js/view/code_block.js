/** Code with its language and a button that copies it. */

import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setText } from "./dom.js";

export function codeBlock(language, text) {
  const element = copyOf("code");
  const code = find(element, "text", HTMLElement);
  const node = document.createTextNode(text);
  code.append(node);
  setText(element, "language", language || "text");
  copyOnClick(find(element, "copy", HTMLButtonElement), () => node.data);

  return {
    element,
    /** @returns {boolean} whether it could grow to that */
    grow(next) {
      if (!next.startsWith(node.data)) return false;
      node.appendData(next.slice(node.data.length));
      return true;
    },
  };
}
