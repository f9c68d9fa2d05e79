/** The list of workflows: refreshed, paged, and marked when it is not fresh. */

import { listSessions } from "../api/sessions.js";
import { listsOfWorkflows } from "../api/workflows.js";
import { serverNow } from "../clock.js";
import { copyOf, find, setText } from "../view/dom.js";
import { lookOfChat } from "./chat_state.js";
import { groupOf, grouped } from "./groups.js";
import { EMPTY_LIST, withNewest, withOlder } from "./paged_list.js";
import { pollWhileVisible } from "./poller.js";
import { beginToSee, markSeen } from "./seen.js";
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
  /** @type {Map<string, HTMLElement>} */
  #groups = new Map();
  /** What is pinned, however old it is. @type {import("../api/workflows.js").Workflow[]} */
  #pinned = [];
  #wanted = { text: "", state: "", project: "" };
  /** Of all that was listed. @type {Set<string>} */
  #projects = new Set();
  #poll = pollWhileVisible(() => this.#askNewest(), REFRESH_MS);

  constructor(root, hooks) {
    this.#root = root;
    this.#hooks = hooks;
    this.#older.addEventListener("click", () => void this.#askOlder());
    find(root, "list-retry", HTMLButtonElement).addEventListener("click", () => this.refresh());
    const text = find(root, "list-text", HTMLInputElement);
    const state = find(root, "list-state", HTMLSelectElement);
    const project = find(root, "list-project", HTMLSelectElement);
    const filter = () => this.#filter({ text: text.value.trim(), state: state.value, project: project.value });
    text.addEventListener("input", filter);
    state.addEventListener("change", filter);
    project.addEventListener("change", filter);
  }

  #filter(wanted) {
    const before = JSON.stringify(this.#query);
    this.#wanted = wanted;
    if (JSON.stringify(this.#query) !== before) {
      this.#list = EMPTY_LIST;
      this.#pinned = [];
      this.refresh();
    } else this.#write();
  }

  /** What the server is asked for. */
  get #query() {
    const { text, state, project } = this.#wanted;
    return { archived: state === "archived", ...(text === "" ? {} : { text }), ...(project === "" ? {} : { project }) };
  }

  start() {
    beginToSee(new Date(serverNow()).toISOString());
    this.#poll.start();
  }

  refresh() {
    this.#poll.now();
  }

  /** A row that was just read elsewhere on the page. */
  take(workflow) {
    const items = this.#list.items.map((known) => (known.id === workflow.id ? { ...known, ...workflow } : known));
    this.#pinned = this.#pinned.map((known) => (known.id === workflow.id ? { ...known, ...workflow } : known));
    this.#list = { ...this.#list, items };
    if (this.#isLoaded) this.#write();
  }

  /** It was put away, or deleted. */
  drop(workflowId) {
    this.#list = { ...this.#list, items: this.#list.items.filter(({ id }) => id !== workflowId) };
    this.#pinned = this.#pinned.filter(({ id }) => id !== workflowId);
    this.#write();
    this.refresh();
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
    const ids = [...this.#items.keys()];
    const at = ids.indexOf(this.#selectedId ?? "");
    return ids[at === -1 ? 0 : at + step] ?? null;
  }

  get #older() {
    return find(this.#root, "older", HTMLButtonElement);
  }

  async #askNewest() {
    const shown = this.#list.items.length;
    const limit = Math.min(Math.max(PAGE_SIZE, shown), MAX_REFRESHED);
    const asked = this.#query;
    await this.#ask(async () => {
      const [[page, pinned], live] = await Promise.all([
        listsOfWorkflows([{ ...asked, limit }, { ...asked, limit: MAX_REFRESHED, pinned: true }]),
        listSessions({ status: "starting,running", limit: 200 }),
      ]);
      // Somebody filters the list meanwhile: what is asked for next has it.
      if (JSON.stringify(asked) === JSON.stringify(this.#query)) {
        this.#list = withNewest(this.#list, asPage(page));
        this.#pinned = pinned.workflows;
      }
      this.#live = statesBy(live.sessions);
      return live.sessions;
    });
  }

  async #askOlder() {
    this.#older.disabled = true;
    await this.#ask(async () => {
      const cursor = this.#list.nextCursor;
      const asked = { ...this.#query, limit: PAGE_SIZE, ...(cursor === null ? {} : { cursor }) };
      const [page] = await listsOfWorkflows([asked]);
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
    const { nextCursor } = this.#list;
    const now = serverNow();
    const shown = this.#shown();
    const list = find(this.#root, "workflow-list", HTMLElement);
    /** @type {Map<string, any>} */
    const items = new Map();
    const groups = grouped(shown, ({ workflow }) => groupOf(workflow, now)).map(([name, entries]) => {
      const rows = entries.map((entry) => {
        const item = this.#itemFor(entry.workflow.id);
        item.write(entry, now);
        items.set(entry.workflow.id, item);
        return item.element;
      });
      const group = this.#groupFor(name);
      place(find(group, "rows", HTMLElement), rows);
      return group;
    });
    this.#items = items;
    place(list, groups);

    this.#writeProjects(shown);
    const isFiltered = Object.values(this.#wanted).some((wanted) => wanted !== "");
    const hasProblem = !find(this.#root, "list-problem", HTMLElement).hidden;
    find(this.#root, "list-loading", HTMLElement).hidden = this.#isLoaded || hasProblem;
    find(this.#root, "list-empty", HTMLElement).hidden = !this.#isLoaded || shown.length > 0 || isFiltered;
    find(this.#root, "list-none", HTMLElement).hidden = !this.#isLoaded || shown.length > 0 || !isFiltered;
    this.#older.hidden = nextCursor === null;
  }

  /** In their order, each once, with how they look. */
  #shown() {
    const byId = new Map([...this.#pinned, ...this.#list.items].map((workflow) => [workflow.id, workflow]));
    const entries = [...byId.values()].map((workflow) => {
      if (workflow.id === this.#selectedId && !document.hidden) markSeen(workflow.id, workflow.latestSession?.restedAt);
      const live = this.#live.get(workflow.id) ?? [];
      return { workflow, title: titleOf(workflow.title), look: lookOfChat(workflow, live) };
    });
    const { state } = this.#wanted;
    return state === "" || state === "archived" ? entries : entries.filter(({ look }) => look.name === state);
  }

  /** A filter by project, once there is one. */
  #writeProjects(shown) {
    const count = this.#projects.size;
    for (const { workflow } of shown) if (workflow.project) this.#projects.add(workflow.project);
    if (this.#projects.size === count) return;
    const select = find(this.#root, "list-project", HTMLSelectElement);
    const chosen = select.value;
    select.replaceChildren(new Option("All projects", ""), ...[...this.#projects].sort().map((name) => new Option(name, name)));
    select.value = chosen;
    select.hidden = false;
  }

  #groupFor(name) {
    const group = this.#groups.get(name) ?? copyOf("workflow-group");
    setText(group, "group", name);
    this.#groups.set(name, group);
    return group;
  }

  #itemFor(workflowId) {
    const known = this.#items.get(workflowId);
    if (known !== undefined) return known;
    const item = workflowItem(copyOf("workflow"));
    item.setSelected(workflowId === this.#selectedId);
    this.#items.set(workflowId, item);
    return item;
  }
}

/** Make these the children; one that is in its place is not touched, for it may have the focus. */
function place(root, elements) {
  const kept = new Set(elements);
  for (const child of [...root.children]) if (!kept.has(child)) child.remove();
  elements.forEach((element, index) => {
    if (root.children[index] !== element) root.insertBefore(element, root.children[index] ?? null);
  });
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
