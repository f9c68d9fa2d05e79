/** The first and the last row of a session that holds a conversation: there is little to say there. */

import { serverNow } from "../clock.js";
import { formatDuration, formatFigure } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { eachSecond } from "./ticker.js";

/** @typedef {import("../conversation/shown_session.js").ShownSession} ShownSession */

/** What was said, until the log says it too, and where earlier rows come from. @param {ShownSession} turn */
export function drawTalkLead(turn) {
  const element = copyOf("talk-lead");

  function update() {
    const { said, transcript, hasEarlier } = turn;
    const isInLog = transcript.messageIds.size > 0 || transcript.queued.size > 0 || hasEarlier || transcript.done !== null;
    find(element, "said", HTMLElement).hidden = !said || isInLog;
    setText(element, "text", said ?? "");
    const earlier = find(element, "earlier", HTMLElement);
    earlier.hidden = !hasEarlier && transcript.dropped === 0;
    setText(element, "earlier", earlierText(turn));
  }

  update();
  return { element, update };
}

export function earlierText({ hasEarlier, transcript }) {
  if (hasEarlier) return "Loading what came earlier…";
  return `The first ${formatFigure(transcript.dropped)} parts have left this page to keep it quick. The whole log has them.`;
}

const REFUSED = { word: "Cannot be shown", icon: "failed", tone: "bad" };
const LOADING = { word: "Loading", icon: "running", tone: "quiet" };
const WORKING = { word: "Working", icon: "running", tone: "live" };
const STOPPING = { word: "Stopping", icon: "running", tone: "quiet" };

/** What goes on, and an end that is not just the agent's rest. @param {ShownSession} turn */
export function drawTalkFoot(turn, actions) {
  const element = copyOf("talk-foot");
  const again = find(element, "again", HTMLButtonElement);
  const facts = find(element, "facts", HTMLButtonElement);
  again.addEventListener("click", () => turn.tryNow());
  facts.addEventListener("click", () => actions.showFacts(turn));

  function update() {
    const look = lookOfTurn(turn);
    element.hidden = look === null;
    if (look === null) return;
    const { state, row, isLive } = turn;
    const isRefused = look === REFUSED;
    element.dataset.tone = look.tone;
    element.toggleAttribute("data-busy", look.icon === "running");
    setIcon(element, look.icon);
    setText(element, "word", look.word);
    setText(element, "figures", figuresOf(turn));
    const reason = turn.problem || (isRefused ? state.error?.message : isLive ? "" : row.error) || look.meaning || "";
    setText(element, "reason", reason);
    find(element, "reason", HTMLElement).hidden = reason === "";
    again.hidden = !isRefused;
    facts.hidden = isLive;
  }

  update();
  eachSecond(element, () => setText(element, "figures", figuresOf(turn)));
  return { element, update };
}

/** Null: there is nothing to say. */
function lookOfTurn(turn) {
  const { state, transcript, isLive, talkState, isInterrupting, isStopping, status } = turn;
  if (state.phase === "refused") return REFUSED;
  if (!isLive) {
    if (transcript.done === null) return LOADING;
    return status === "succeeded" ? null : lookOf(status);
  }
  if (isInterrupting || isStopping) return STOPPING;
  if (talkState === "working") return WORKING;
  return turn.problem === "" ? null : { word: "Idle", icon: "dot", tone: "quiet" };
}

function figuresOf({ turnStartedAt, isLive }) {
  if (turnStartedAt === null || !isLive) return "";
  const seconds = Math.max(0, Math.floor((serverNow() - turnStartedAt) / 1_000));
  return seconds === 0 ? "" : formatDuration(seconds * 1_000).replace(".0 s", " s");
}

/** All texts of these blocks, as they were written. */
export function replyIn(blocks) {
  let reply = "";
  for (const block of blocks) {
    if (block.kind !== "text") continue;
    reply += `${reply === "" ? "" : block.continued ? "\n" : "\n\n"}${block.text}`;
  }
  return reply.trim();
}
