/** The page of all sessions, put together. */

import { startBadge } from "./approvals/badge.js";
import { getJson } from "./api/requests.js";
import { countSessions, getSession, listSessions } from "./api/sessions.js";
import { serverNow } from "./clock.js";
import { formatExactClock, formatDateTime } from "./format.js";
import { Filters } from "./session_list/filters.js";
import { PAGE_SIZE, apiFields, formatQuery, isFiltered, parseQuery } from "./session_list/query.js";
import { sessionRow } from "./session_list/session_row.js";
import { isOver } from "./sessions/status.js";
import { find, setText } from "./view/dom.js";
import { pollWhileVisible } from "./workflows/poller.js";

/**
 * @typedef {import("./session_list/query.js").Query} Query
 * @typedef {import("./api/sessions.js").Session} Session
 * @typedef {import("./session_list/session_row.js").SessionRow} SessionRow
 */

const REFRESH_MS = 3_000;

let query = parseQuery(location.search);
/** Where the pages before this one begin. @type {string[]} */
let before = history.state?.before ?? [];
/** @type {{sessions: Session[], titles: Record<string, string>, nextCursor: string | null}} */
let shown = { sessions: [], titles: {}, nextCursor: null };
/** Counts up with each question: an answer to an older one is none. */
let asked = 0;
let isLoaded = false;
/** @type {Map<string, SessionRow>} */
const rows = new Map();

const list = find(document, "list", HTMLElement);
const filters = new Filters(find(document, "filters", HTMLFormElement), query, (next, isTyping) => {
  go(next, [], isTyping);
});

/** @param {Query} next @param {string[]} nextBefore  shown at once, and kept in the URL */
function go(next, nextBefore, isReplacing = false) {
  const url = `${location.pathname}${formatQuery(next)}`;
  const keep = isReplacing ? "replaceState" : "pushState";
  history[keep]({ before: nextBefore }, "", url);
  take(next, nextBefore);
}

/** @param {Query} next */
function take(next, nextBefore) {
  query = next;
  before = nextBefore;
  filters.show(query);
  void load();
}

/** Ask for the page anew; a search goes on until the page is full, and says how far it is. */
async function load({ isQuiet = false } = {}) {
  asked += 1;
  const question = asked;
  if (!isQuiet) list.toggleAttribute("data-busy", true);
  const found = { sessions: [], titles: {}, nextCursor: null };
  try {
    let fields = apiFields(query);
    for (;;) {
      const page = await listSessions(fields);
      if (question !== asked) return;
      found.sessions.push(...page.sessions);
      Object.assign(found.titles, page.titles);
      found.nextCursor = page.nextCursor;
      const goesOn = page.incomplete === true && found.sessions.length < PAGE_SIZE;
      if (!isQuiet || !goesOn) show(found, goesOn);
      if (!goesOn) break;
      fields = { ...fields, cursor: page.nextCursor ?? "", limit: PAGE_SIZE - found.sessions.length };
    }
    showProblem(null);
  } catch (error) {
    if (question !== asked) return;
    showProblem(error instanceof Error ? error : new Error(String(error)));
    showSearching(false);
  }
  list.removeAttribute("data-busy");
}

function show(found, goesOn) {
  shown = { ...found };
  isLoaded = true;
  write();
  showSearching(goesOn);
  const isEmpty = found.sessions.length === 0 && !goesOn;
  find(list, "loading", HTMLElement).hidden = true;
  find(list, "table", HTMLElement).hidden = found.sessions.length === 0;
  find(list, "empty", HTMLElement).hidden = !isEmpty;
  if (isEmpty) showEmpty();
  showPager(goesOn);
}

/** Rows that stay keep their element, and with it the focus. */
function write() {
  const body = find(list, "rows", HTMLElement);
  const now = serverNow();
  const wanted = new Set(shown.sessions.map((session) => session.sessionId));
  for (const [id, row] of rows) {
    if (wanted.has(id)) continue;
    row.element.remove();
    rows.delete(id);
  }
  let next = body.firstElementChild;
  for (const session of shown.sessions) {
    const { sessionId } = session;
    const row = rows.get(sessionId) ?? sessionRow(sessionId, onlyWorkflow);
    rows.set(sessionId, row);
    row.write(session, shown.titles[sessionId] ?? "", now);
    if (row.element === next) next = next.nextElementSibling;
    else body.insertBefore(row.element, next);
  }
}

