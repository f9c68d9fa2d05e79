/** The page of one session, put together. */

import { getTimeline } from "./api/moments.js";
import { cancelSession, getSession, listSessions, logUrl } from "./api/sessions.js";
import { startBadge } from "./approvals/badge.js";
import { serverNow } from "./clock.js";
import { formatBytes, formatDateTime, formatDuration, millisecondsBetween } from "./format.js";
import { late } from "./late.js";
import { parseMoment } from "./replay/moment.js";
import { RawLog } from "./replay/raw_log.js";
import { Replay } from "./replay/replay.js";
import { replaySection } from "./replay/replay_section.js";
import { TimelineView } from "./replay/timeline_view.js";
import { serverPath } from "./root.js";
import { formatRoute } from "./route.js";
import { isOver, lookOfSession } from "./sessions/status.js";
import { announce } from "./view/announcer.js";
import { copyOnClick } from "./view/clipboard.js";
import { copyOf, find, setIcon, setText } from "./view/dom.js";
import { setPageTitle } from "./view/page_title.js";
import { styleSheet } from "./view/style_sheet.js";
import { WindowedList } from "./window/windowed_list.js";
import { pollWhileVisible } from "./workflows/poller.js";

const REFRESH_MS = 3_000;
const BUCKETS = 240;
/** Who answered elsewhere may not be known here yet. */
const GONE = { outcome: "It waits no longer" };
const WORDS = { error: "error", tool_call: "tool call" };

const root = find(document, "session-page", HTMLElement);
const sessionId = root.dataset.sessionPage ?? "";
const place = { var: root.dataset.var ?? "", database: root.dataset.database ?? "" };

/** @type {import("./api/sessions.js").Session | null} */
let session = null;
let timelineSize = -1;
let resets = 0;
let linked = "";

const list = new WindowedList(
  find(root, "scroller", HTMLElement),
  find(root, "rows", HTMLElement),
  find(root, "jump", HTMLButtonElement),
);

const replay = new Replay(sessionId, {
  onReset() {
    resets += 1;
    list.setSections([replaySection(replay, `replay-${resets}`)]);
    list.follow();
  },
  onChange() {
    list.refresh();
    writePlayer();
  },
  onProblem: showProblem,
});

function showProblem(error) {
  const box = find(root, "problem", HTMLElement);
  box.hidden = error === null;
  setText(box, "problem-text", error?.message ?? "");
}

const timeline = new TimelineView(find(root, "timeline", HTMLElement), (ms) => void replay.seek({ ms }));
const rawLog = new RawLog(find(root, "log", HTMLElement), sessionId, (id) => void replay.seek({ id }));

// --- the player ---------------------------------------------------------------------

const playButton = find(root, "play", HTMLButtonElement);
const followButton = find(root, "follow", HTMLButtonElement);
const speedChoice = find(root, "speed", HTMLSelectElement);
const gapsChoice = find(root, "gaps", HTMLInputElement);

function writePlayer() {
  const isMoving = replay.mode !== "paused";
  const isPlaying = replay.mode === "playing";
  setIcon(playButton, isMoving ? "pause" : "play");
  setText(playButton, "word", isMoving ? "Pause" : replay.isAtEnd ? "Play from the start" : "Play");
  playButton.dataset.mode = replay.mode;
  followButton.hidden = session === null || isOver(session.status);
  followButton.setAttribute("aria-pressed", String(replay.mode === "following"));
  find(root, "log", HTMLElement).dataset.at = replay.id;
  void rawLog.show(replay.id);
  timeline.write(replay.nowMs, replay.endMs);
  if (isPlaying) tick();
  if (!isMoving) link();
}

let frame = 0;
function tick() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    timeline.write(replay.nowMs, replay.endMs);
    if (replay.mode === "playing") tick();
  });
}

let linkTimer = 0;
/** The URL leads to what is shown. */
function link() {
  const at = replay.isAtEnd || replay.id === "0" ? "" : `?at=${replay.id}`;
  if (at === linked) return;
  linked = at;
  clearTimeout(linkTimer);
  linkTimer = window.setTimeout(() => history.replaceState(null, "", `${location.pathname}${at}`), 300);
}

