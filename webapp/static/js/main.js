/** The front page, put together. */

import { listSessions } from "./api/sessions.js";
import { Composer } from "./composer/composer.js";
import { Conversation } from "./conversation.js";
import { formatRoute, parseRoute } from "./route.js";
import { SessionsPanel } from "./sessions/sessions_panel.js";
import { isOver, lookOf } from "./sessions/status.js";
import { ConnectionBadge } from "./view/connection_badge.js";
import { find } from "./view/dom.js";
import { Drawer } from "./view/drawer.js";
import { FactsPanel } from "./view/facts_panel.js";
import { Stage } from "./view/stage.js";

const TITLE = document.title;

/** @type {import("./route.js").Route} */
let route = { workflowId: null, sessionId: null };
/** @type {Conversation | null} */
let conversation = null;

const drawer = new Drawer();
const stage = new Stage(find(document, "stage", HTMLElement), tryNow);
const facts = new FactsPanel(find(document, "facts-panel", HTMLElement));
const badge = new ConnectionBadge(find(document, "connection", HTMLElement), tryNow);

const composer = new Composer(find(document, "composer", HTMLFormElement), {
  workflowId: () => route.workflowId,
  onSent(session) {
    location.hash = formatRoute(session);
    sessions.refresh();
  },
  onStop: async () => conversation?.stop(),
});

const sessions = new SessionsPanel(find(document, "sidebar", HTMLElement), (rows, isBack) => {
  if (isBack) conversation?.hurry();
  const row = rows.find((session) => session.sessionId === route.sessionId);
  if (row !== undefined) conversation?.takeRow(row);
});

function tryNow() {
  conversation?.tryNow();
}

function followRoute() {
  const next = parseRoute(location.hash);
  const isSame = next.sessionId === route.sessionId && next.workflowId === route.workflowId;
  if (isSame && (conversation !== null || next.sessionId === null)) return;

  route = next;
  conversation?.close();
  conversation = null;
  composer.showStop("none");
  composer.hideProblem();
  sessions.select(route.sessionId);

  if (route.sessionId !== null) showSession(route.sessionId);
  else showEmpty();
}

function showEmpty() {
  document.title = TITLE;
  stage.showEmpty();
  facts.hide();
  badge.hide();
  if (route.workflowId !== null) void openNewestOf(route.workflowId);
}

/** @param {string} sessionId */
function showSession(sessionId) {
  stage.showSession(sessionId);
  facts.showIds(sessionId, route.workflowId);
  composer.showStop("none");

  /** @type {"none" | "possible"} */
  let stopping = "none";
  let isAgentChosen = false;
  conversation = new Conversation(sessionId, {
    onChange: (transcript) => stage.showTranscript(transcript),
    onState(state) {
      badge.show(state);
      stage.showState(state);
    },
    onRow(session) {
      facts.show(session);
      sessions.take(session);
      if (route.workflowId === null) route = { ...route, workflowId: session.workflowId };
      showStatus(session.agent, session.status);
    },
    onStatus(status) {
      facts.showStatus(status);
      showStop(status);
      sessions.refresh();
    },
  });
  conversation.open();

  /**
   * @param {string} agent
   * @param {string} status
   */
  function showStatus(agent, status) {
    document.title = `${agent} · ${lookOf(status).word} — ${TITLE}`;
    if (!isAgentChosen) composer.chooseAgent(agent);
    isAgentChosen = true;
    showStop(status);
  }

  /** Not with each row: the button may say "Stopping…" by now. @param {string} status */
  function showStop(status) {
    const next = isOver(status) ? "none" : "possible";
    if (next !== stopping) composer.showStop(next);
    stopping = next;
  }
}

/**
 * A URL that names only a workflow: a reload between its creation and its first session, or a link.
 *
 * @param {string} workflowId
 */
async function openNewestOf(workflowId) {
  const page = await listSessions({ limit: 1, workflowId }).catch(() => null);
  const newest = page?.sessions[0];
  const isStillWanted = route.workflowId === workflowId && route.sessionId === null;
  if (newest?.workflowId === workflowId && isStillWanted) location.replace(formatRoute(newest));
}

for (const button of document.querySelectorAll("[data-suggestion]")) {
  button.addEventListener("click", () => {
    composer.chooseAgent("demo");
    composer.send(button.textContent?.trim() ?? "");
  });
}

for (const link of document.querySelectorAll("[data-new]")) {
  link.addEventListener("click", () => {
    drawer.close();
    composer.focus();
  });
}

find(document, "skip", HTMLAnchorElement).addEventListener("click", (event) => {
  event.preventDefault();
  composer.focus();
});

window.addEventListener("hashchange", followRoute);
stage.showEmpty();
followRoute();
sessions.start();
if (matchMedia("(hover: hover)").matches) composer.focus();
