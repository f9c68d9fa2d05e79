/** What a replay shows, as the one section of the list. */

import { lookOf } from "../sessions/status.js";
import { drawBlock, guessHeight } from "../view/block_views.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";

/** @typedef {import("./replay.js").Replay} Replay */

/** So many blocks from its first one, a reader is near to what came earlier. */
const NEAR_BLOCKS = 40;

/** @param {Replay} replay @returns {import("../window/windowed_list.js").DrawnSection} */
export function replaySection(replay, key) {
  const { transcript } = replay;
  let version = 0;
  return {
    key,
    get firstId() {
      return transcript.firstId;
    },
    get endId() {
      return transcript.endId;
    },
    guess: (id) => guessHeight(transcript.block(id)),
    versionOf: (part) => (typeof part === "number" ? (transcript.block(part)?.version ?? 0) : (version += 1)),
    draw(part) {
      if (part === "lead") return drawLead(replay);
      if (part === "foot") return drawFoot(replay);
      const block = transcript.block(part);
      return block === undefined ? { element: copyOf("notice"), update() {} } : drawBlock(block);
    },
    onNear(part) {
      const isNearStart = part === "lead" || (part !== "foot" && part < transcript.firstId + NEAR_BLOCKS);
      if (isNearStart && replay.transcript === transcript) void replay.loadEarlier();
    },
  };
}

function drawLead(replay) {
  const element = copyOf("replay-lead");
  function update() {
    const { start } = replay.transcript;
    const text = replay.hasEarlier
      ? "Loading what came earlier…"
      : start === null
        ? "Nothing had been printed yet."
        : `${start.agent} began${start.pid === null ? "" : ` as process ${start.pid}`}.`;
    setText(element, "text", text);
  }
  update();
  return { element, update };
}

function drawFoot(replay) {
  const element = copyOf("replay-foot");
  function update() {
    const { done } = replay.transcript;
    element.hidden = done === null;
    if (done === null) return;
    const look = lookOf(done.status);
    element.dataset.tone = look.tone;
    setIcon(element, look.icon);
    setText(element, "word", look.word);
    const parts = [
      done.exitCode === null ? "" : `exit code ${done.exitCode}`,
      done.signal === null ? "" : `signal ${done.signal}`,
    ];
    setText(element, "figures", parts.filter(Boolean).join(" · "));
  }
  update();
  return { element, update };
}
