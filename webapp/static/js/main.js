/** The chat page, put together. */

import { login } from "./api/requests.js";
import { getSession } from "./api/sessions.js";
import { askingIn } from "./approvals/asking.js";
import { startBadge } from "./approvals/badge.js";
import { LateDock } from "./approvals/late_dock.js";
import { LateChanges } from "./changes/late_changes.js";
import { Composer } from "./composer/composer.js";
import { Conversation } from "./conversation/conversation.js";
import { stop, stoppingOf } from "./conversation/stopping.js";
import { late } from "./late.js";
import { formatRoute, parseRoute } from "./route.js";
import { TurnSpeaker } from "./view/announcer.js";
import { ConnectionBadge, overall } from "./view/connection_badge.js";
import { find, setText } from "./view/dom.js";
import { Drawer } from "./view/drawer.js";
import { HeadLine } from "./view/head_line.js";
import { setPageTitle, setWorking } from "./view/page_title.js";
import { noteSection, turnSection } from "./view/turn_section.js";
import { WindowedList } from "./window/windowed_list.js";
import { isFinal, lookOfWorkflow } from "./workflows/status.js";
import { titleOf } from "./workflows/titles.js";
import { WorkflowBar } from "./workflows/workflow_bar.js";
import { WorkflowsPanel } from "./workflows/workflows_panel.js";

/**
 * @typedef {import("./conversation/shown_session.js").ShownSession} ShownSession
 * @typedef {import("./conversation/turn_order.js").Entry} Entry
 * @typedef {import("./window/windowed_list.js").DrawnSection} DrawnSection
 */

/** A person who has waited that long may want to look elsewhere meanwhile. */
const LONG_TURN_MS = 8_000;

/** @type {import("./route.js").Route} */
let route = { workflowId: null, sessionId: null, approvalId: null };
/** @type {Conversation | null} */
let conversation = null;
/** By entry. @type {Map<string, DrawnSection>} */
let sections = new Map();
/** @type {{turn: ShownSession, speaker: TurnSpeaker} | null} */
let spoken = null;
/** Once a reader has asked for them. @type {import("./view/facts_panel.js").FactsPanel | null} */
let facts = null;
/** What waits for a person anywhere. @type {import("./api/approvals.js").Approval[]} */
let waiting = [];

const loadFacts = late(async () => {
  const [{ FactsPanel }] = await Promise.all([import("./view/facts_panel.js"), import("./view/facts.js")]);
  return new FactsPanel(find(document, "facts-panel", HTMLElement));
});
const drawer = new Drawer();
const stage = find(document, "stage", HTMLElement);
const list = new WindowedList(
  find(stage, "scroller", HTMLElement),
  find(stage, "rows", HTMLElement),
  find(stage, "jump", HTMLButtonElement),
);
const badge = new ConnectionBadge(find(document, "connection", HTMLElement), () => conversation?.tryNow());
const head = new HeadLine(find(document, "head-line", HTMLElement));
const changes = new LateChanges(find(document, "changes-button", HTMLButtonElement), (text) => composer.add(text));
const dock = new LateDock(
  find(document, "asks", HTMLElement),
  find(document, "asks-list", HTMLElement),
  () => composer.focus(),
);
const bar = new WorkflowBar(find(document, "bar", HTMLElement), find(document, "gate", HTMLElement), {
  onWorkflow(workflow) {
    conversation?.takeWorkflow(workflow);
    panel.refresh();
  },
  onGone: (workflowId) => panel.drop(workflowId),
});

/** @type {import("./view/worktree_menu.js").WorktreeMenu | null} */
let worktrees = null;
const loadWorktrees = late(async () => {
  const { WorktreeMenu } = await import("./view/worktree_menu.js");
  return new WorktreeMenu(find(document, "head-worktree", HTMLElement), (changed) => conversation?.takeWorkflow(changed));
});

const composer = new Composer(find(document, "composer", HTMLFormElement), {
  workflowId: () => route.workflowId,
  onSent(session, letter) {
    if (session.workflowId !== route.workflowId) {
      location.hash = formatRoute({ workflowId: session.workflowId });
      followRoute();
      bar.setTitle(titleOf(letter.message));
    }
    conversation?.takeStarted(session, letter);
    list.follow();
    panel.refresh();
    setTimeout(offerCalls, LONG_TURN_MS);
  },
  choices: (agent) => head.choicesFor(agent),
  onStop: () => stop(conversation?.latest),
  onEscape: () => dock.focus(),
});

