/** Text that grows at its end, without writing again what stands there. */

import { formatFigure } from "../format.js";

/** @param {HTMLElement} element */
export function growingText(element) {
  const node = document.createTextNode("");
  element.append(node);

  return {
    /**
     * White space waits for what comes after it: at the end of a block it would be a hole.
     *
     * @param {string} text  begins with all that was written before
     */
    write(text) {
      const end = text.trimEnd().length;
      if (end > node.length) node.appendData(text.slice(node.length, end));
      element.hidden = node.length === 0;
    },
  };
}

/**
 * The line that says how much the page does not show.
 *
 * @param {HTMLElement} element
 * @param {number} characters
 */
export function omission(element, characters) {
  element.hidden = characters === 0;
  if (characters > 0) {
    element.textContent = `${formatFigure(characters)} more characters of this are in the log.`;
  }
}
