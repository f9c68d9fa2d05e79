/**
 * A run of calls that only look, as one row: "Read 6 files, 2 searches". The first block of a run draws all
 * of it, and the others nothing, so that each block stays a row of the list.
 */

import { READS } from "../actions/action.js";
import { visible } from "../transcript/plain_text.js";
import { drawBlock, guessHeight } from "./block_views.js";
import { copyOf, find, setIcon, setText } from "./dom.js";
import { STATES, openingCard } from "./tool_card.js";

const SEARCHES = /^(grep|glob|ls|list|list_directory|grep_search|search_file_content|search)$/i;

function isLook(block) {
  return block?.kind === "tool" && block.approval === null && (READS.test(block.name) || SEARCHES.test(block.name));
}

function isWithin(transcript, id) {
  return isLook(transcript.block(id)) && isLook(transcript.block(id - 1));
}

/** The run that begins with a block. */
function runFrom(transcript, id) {
  const run = [];
  for (let at = id; isLook(transcript.block(at)); at += 1) run.push(transcript.block(at));
  return run;
}

/** What a section of the list needs of the blocks of a transcript. @param {import("../transcript/transcript.js").Transcript} transcript */
export function rowsOf(transcript, actions = undefined) {
  return {
    guess: (id) => (isWithin(transcript, id) ? 0 : guessHeight(transcript.block(id))),

    versionOf(id) {
      const block = transcript.block(id);
      if (!isLook(block)) return block?.version ?? 0;
      if (isWithin(transcript, id)) return -1;
      return runFrom(transcript, id).reduce((sum, { version }) => sum + version + 1, 0);
    },

    draw(id) {
      const block = transcript.block(id);
      if (block === undefined) return { element: copyOf("notice"), update() {} };
      if (!isLook(block)) return drawBlock(block, actions);
      if (isWithin(transcript, id)) return drawNothing(() => isWithin(transcript, block.id));
      const isSame = () => runFrom(transcript, block.id).length > 1 && !isWithin(transcript, block.id);
      if (isSame()) return drawRun(() => (isSame() ? runFrom(transcript, block.id) : null));
      const { element, update } = drawBlock(block, actions);
      return { element, update: () => (runFrom(transcript, block.id).length > 1 ? false : update()) };
    },
  };
}

/** What stands for a run, by its first block. @type {WeakMap<object, object>} */
const runs = new WeakMap();

function runOf(first) {
  const run = runs.get(first) ?? {};
  runs.set(first, run);
  return run;
}

function drawNothing(isStill) {
  const element = document.createElement("div");
  element.hidden = true;
  return { element, update: () => (isStill() ? undefined : false) };
}

/** @param {() => any[] | null} blocksOf  null: it is no run any more */
function drawRun(blocksOf) {
  const element = copyOf("looks");
  const body = openingCard(element, runOf(blocksOf()?.[0]), ({ blockRows }) => {
    const write = blockRows(find(element, "looks", HTMLElement), drawBlock);
    return () => write(blocksOf() ?? []);
  });

  function update() {
    const blocks = blocksOf();
    if (blocks === null) return false;
    const state = STATES[worstOf(blocks)];
    element.dataset.tone = state.tone;
    element.dataset.state = worstOf(blocks);
    setIcon(element, state.icon);
    setText(element, "name", countsOf(blocks));
    setText(element, "summary", visible(blocks.map(nameOf).join(", ").slice(0, 200)));
    setText(element, "word", state.word);
    body.update();
    return undefined;
  }

  update();
  return { element, update };
}

function worstOf(blocks) {
  const states = blocks.map(({ state }) => state);
  return ["running", "failed", "denied", "unanswered"].find((state) => states.includes(state)) ?? "ok";
}

function countsOf(blocks) {
  const reads = blocks.filter(({ name }) => READS.test(name)).length;
  const searches = blocks.length - reads;
  const read = reads === 0 ? "" : `Read ${reads === 1 ? "1 file" : `${reads} files`}`;
  const searched = searches === 0 ? "" : searches === 1 ? "1 search" : `${searches} searches`;
  return read === "" ? `Searched ${searches} times` : [read, searched].filter(Boolean).join(", ");
}

function nameOf({ input }) {
  const path = input?.file_path ?? input?.filePath ?? input?.absolute_path ?? input?.pattern ?? input?.path;
  return typeof path === "string" ? (path.split("/").filter(Boolean).at(-1) ?? path) : "";
}
