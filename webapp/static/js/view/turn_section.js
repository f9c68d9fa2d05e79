/** A turn, and a note, as sections of the list. */

import { serverNow } from "../clock.js";
import { formatClock, millisecondsBetween } from "../format.js";
import { lookOf } from "../sessions/status.js";
import { SHOWN_LETTERS } from "./block_views.js";
import { copyOnClick } from "./clipboard.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { rowsOf } from "./look_runs.js";
import { drawTalkFoot, drawTalkLead, earlierText, replyIn } from "./talk_rows.js";
import { eachSecond } from "./ticker.js";
import { allFigures, deniedText, shortFigures } from "./turn_line.js";

/**
 * @typedef {import("../conversation/shown_session.js").ShownSession} ShownSession
 * @typedef {import("../window/windowed_list.js").DrawnSection} DrawnSection
 *
 * @typedef {object} TurnActions
 * @property {(turn: ShownSession) => void} showFacts
 * @property {(turn: ShownSession) => void} retry
 * @property {(turn: ShownSession, block: import("../transcript/blocks.js").TurnBlock) => void} say  once more, in the same conversation
 * @property {(text: string) => void} putBack               into the message box
 * @property {(turn: ShownSession) => string} stageName  "" where there is only one
 * @property {(turn: ShownSession) => void} nearTurn              somebody comes near it
 */

/** @typedef {import("../transcript/blocks.js").Block} Block */

/** So many blocks from its first one, a reader is near to what came earlier. */
const NEAR_BLOCKS = 40;
export function turnSection(turn, actions) {
  const { transcript } = turn;
  const rows = rowsOf(transcript, of(turn, actions));
  return {
    key: turn.sessionId,
    get firstId() {
      return transcript.firstId;
    },
    get endId() {
      return transcript.endId;
    },
    guess: rows.guess,
    versionOf: (part) => (typeof part === "number" ? rows.versionOf(part) : turn.version),
    draw(part) {
      if (part === "lead") return turn.isTalk ? drawTalkLead(turn) : drawLead(turn, actions);
      if (part === "foot") return turn.isTalk ? drawTalkFoot(turn, actions) : drawFoot(turn, actions);
      const drawn = rows.draw(part);
      drawn.element.dataset.session = turn.sessionId;
      return drawn;
    },
    onNear(part) {
      turn.open();
      actions.nearTurn(turn);
      const isNearStart = part === "lead" || (part !== "foot" && part < transcript.firstId + NEAR_BLOCKS);
      if (isNearStart && turn.hasEarlier) void turn.loadEarlier();
    },
  };
}

/** @returns {import("./block_views.js").BlockActions} */
function of(turn, actions) {
  return {
    replyOf: (block) => turnReply(turn.transcript, block),
    retry: (block) => actions.say(turn, block),
    putBack: actions.putBack,
    showFacts: () => actions.showFacts(turn),
  };
}

/**
 * What was said without a session.
 *
 * @returns {DrawnSection}
 */
export function noteSection(key, role, text) {
  return {
    key,
    firstId: 1,
    endId: 1,
    guess: () => 0,
    versionOf: () => 0,
    draw(part) {
      const element = copyOf(role === "user" ? "input" : "note");
      element.hidden = part === "foot";
      element.dataset.role = role;
      if (part === "lead") setText(element, "text", text);
      return { element, update() {} };
    },
    onNear() {},
  };
}

function drawLead(turn, actions) {
  const element = copyOf("lead");
  let isWhole = false;
  find(element, "more", HTMLButtonElement).addEventListener("click", () => {
    isWhole = true;
    update();
  });

  function update() {
    if (turn.isTalk) return false;
    const { said, row, transcript } = turn;
    find(element, "said", HTMLElement).hidden = said === null || said === "";
    const isLong = !isWhole && (said?.length ?? 0) > SHOWN_LETTERS;
    setText(element, "text", isLong ? `${said?.slice(0, SHOWN_LETTERS)}…` : (said ?? ""));
    find(element, "more", HTMLElement).hidden = !isLong;
    setText(element, "agent", row.agent || transcript.start?.agent || "agent");
    const meta = [actions.stageName(turn), formatClock(row.startedAt ?? row.createdAt)];
    setText(element, "meta", meta.filter(Boolean).join(" · "));
    const earlier = find(element, "earlier", HTMLElement);
    earlier.hidden = !turn.hasEarlier && transcript.dropped === 0;
    setText(element, "earlier", earlierText(turn));
    return undefined;
  }

  update();
  return { element, update };
}

