/** What a conversation has changed: its files, and their diffs. */

import { getJson } from "../api/requests.js";
import { find, setText } from "../view/dom.js";
import { WindowedList } from "../window/windowed_list.js";
import { CommentForm } from "./comment_form.js";
import { fileSection } from "./file_section.js";

/** @typedef {import("./file_section.js").Shown} Shown */

/** Changes up to this size are open at once. */
const OPEN_FILES = 10;
const OPEN_LINES = 400;
const WIDE = matchMedia("(min-width: 72rem)");
/** Beyond, two columns are beside the conversation; up to there, over it. */
const VERY_WIDE = matchMedia("(min-width: 112rem)");
const NARROW = matchMedia("(max-width: 48rem)");
const SPLIT_KEY = "changes-split";

export class ChangesPanel {
  #root;
  #opener;
  #list;
  #form;
  #sessionId = "";
  /** @type {number | null} */
  #turn = null;
  #state = "";
  /** By key. @type {Map<string, Shown>} */
  #files = new Map();
  /** As they are drawn. @type {Map<Shown, any>} */
  #sections = new Map();
  #drawn = 0;
  #isSplit = localStorage.getItem(SPLIT_KEY) === "yes";

  /** @param {HTMLElement} opener  the button that opens it @param {(text: string) => void} onComment */
  constructor(root, opener, onComment) {
    this.#root = root;
    this.#opener = opener;
    const rows = find(root, "changes-rows", HTMLElement);
    this.#list = new WindowedList(find(root, "changes-scroller", HTMLElement), rows, null);
    this.#form = new CommentForm(find(root, "comment", HTMLFormElement), onComment);
    find(root, "changes-close", HTMLButtonElement).addEventListener("click", () => this.close());
    find(root, "split", HTMLButtonElement).addEventListener("click", () => this.#toggleSplit());
    find(root, "turn-choice", HTMLSelectElement).addEventListener("change", ({ target }) => {
      this.#turn = target.value === "" ? null : Number(target.value);
      this.#files = new Map();
      void this.refresh();
    });
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#form.isOpen ? this.#form.close() : this.close();
    });
    rows.addEventListener("click", ({ target }) => this.#comment(target));
    for (const query of [WIDE, VERY_WIDE, NARROW]) query.addEventListener("change", () => this.#draw());
  }

  get isOpen() {
    return !this.#root.hidden;
  }

  /** @param {any} known  an answer that may be a little old, or null */
  async open(sessionId, known) {
    if (sessionId !== this.#sessionId) {
      this.#turn = null;
      this.#files = new Map();
    }
    this.#sessionId = sessionId;
    this.#root.hidden = false;
    this.#showOpen();
    if (document.body.hasAttribute("data-facts-open")) find(document, "facts-close", HTMLButtonElement).click();
    find(this.#root, "changes-close", HTMLButtonElement).focus();
    if (known !== null && this.#turn === null) this.#take(known);
    await this.refresh();
  }

  close() {
    if (!this.isOpen) return;
    this.#root.hidden = true;
    this.#showOpen();
    this.#opener.focus();
  }

  #showOpen() {
    this.#opener.setAttribute("aria-expanded", `${this.isOpen}`);
    const covers = NARROW.matches || (this.#showsSplit && !VERY_WIDE.matches);
    find(document, "main", HTMLElement).inert = this.isOpen && covers;
  }

  /** Read again what has changed; diffs that were read are kept where nothing has. */
  async refresh() {
    if (!this.isOpen) return;
    const sessionId = this.#sessionId;
    const turn = this.#turn;
    try {
      const answer = await getJson(this.#url("", { turn }));
      if (sessionId !== this.#sessionId || turn !== this.#turn) return;
      this.#take(answer);
      this.#say("");
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  #take({ files, added, removed, turns, state, isCut }) {
    const before = this.#files;
    const isSmall = files.length <= OPEN_FILES && added + removed <= OPEN_LINES;
    const isSame = state === this.#state;
    this.#state = state;
    this.#files = new Map(files.map((file, index) => {
      const known = before.get(file.key);
      if (known !== undefined && isSame) return [file.key, known];
      const hasLines = (file.added ?? 0) + (file.removed ?? 0) > 0;
      const isOpen = known?.isOpen ?? (hasLines && (isSmall || index === 0));
      return [file.key, { file, isOpen, hunks: null, isCut: false, problem: "" }];
    }));
    const count = `${files.length}${isCut ? " and more" : ""} file${files.length === 1 && !isCut ? "" : "s"}`;
    setText(this.#root, "sum", `${count}, +${added} −${removed}`);
    find(this.#root, "none", HTMLElement).hidden = files.length > 0;
    this.#offerTurns(turns);
    if (!isSame || before.size !== files.length) this.#draw();
  }

  #offerTurns(turns) {
    const select = find(this.#root, "turn-choice", HTMLSelectElement);
    const options = [new Option("Since it began", ""), ...turns.map((turn) => new Option(`Turn ${turn}`, `${turn}`))];
    select.replaceChildren(...options);
    select.value = this.#turn === null ? "" : `${this.#turn}`;
  }

  get #showsSplit() {
    return this.#isSplit && WIDE.matches;
  }

  #toggleSplit() {
    this.#isSplit = !this.#isSplit;
    localStorage.setItem(SPLIT_KEY, this.#isSplit ? "yes" : "no");
    this.#draw();
  }

  /** @param {Shown} [changed]  the one that has changed; without it all are drawn anew */
  #draw(changed) {
    this.#root.toggleAttribute("data-is-split", this.#showsSplit);
    this.#showOpen();
    find(this.#root, "split", HTMLButtonElement).setAttribute("aria-pressed", `${this.#isSplit}`);
    const before = this.#sections;
    this.#sections = new Map([...this.#files.values()].map((shown) => {
      const known = changed === undefined || changed === shown ? undefined : before.get(shown);
      return [shown, known ?? this.#section(shown)];
    }));
    this.#list.setSections([...this.#sections.values()]);
  }

  #section(shown) {
    const hooks = {
      onToggle: () => {
        shown.isOpen = !shown.isOpen;
        shown.problem = "";
        this.#draw(shown);
        this.#focusHead(shown);
      },
      onWanted: () => void this.#read(shown),
    };
    this.#drawn += 1;
    return fileSection(shown, this.#showsSplit, hooks, this.#drawn);
  }

  /** Its head was drawn anew. @param {Shown} shown */
  #focusHead({ file }) {
    const heads = this.#root.querySelectorAll(".file-head");
    for (const head of heads) if (head.title === file.path) head.focus({ preventScroll: true });
  }

  /** @param {Shown & {isRead?: boolean}} shown */
  async #read(shown) {
    if (shown.isRead) return;
    shown.isRead = true;
    const { file } = shown;
    try {
      if (file.isBinary || file.kind === "large") shown.hunks = [];
      else {
        const path = { path: file.key, turn: this.#turn, state: this.#state };
        const { hunks, isCut } = await getJson(this.#url("/file", path));
        Object.assign(shown, { hunks, isCut });
      }
    } catch (error) {
      shown.problem = error instanceof Error ? error.message : String(error);
    }
    shown.isRead = false;
    if (this.#files.get(file.key) === shown) this.#draw(shown);
  }

  #url(part, args) {
    const fields = Object.entries(args).filter(([, value]) => value !== null);
    const query = new URLSearchParams(fields.map(([name, value]) => [name, `${value}`]));
    return `/api/sessions/${encodeURIComponent(this.#sessionId)}/changes${part}?${query}`;
  }

  #comment(target) {
    const button = target instanceof Element ? target.closest("button[data-comment-on]") : null;
    if (!(button instanceof HTMLElement)) return;
    const lines = button.closest(".lines");
    const path = lines instanceof HTMLElement ? (lines.dataset.path ?? "") : "";
    const text = button.parentElement?.querySelector(".line-text")?.textContent ?? "";
    const line = Number(button.dataset.commentOn);
    const isOld = button.dataset.side === "old";
    this.#form.open({ path, line, isOld, text }, button);
  }

  #say(problem) {
    const box = find(this.#root, "changes-problem", HTMLElement);
    box.hidden = problem === "";
    box.textContent = problem;
  }
}