function toggle() {
  if (replay.mode === "paused") void replay.play();
  else replay.pause();
}

playButton.addEventListener("click", toggle);
followButton.addEventListener("click", () => void replay.follow());
function pace() {
  replay.setSpeed(Number(speedChoice.value), gapsChoice.checked);
}
speedChoice.addEventListener("change", pace);
gapsChoice.addEventListener("change", pace);

for (const button of root.querySelectorAll("[data-jump-to]")) {
  if (button instanceof HTMLButtonElement) button.addEventListener("click", () => void jump(button));
}

async function jump(button) {
  const kind = button.dataset.jumpTo ?? "";
  const side = button.dataset.side ?? "";
  button.toggleAttribute("data-busy", true);
  const isFound = await replay.jump(kind, side);
  button.removeAttribute("data-busy");
  say(isFound ? "" : `No ${side === "after" ? "later" : "earlier"} ${WORDS[kind]}`);
}

let sayTimer = 0;
function say(text) {
  setText(root, "said", text);
  if (text !== "") announce(text);
  clearTimeout(sayTimer);
  sayTimer = window.setTimeout(() => setText(root, "said", ""), 4_000);
}

copyOnClick(find(root, "copy-link", HTMLButtonElement), () => {
  return `${location.origin}${location.pathname}?at=${replay.id}`;
});

// Only while the focus is here: a letter must not do anything to who types elsewhere.
find(root, "player", HTMLElement).addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target instanceof HTMLSelectElement) return;
  const isOnSlider = event.target instanceof Element && event.target.matches("[role='slider']");
  const does = {
    k: toggle,
    " ": isOnSlider ? toggle : undefined,
    e: () => find(root, "next-error", HTMLButtonElement).click(),
    E: () => find(root, "last-error", HTMLButtonElement).click(),
    t: () => find(root, "next-tool", HTMLButtonElement).click(),
    T: () => find(root, "last-tool", HTMLButtonElement).click(),
  }[event.key];
  if (does === undefined) return;
  event.preventDefault();
  does();
});

// --- what stands beside it ------------------------------------------------------------