const panel = new WorkflowsPanel(find(document, "sidebar", HTMLElement), {
  onRefresh(live, isBack) {
    if (isBack) conversation?.hurry();
    conversation?.takeRows(live);
    if (route.workflowId !== null) showTitle();
  },
});

async function offerCalls() {
  if (!isWorking()) return;
  const { offer } = await import("./calls/offer.js");
  offer(find(document, "composer", HTMLFormElement));
}

function isWorking() {
  const latest = conversation?.latest;
  return latest?.isLive === true && (!latest.isTalk || latest.talkState === "working");
}

function followRoute() {
  const next = parseRoute(location.hash);
  if (next.approvalId !== null) dock.focus(next.approvalId);
  const isSame = next.workflowId === route.workflowId && next.sessionId === route.sessionId;
  if (isSame && (conversation !== null || next.workflowId === null) && sections.size > 0) return;

  route = next;
  conversation?.close();
  conversation = null;
  spoken = null;
  sections = new Map();
  list.setSections([]);
  facts?.hide();
  badge.hide();
  bar.show(null);
  dock.clear();
  head.show(undefined);
  changes.show(undefined);
  void showWorktree(null);
  composer.showStop("none");
  composer.showQueue("", []);
  composer.answer(null);
  composer.show(route.workflowId);
  composer.close("");
  panel.select(route.workflowId);
  showProblem(null);

  if (route.workflowId !== null) openWorkflow(route.workflowId);
  else if (route.sessionId !== null) void openWorkflowOf(route.sessionId);
  else showEmpty();
}

function showEmpty() {
  show("empty");
  setPageTitle("");
  bar.setTitle("New conversation");
}

function show(name) {
  stage.dataset.stage = name;
  for (const part of stage.querySelectorAll("[data-when]")) {
    if (part instanceof HTMLElement) part.hidden = part.dataset.when !== name;
  }
}

function openWorkflow(workflowId) {
  show("loading");
  showTitle();
  conversation = new Conversation(workflowId, {
    onEntries: showEntries,
    onProblem: showProblem,
    onWorkflow(workflow) {
      bar.show(workflow);
      void showWorktree(workflow);
      showTitle();
      panel.take(workflow);
      composer.close(whyClosed(workflow.status), workflow.status === "paused");
      list.refresh();
    },
    onChange(turn) {
      list.refresh();
      facts?.update(turn);
      if (turn === conversation?.latest) {
        head.show(turn);
        changes.show(turn);
      }
      if (turn === spoken?.turn) spoken.speaker.hear();
    },
    onState: showLine,
  });
  list.follow();
  conversation.open();
}

/** A URL that names only a session, as others link to it. */
async function openWorkflowOf(sessionId) {
  show("loading");
  bar.setTitle("Session");
  try {
    const { workflowId } = await getSession(sessionId);
    if (parseRoute(location.hash).sessionId === sessionId) location.replace(formatRoute({ ...parseRoute(location.hash), workflowId }));
  } catch (error) {
    showProblem(error instanceof Error ? error : new Error(String(error)));
  }
}

function showEntries(entries) {
  const turns = conversation?.sessions ?? new Map();
  sections = new Map(
    entries.map((entry) => [entry.key, sections.get(entry.key) ?? sectionOf(entry, turns.get(entry.key))]),
  );
  show(entries.length > 0 || !conversation?.isLoaded ? "conversation" : "empty");
  list.setSections([...sections.values()]);
  showLine();

  const latest = conversation?.latest;
  if (latest !== undefined && spoken?.turn !== latest) {
    spoken = { turn: latest, speaker: new TurnSpeaker(latest) };
    composer.chooseAgent(latest.row.agent);
  }
  showAsked(entries);
}

/** The session that the URL names, unless it is the last one anyway. @param {Entry[]} entries */
function showAsked(entries) {
  const { sessionId } = route;
  const section = sessionId === null ? undefined : sections.get(sessionId);
  if (section === undefined || sessionId === entries.at(-1)?.key) return;
  route = { ...route, sessionId: null };
  list.show(section);
}

function sectionOf(entry, turn) {
  if (entry.kind === "note" || turn === undefined) {
    return noteSection(entry.key, entry.kind === "note" ? entry.role : "", entry.kind === "note" ? entry.text : "");
  }
  return turnSection(turn, {
    showFacts: (asked) => void showFacts(asked),
    retry: (asked) => composer.send(asked.said ?? "", asked.row.agent),
    say(asked, { said, isWaiting }) {
      // What the agent has not taken, whoever goes on with the conversation sends.
      if (isWaiting && !asked.isLive && asked === conversation?.latest) composer.goOn(asked.row.agent);
      else composer.send(said, asked.row.agent);
    },
    putBack: (text) => composer.putBack(text),
    stageName({ row }) {
      const stages = conversation?.workflow?.stages ?? [];
      return stages.length > 1 ? (stages[row.stageIndex]?.name ?? "") : "";
    },
    nearTurn(near) {
      const [first] = sections.keys();
      if (near.sessionId === first) void conversation?.loadOlder();
    },
  });
}

