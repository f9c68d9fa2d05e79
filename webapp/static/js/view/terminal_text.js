/** What a program printed, as it grows; in its colours once there are some. */

import { late } from "../late.js";
import { isStyled, readable, visible } from "../transcript/plain_text.js";

/** @type {((text: string) => Node[]) | null} */
let colouredText = null;
const loadColours = late(async () => {
  const [view] = await Promise.all([import("./coloured_text.js"), import("../transcript/ansi.js")]);
  colouredText = view.colouredText;
});

export function terminalText(element) {
  const node = document.createTextNode("");
  element.append(node);
  let written = "";

  function write(text) {
    const isGrown = text.startsWith(written) && node.parentNode === element;
    if (isStyled(text)) {
      element.replaceChildren(...(colouredText?.(text) ?? [readable(text)]));
      if (colouredText === null) void loadColours().then(() => written === text && write(text), () => {});
    } else if (isGrown) {
      node.appendData(visible(text.slice(written.length)));
    } else {
      node.data = visible(text);
      element.replaceChildren(node);
    }
    written = text;
  }

  return { write };
}