const tabs = [...root.querySelectorAll("[data-tab]")];
for (const tab of tabs) {
  tab.addEventListener("click", () => choose(tab));
  tab.addEventListener("keydown", (event) => {
    if (!(event instanceof KeyboardEvent) || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const visible = tabs.filter((other) => other.checkVisibility());
    const next = (visible.indexOf(tab) + (event.key === "ArrowRight" ? 1 : -1) + visible.length) % visible.length;
    choose(visible[next]);
    visible[next].focus();
  });
}

function choose(chosen) {
  root.dataset.shown = chosen.dataset.tab ?? "";
  for (const tab of tabs) {
    const isChosen = tab === chosen;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
    const panel = document.getElementById(tab.getAttribute("aria-controls") ?? "");
    // The replay goes away only where there is no room for two: see replay.css.
    if (panel !== null && tab.dataset.tab !== "replay") panel.hidden = !isChosen;
  }
  list.refresh();
  void rawLog.show(replay.id);
}

// --- the session ----------------------------------------------------------------------

function writeSession(found) {
  session = found;
  const look = lookOfSession(found);
  const chip = find(root, "status", HTMLElement);
  chip.dataset.tone = look.tone;
  chip.toggleAttribute("data-busy", look.tone === "live");
  setIcon(chip, look.icon);
  setText(chip, "word", look.word);
  const end = found.endedAt ?? (look.isOver ? null : new Date(serverNow()).toISOString());
  const ms = millisecondsBetween(found.startedAt, end);
  const figures = [
    found.agent,
    formatDateTime(found.startedAt ?? found.createdAt),
    ms === null ? "" : formatDuration(ms),
    found.logBytes === null ? "" : formatBytes(found.logBytes),
  ];
  setText(root, "figures", figures.filter(Boolean).join(" · "));
  find(root, "chat", HTMLAnchorElement).href = serverPath(`/${formatRoute({ workflowId: found.workflowId, sessionId })}`);
  find(root, "stop", HTMLButtonElement).hidden = look.isOver;
  loadFacts().then(({ factsOf }) => writeFacts(factsOf(found, place)), showProblem);
  writePlayer();
}

/** They are behind a tab. */
const FACTS_LOOKS = new URL("../css/facts.css", import.meta.url);
const loadFacts = late(async () => (await Promise.all([import("./view/facts.js"), styleSheet(FACTS_LOOKS.href)]))[0]);
let factsWritten = "";
function writeFacts(facts) {
  const text = JSON.stringify(facts);
  if (text === factsWritten) return;
  factsWritten = text;
  const items = facts.map(({ label, value, copy, isCode }) => {
    const item = copyOf("fact");
    item.toggleAttribute("data-code", isCode);
    setText(item, "label", label);
    setText(item, "value", value);
    const button = find(item, "copy", HTMLButtonElement);
    button.setAttribute("aria-label", `Copy ${label.toLowerCase()}`);
    copyOnClick(button, () => copy);
    return item;
  });
  find(root, "facts-list", HTMLElement).replaceChildren(...items);
}

/** The list knows how the message began that started it. */
async function writeTitle() {
  const { titles = {} } = await listSessions({ text: sessionId, limit: 1, include: "titles" });
  const title = titles[sessionId]?.trim().split("\n")[0] ?? "";
  if (title === "") return;
  setText(root, "title", title);
  setPageTitle(title);
}

async function refresh() {
  try {
    const wasLive = session === null || !isOver(session.status);
    if (wasLive) writeSession(await getSession(sessionId));
    if (session !== null && session.logBytes !== timelineSize) await drawTimeline();
  } catch (error) {
    setText(root, "said", error instanceof Error ? error.message : String(error));
  }
}

async function drawTimeline() {
  const drawn = await getTimeline(sessionId, BUCKETS);
  timelineSize = session?.logBytes ?? -1;
  replay.setRange(Date.parse(drawn.start) || 0, Date.parse(drawn.end) || 0);
  timeline.show(drawn);
  find(root, "timeline", HTMLElement).removeAttribute("data-loading");
  timeline.write(replay.nowMs, replay.endMs);
}

find(root, "stop", HTMLButtonElement).addEventListener("click", async () => {
  try {
    writeSession(await cancelSession(sessionId));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
});

find(root, "download", HTMLAnchorElement).href = logUrl(sessionId);
find(root, "problem-retry", HTMLButtonElement).addEventListener("click", () => void begin());

async function begin() {
  const asked = parseMoment(location.search);
  if (asked !== null) await replay.seek(asked);
  else if (root.hasAttribute("data-live")) await replay.follow();
  else await replay.seek("end");
}

const shown = matchMedia("(max-width: 60rem)").matches ? "replay" : "log";
choose(tabs.find((tab) => tab.dataset.tab === shown));
pollWhileVisible(refresh, REFRESH_MS).start();

/** @type {import("./approvals/late_dock.js").LateDock | null} */
let dock = null;
const loadDock = late(async () => {
  const [{ LateDock }] = await Promise.all([import("./approvals/late_dock.js"), import("./view/ticker.js")]);
  const leave = () => find(root, "scroller", HTMLElement).focus();
  return new LateDock(find(root, "asks", HTMLElement), find(root, "asks-list", HTMLElement), leave);
});

async function showAsked(approvals) {
  const agent = session?.agent ?? "The agent";
  const asked = approvals.filter((approval) => approval.sessionId === sessionId);
  if (dock === null && asked.length === 0) return;
  dock = await loadDock();
  dock.show(asked.map((approval) => ({ approval, agent })), (id) => replay.transcript.resolutions.get(id) ?? GONE);
}
startBadge((approvals) => void showAsked(approvals).catch(showProblem));
void begin();
void writeTitle().catch(() => {});
