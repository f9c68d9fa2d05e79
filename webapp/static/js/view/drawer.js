/** The list of workflows as a drawer on narrow screens. */

import { find } from "./dom.js";

export class Drawer {
  #panel = find(document, "sidebar", HTMLElement);
  #opener = find(document, "drawer-open", HTMLButtonElement);
  #rest = find(document, "main", HTMLElement);

  constructor() {
    this.#opener.addEventListener("click", () => this.#open());
    find(document, "drawer-close", HTMLButtonElement).addEventListener("click", () => this.close());
    find(document, "drawer-shade", HTMLElement).addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.#panel.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest("a[href^='#']")) this.close();
    });
  }

  #open() {
    this.#set(true);
    find(this.#panel, "drawer-close", HTMLButtonElement).focus();
  }

  close() {
    if (!document.body.hasAttribute("data-drawer")) return;
    this.#set(false);
    this.#opener.focus();
  }

  #set(isOpen) {
    document.body.toggleAttribute("data-drawer", isOpen);
    this.#opener.setAttribute("aria-expanded", String(isOpen));
    this.#rest.inert = isOpen;
  }
}
