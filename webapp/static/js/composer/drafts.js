/**
 * What is written and not sent, by conversation: it survives a reload.
 *
 * @typedef {object} Draft
 * @property {string} text
 * @property {object | null} pending  a message whose answer is not known: see delivery.js
 */

import { serverPath } from "../root.js";

const PREFIX = `agent-stream-draft:${serverPath("/")}:`;
const EMPTY = { text: "", pending: null };
/** More than this is not written at each letter. */
const MAX_LETTERS = 200_000;

/** @param {string | null} workflowId  null: of a conversation that is to begin */
function nameOf(workflowId) {
  return PREFIX + (workflowId ?? "new");
}

/** @returns {Draft} */
export function readDraft(workflowId) {
  try {
    return { ...EMPTY, ...JSON.parse(localStorage.getItem(nameOf(workflowId)) ?? "{}") };
  } catch {
    return EMPTY;
  }
}

/** @param {Draft} draft */
export function writeDraft(workflowId, draft) {
  try {
    if (draft.text === "" && draft.pending === null) localStorage.removeItem(nameOf(workflowId));
    else if (draft.text.length <= MAX_LETTERS) localStorage.setItem(nameOf(workflowId), JSON.stringify(draft));
  } catch {
    // Storage is full, or not allowed: the text is in the box all the same.
  }
}