async function showFacts(turn) {
  try {
    facts = await loadFacts();
    facts.open(turn);
  } catch (error) {
    showProblem(error instanceof Error ? error : new Error(String(error)));
  }
}

function showLine() {
  const turns = [...(conversation?.sessions.values() ?? [])];
  const streaming = turns.filter((turn) => turn.isStreaming);
  const line = overall((streaming.length > 0 ? streaming : turns).map((turn) => turn.state));
  const latest = conversation?.latest;
  setWorking(isWorking());
  // The end of a stream is no end of its conversation.
  if (line?.phase === "ended") badge.hide();
  else badge.show(line);
  head.show(latest);
  if (latest?.isTalk) void dock.prepare();
  dock.show(askingIn(conversation, waiting), (id) => conversation?.resolutionOf(id));
  composer.showAsks(!dock.isEmpty);
  composer.showStop(stoppingOf(latest));
  composer.showQueue(latest?.sessionId ?? "", [...(latest?.isLive ? latest.transcript.queued.values() : [])]);
  const listens = latest?.isLive && !latest.isStopping && latest.row.takesInput && !latest.isTalk;
  composer.answer(listens ? { sessionId: latest.sessionId, agent: latest.row.agent } : null);
}

function showProblem(error) {
  const hasTurns = (conversation?.sessions.size ?? 0) > 0;
  const problem = find(document, "conversation-problem", HTMLElement);
  problem.hidden = error === null || !hasTurns;
  setText(problem, "text", error?.message ?? "");
  if (error !== null && !hasTurns) {
    setText(stage, "refused-text", error.message);
    show("refused");
  } else if (error === null && stage.dataset.stage === "refused") {
    show("empty");
  }
}

async function showWorktree(workflow) {
  if (!workflow?.worktree && worktrees === null) return;
  worktrees ??= await loadWorktrees();
  worktrees.show(workflow);
}

function showTitle() {
  const title = titleOf(conversation?.workflow?.title);
  bar.setTitle(title);
  setPageTitle(title);
}

function whyClosed(status) {
  if (status === "paused") return "This workflow is paused.";
  if (isFinal(status)) return `This workflow is ${lookOfWorkflow(status).word.toLowerCase()}: it takes no more messages.`;
  return "";
}

for (const button of document.querySelectorAll("[data-suggestion]")) {
  button.addEventListener("click", () => composer.send(button.textContent?.trim() ?? "", "demo"));
}

find(document, "resume-here", HTMLButtonElement).addEventListener("click", () => bar.resume());

function openNew() {
  location.hash = "";
  followRoute();
  drawer.close();
  composer.focus();
}

for (const link of document.querySelectorAll("[data-new]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    openNew();
  });
}

find(stage, "refused-retry", HTMLButtonElement).addEventListener("click", () => {
  if (conversation !== null) conversation.refresh();
  else if (route.sessionId !== null) void openWorkflowOf(route.sessionId);
});

find(document, "skip", HTMLAnchorElement).addEventListener("click", (event) => {
  event.preventDefault();
  composer.focus();
});

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const id = panel.neighbour(event.key === "ArrowUp" ? -1 : 1);
    if (id === null) return;
    event.preventDefault();
    location.hash = formatRoute({ workflowId: id, sessionId: null });
  } else if (event.code === "KeyN") {
    event.preventDefault();
    openNew();
  }
});

login.onChange = (isIn) => {
  find(document, "logged-out", HTMLElement).hidden = isIn;
  if (isIn) conversation?.tryNow();
};

window.addEventListener("hashchange", followRoute);
startBadge((approvals) => {
  waiting = approvals;
  if (conversation !== null) showLine();
  panel.refresh();
});
followRoute();
panel.start();
// A browser whose keyboard covers the page rather than resizes it.
visualViewport?.addEventListener("resize", () => {
  const covered = innerHeight - (visualViewport?.height ?? innerHeight);
  document.body.style.height = covered > 80 && visualViewport?.scale === 1 ? `${visualViewport.height}px` : "";
});
if (matchMedia("(hover: hover)").matches) composer.focus();
