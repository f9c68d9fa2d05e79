/** The list at the side: kept fresh, paged, and honest when it is not fresh. */

import { listSessions } from "../api/sessions.js";
import { copyOf, find, setText } from "../view/dom.js";
import { pollWhileVisible } from "./poller.js";
import { EMPTY_LIST, withNewest, withOlder } from "./session_list.js";
import { sessionItem } from "./session_item.js";

const REFRESH_MS = 3_000;
const PAGE_SIZE = 30;
/** A reader who has paged far back is given fresh rows only this far. */
const MAX_REFRESHED = 100;

/** @typedef {import("../api/sessions.js").Session} Session */

export class SessionsPanel {
  #root;
  #onRefresh;
  #list = EMPTY_LIST;
  #isLoaded = false;
  /** @type {string | null} */
  #selectedId = null;
  /** @type {Map<string, import("./session_item.js").SessionItem>} */
  #items = new Map();
  #poll = pollWhileVisible(() => this.#askNewest(), REFRESH_MS);

  /**
   * @param {HTMLElement} root
   * @param {(sessions: Session[], isBack: boolean) => void} onRefresh
   *     isBack: the server answers again, after it did not
   */
  constructor(root, onRefresh) {
    this.#root = root;
    this.#onRefresh = onRefresh;
    this.#older.addEventListener("click", () => void this.#askOlder());
    find(root, "list-retry", HTMLButtonElement).addEventListener("click", () => this.refresh());
  }

  start() {
    this.#poll.start();
  }

  refresh() {
    this.#poll.now();
  }

  /**
   * A row that was just read elsewhere on the page.
   *
   * @param {Session} session
   */
  take(session) {
    const sessions = this.#list.sessions.map((known) =>
      known.sessionId === session.sessionId ? session : known,
    );
    this.#list = { ...this.#list, sessions };
    if (this.#isLoaded) this.#write();
  }

  /** @param {string | null} sessionId */
  select(sessionId) {
    this.#selectedId = sessionId;
    for (const [id, item] of this.#items) item.setSelected(id === sessionId);
  }

  get #older() {
    return find(this.#root, "older", HTMLButtonElement);
  }

  async #askNewest() {
    const shown = this.#list.sessions.length;
    const limit = Math.min(Math.max(PAGE_SIZE, shown), MAX_REFRESHED);
    await this.#ask(async () => {
      this.#list = withNewest(this.#list, await listSessions({ limit }));
    });
  }

  async #askOlder() {
    this.#older.disabled = true;
    await this.#ask(async () => {
      const cursor = this.#list.nextCursor;
      this.#list = withOlder(this.#list, await listSessions({ limit: PAGE_SIZE, cursor }));
    });
    this.#older.disabled = false;
  }

  /** @param {() => Promise<void>} load */
  async #ask(load) {
    const problem = find(this.#root, "list-problem", HTMLElement);
    try {
      await load();
      const isBack = !problem.hidden;
      this.#isLoaded = true;
      problem.hidden = true;
      this.#onRefresh(this.#list.sessions, isBack);
    } catch (error) {
      setText(problem, "text", error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
    this.#write();
  }

  #write() {
    const { sessions, nextCursor } = this.#list;
    const list = find(this.#root, "session-list", HTMLElement);
    const now = Date.now();

    sessions.forEach((session, index) => {
      const item = this.#itemFor(session.sessionId);
      item.write(session, now);
      if (list.children[index] !== item.element) {
        list.insertBefore(item.element, list.children[index] ?? null);
      }
    });
    this.#forgetBeyond(list, sessions);

    find(this.#root, "list-loading", HTMLElement).hidden = true;
    find(this.#root, "list-empty", HTMLElement).hidden = !this.#isLoaded || sessions.length > 0;
    this.#older.hidden = nextCursor === null;
  }

  /** @param {string} sessionId */
  #itemFor(sessionId) {
    const known = this.#items.get(sessionId);
    if (known !== undefined) return known;
    const item = sessionItem(copyOf("session"));
    item.setSelected(sessionId === this.#selectedId);
    this.#items.set(sessionId, item);
    return item;
  }

  /**
   * @param {HTMLElement} list
   * @param {Session[]} sessions
   */
  #forgetBeyond(list, sessions) {
    if (this.#items.size === sessions.length) return;
    const kept = new Set(sessions.map((session) => session.sessionId));
    for (const id of [...this.#items.keys()].filter((key) => !kept.has(key))) {
      const item = this.#items.get(id);
      if (item !== undefined) list.removeChild(item.element);
      this.#items.delete(id);
    }
  }
}
