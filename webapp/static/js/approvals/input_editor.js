/** The texts of a call's input, to be changed before it is allowed. */

import { copyOf, find, setText } from "../view/dom.js";

/** What people read beside the call and the agent does not act upon. */
const UNOFFERED = new Set(["description"]);

/** @param {Record<string, any>} input @param {HTMLElement} body  what it is shown instead of @param {HTMLElement} root */
export function inputEditor(input, body, root) {
  const texts = Object.entries(input).filter(([name, value]) => typeof value === "string" && !UNOFFERED.has(name));
  /** @type {Map<string, HTMLTextAreaElement>} */
  const areas = new Map();

  function open() {
    for (const [name, value] of texts) {
      const item = copyOf("input-field");
      const area = find(item, "value", HTMLTextAreaElement);
      setText(item, "name", name.replace(/_/g, " "));
      area.value = value;
      area.rows = Math.min(12, value.split("\n").length);
      areas.set(name, area);
      root.append(item);
    }
    root.hidden = false;
    body.hidden = true;
    [...areas.values()][0]?.focus();
  }

  function close() {
    areas.clear();
    root.replaceChildren();
    root.hidden = true;
    body.hidden = false;
  }

  return {
    isEmpty: texts.length === 0,
    close,

    /** @returns {boolean} whether it is open now */
    toggle() {
      if (root.hidden) open();
      else close();
      return !root.hidden;
    },

    /** Only what is another text than before; null: nothing. @returns {Record<string, string> | null} */
    changes() {
      const changed = [...areas].filter(([name, area]) => area.value !== input[name]);
      return changed.length === 0 ? null : Object.fromEntries(changed.map(([name, area]) => [name, area.value]));
    },
  };
}