function onlyWorkflow(workflowId) {
  go({ ...query, workflowId, cursor: "" }, []);
}

function showEmpty() {
  const isNarrow = isFiltered(query);
  setText(list, "empty-title", isNarrow ? "No session is like that" : "No sessions yet");
  setText(
    list,
    "empty-text",
    isNarrow
      ? "Nothing matches all of the filters above."
      : "As soon as an agent is started, its session stands here for good.",
  );
  find(list, "clear", HTMLElement).hidden = !isNarrow;
  find(list, "to-chat", HTMLElement).hidden = isNarrow;
}

function showSearching(goesOn) {
  const note = find(document, "searching", HTMLElement);
  note.hidden = !goesOn;
  if (!goesOn) return;
  const [, ms] = /session-(\d{13})/.exec(shown.nextCursor ?? "") ?? [];
  const back = ms === undefined ? "" : `, at those of ${formatDateTime(new Date(Number(ms)).toISOString())}`;
  setText(note, "searching-text", `Looking through the sessions${back}…`);
}

function showPager(goesOn) {
  const { nextCursor } = shown;
  const pager = find(document, "pager", HTMLElement);
  pager.hidden = nextCursor === null && before.length === 0 && query.cursor === "";
  find(pager, "first", HTMLButtonElement).disabled = query.cursor === "";
  find(pager, "previous", HTMLButtonElement).disabled = before.length === 0;
  find(pager, "next", HTMLButtonElement).disabled = nextCursor === null || goesOn;
  setText(pager, "page", query.cursor !== "" && before.length === 0 ? "" : `Page ${before.length + 1}`);
}

function showProblem(error) {
  const box = find(document, "problem", HTMLElement);
  box.hidden = error === null;
  setText(box, "problem-text", error?.message ?? "");
  if (error !== null) find(list, "loading", HTMLElement).hidden = true;
  setText(document.body, "fresh", error === null ? `As of ${formatExactClock(new Date().toISOString())}` : "");
}

async function refresh() {
  try {
    const counts = await countSessions(query.agent);
    filters.showCounts(counts);
    if (query.agent === "") filters.showAgents(Object.keys(counts.byAgent).sort());
    else if (!isLoaded) filters.showAgents(Object.keys((await countSessions()).byAgent).sort());
  } catch {
    filters.showCounts(null);
  }
  if (!isLoaded) return load();
  if (query.text.trim() === "") await load({ isQuiet: true });
  else await refreshLive();
}

/** A search takes long: of what it found only that is asked for again which may change. */
async function refreshLive() {
  const question = asked;
  const fresh = await Promise.all(
    shown.sessions.map((session) =>
      isOver(session.status) ? session : getSession(session.sessionId).catch(() => session),
    ),
  );
  if (question !== asked) return;
  shown.sessions = fresh;
  write();
}

function nextPage() {
  if (shown.nextCursor === null) return;
  go({ ...query, cursor: shown.nextCursor }, [...before, query.cursor]);
  toTop();
}

function previousPage() {
  const cursor = before.at(-1);
  if (cursor === undefined) return;
  go({ ...query, cursor }, before.slice(0, -1));
  toTop();
}

function toTop() {
  window.scrollTo(0, 0);
}

/** Once: the settings of a server do not change while it runs. */
async function offerProjects() {
  try {
    const { projects } = await getJson("/api/projects");
    filters.showProjects(projects.map(({ name }) => name));
  } catch {
    // The list is as good without them.
  }
}

const poll = pollWhileVisible(refresh, REFRESH_MS);
find(document, "next", HTMLButtonElement).addEventListener("click", nextPage);
find(document, "previous", HTMLButtonElement).addEventListener("click", previousPage);
find(document, "first", HTMLButtonElement).addEventListener("click", () => {
  go({ ...query, cursor: "" }, []);
  toTop();
});
find(document, "retry", HTMLButtonElement).addEventListener("click", () => {
  void load();
  poll.now();
});
find(list, "clear", HTMLButtonElement).addEventListener("click", () => {
  go(parseQuery(""), []);
  poll.now();
});
find(document, "agent", HTMLSelectElement).addEventListener("change", () => poll.now());
window.addEventListener("popstate", (event) => take(parseQuery(location.search), event.state?.before ?? []));
startBadge();
poll.start();
void offerProjects();
