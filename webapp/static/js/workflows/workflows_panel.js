/** The list of workflows: refreshed, paged, and marked when it is not fresh. */

import { listSessions } from "../api/sessions.js";
import { listWorkflows } from "../api/workflows.js";
import { serverNow } from "../clock.js";
import { copyOf, find, setText } from "../view/dom.js";
import { EMPTY_LIST, withNewest, withOlder } from "./paged_list.js";
import { pollWhileVisible } from "./poller.js";
import { titleOf } from "./titles.js";
import { workflowItem } from "./workflow_item.js";

const REFRESH_MS = 3_000;
const PAGE_SIZE = 30;
/** A reader who has paged far back is given fresh rows only this far. */
const MAX_REFRESHED = 100;

/**
 * @typedef {import("../api/sessions.js").Session} Session
 *
 * @typedef {object} PanelHooks
 * @property {(live: Session[], isBack: boolean) => void} onRefresh
 *     isBack: the server answers again, after it did not
 */

export class WorkflowsPanel {
  #root;
  #hooks;
  #list = EMPTY_LIST;
  /** The states of running sessions by workflow. @type {Map<string, string[]>} */
  #live = new Map();
  #isLoaded = false;
  #selectedId = null;
  #items = new Map();
  #poll = pollWhileVisible(() => this.#askNewest(), REFRESH_MS);

  constructor(root, hooks) {
    this.#root = root;
    this.#hooks = hooks;
    this.#older.addEventListener("click", () => void this.#askOlder());
    find(root, "list-retry", HTMLButtonElement).addEventListener("click", () => this.refresh());
  }

  start() {
    this.#poll.start();
  }

  refresh() {
    this.#poll.now();
  }

  /** A row that was just read elsewhere on the page. */
  take(workflow) {
    const items = this.#list.items.map((known) => (known.id === workflow.id ? workflow : known));
    this.#list = { ...this.#list, items };
    if (this.#isLoaded) this.#write();
  }

  select(workflowId) {
    this.#selectedId = workflowId;
    for (const [id, item] of this.#items) item.setSelected(id === workflowId);
  }

  /**
   * The workflow above or below the selected one.
   *
   * @param {1 | -1} step
   */
  neighbour(step) {
    const at = this.#list.items.findIndex((workflow) => workflow.id === this.#selectedId);
    return this.#list.items[at === -1 ? 0 : at + step]?.id ?? null;
  }

  get #older() {
    return find(this.#root, "older", HTMLButtonElement);
  }

  async #askNewest() {
    const shown = this.#list.items.length;
    const limit = Math.min(Math.max(PAGE_SIZE, shown), MAX_REFRESHED);
    await this.#ask(async () => {
      const [page, live] = await Promise.all([
        listWorkflows({ limit }),
        listSessions({ status: "starting,running", limit: 200 }),
      ]);
      this.#list = withNewest(this.#list, asPage(page));
      this.#live = statesBy(live.sessions);
      return live.sessions;
    });
  }

  async #askOlder() {
    this.#older.disabled = true;
    await this.#ask(async () => {
      const cursor = this.#list.nextCursor;
      const page = await listWorkflows({ limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) });
      this.#list = withOlder(this.#list, asPage(page));
      return [];
    });
    this.#older.disabled = false;
  }

  async #ask(load) {
    const problem = find(this.#root, "list-problem", HTMLElement);
    try {
      const live = await load();
      const isBack = !problem.hidden;
      this.#isLoaded = true;
      problem.hidden = true;
      this.#hooks.onRefresh(live, isBack);
    } catch (error) {
      setText(problem, "text", error instanceof Error ? error.message : String(error));
      problem.hidden = false;
    }
    this.#write();
  }

  #write() {
    const { items, nextCursor } = this.#list;
    const list = find(this.#root, "workflow-list", HTMLElement);
    const now = serverNow();

    items.forEach((workflow, index) => {
      const item = this.#itemFor(workflow.id);
      const live = this.#live.get(workflow.id) ?? [];
      item.write({ workflow, title: titleOf(workflow.title), live }, now);
      if (list.children[index] !== item.element) {
        list.insertBefore(item.element, list.children[index] ?? null);
      }
    });
    this.#forgetBeyond(items);

    const hasProblem = !find(this.#root, "list-problem", HTMLElement).hidden;
    find(this.#root, "list-loading", HTMLElement).hidden = this.#isLoaded || hasProblem;
    find(this.#root, "list-empty", HTMLElement).hidden = !this.#isLoaded || items.length > 0;
    this.#older.hidden = nextCursor === null;
  }

  #itemFor(workflowId) {
    const known = this.#items.get(workflowId);
    if (known !== undefined) return known;
    const item = workflowItem(copyOf("workflow"));
    item.setSelected(workflowId === this.#selectedId);
    this.#items.set(workflowId, item);
    return item;
  }

  #forgetBeyond(workflows) {
    if (this.#items.size === workflows.length) return;
    const kept = new Set(workflows.map((workflow) => workflow.id));
    for (const [id, item] of [...this.#items]) {
      if (kept.has(id)) continue;
      item.element.remove();
      this.#items.delete(id);
    }
  }
}

function asPage({ workflows, nextCursor }) {
  return { items: workflows, nextCursor };
}

function statesBy(sessions) {
  const states = new Map();
  for (const { workflowId, state } of sessions) {
    states.set(workflowId, [...(states.get(workflowId) ?? []), state ?? "working"]);
  }
  return states;
}