function drawFoot(turn, actions) {
  const element = copyOf("foot");
  const stop = find(element, "stop", HTMLButtonElement);
  const retry = find(element, "retry", HTMLButtonElement);
  const copy = find(element, "copy", HTMLButtonElement);
  const again = find(element, "again", HTMLButtonElement);
  stop.addEventListener("click", () => void turn.stop());
  find(element, "facts", HTMLButtonElement).addEventListener("click", () => actions.showFacts(turn));
  retry.addEventListener("click", () => actions.retry(turn));
  again.addEventListener("click", () => turn.tryNow());
  copyOnClick(copy, () => replyOf(turn));

  function update() {
    if (turn.isTalk) return false;
    const { state, row, transcript } = turn;
    const isRefused = state.phase === "refused";
    const isWaitingForLog = !turn.isLive && transcript.done === null && !isRefused;
    const look = isRefused ? REFUSED : isWaitingForLog ? LOADING : lookOf(turn.status);
    element.dataset.tone = look.tone;
    element.toggleAttribute("data-busy", turn.isLive || isWaitingForLog);
    setIcon(element, look.icon);
    element.toggleAttribute("data-quiet", turn.status === "succeeded" && !isRefused && !isWaitingForLog);
    setText(element, "word", turn.isStopping && turn.isLive ? "Stopping" : look.word);
    setText(element, "figures", isWaitingForLog || isRefused ? "" : figuresOf(turn));
    find(element, "figures", HTMLElement).title = allFigures(transcript.turnUsage ?? {});
    setText(element, "denied", deniedText(transcript.refused));

    const reason = turn.problem || (isRefused ? state.error?.message : row.error) || look.meaning || "";
    setText(element, "reason", reason);
    find(element, "reason", HTMLElement).hidden = reason === "";
    stop.hidden = !turn.isLive || isRefused;
    stop.disabled = turn.isStopping;
    retry.hidden = turn.isLive || turn.said === null || isWaitingForLog;
    copy.hidden = turn.isLive || !transcript.blocks.some((block) => block.kind === "text");
    again.hidden = !isRefused;
    return undefined;
  }

  update();
  if (turn.isLive) eachSecond(element, () => setText(element, "figures", figuresOf(turn)));
  return { element, update };
}

const REFUSED = { word: "Cannot be shown", icon: "failed", tone: "bad", meaning: "" };
const LOADING = { word: "Loading", icon: "running", tone: "quiet", meaning: "" };

function figuresOf({ row, transcript, isLive }) {
  const { done } = transcript;
  const startedAt = row.startedAt ?? transcript.start?.startedAt;
  const endedAt = isLive ? new Date(serverNow()).toISOString() : row.endedAt;
  const duration = millisecondsBetween(startedAt, endedAt);
  const seconds = duration === null ? 0 : Math.floor(duration / 1_000);
  const took = isLive ? (seconds > 0 ? shortFigures({ durationMs: seconds * 1_000 }).replace(".0 s", " s") : "") : shortFigures({ durationMs: duration ?? 0 });
  const exitCode = done === null ? row.exitCode : done.exitCode;
  return [
    isLive || !exitCode ? "" : `exit code ${exitCode}`,
    done?.signal ? `signal ${done.signal}` : "",
    duration === null ? "" : took,
    isLive ? "" : shortFigures({ costUsd: transcript.turnUsage?.costUsd }),
  ].filter(Boolean).join(" · ");
}

/** All that the agent said, as it was written. */
function replyOf({ transcript }) {
  return replyIn(transcript.blocks);
}

/** What it said in the turn that a block ends. */
function turnReply({ blocks }, block) {
  const end = blocks.indexOf(block);
  const start = blocks.findLastIndex(({ kind }, index) => index < end && kind === "turn");
  return replyIn(blocks.slice(start + 1, end));
}
