/** What a notice says, and where it leads. */

import { serverPath } from "../root.js";
import { formatRoute } from "../route.js";
import { visible } from "../transcript/plain_text.js";

const LOOKS = {
  approval: { word: "needs approval", icon: "gate" },
  question: { word: "asks", icon: "question" },
  turn_ended: { word: "has finished", icon: "ok" },
  failed: { word: "failed", icon: "failed" },
  lost: { word: "was lost", icon: "lost" },
  budget: { word: "has used its budget", icon: "warn" },
};

/** @typedef {import("../api/approvals.js").Notice} Notice @param {Notice} notice */
export function titleOf({ agent, kind }) {
  return `${visible(agent)} ${LOOKS[kind]?.word ?? kind}`;
}

/** Of which conversation, and what is asked for or went wrong. @param {Notice} notice */
export function textOf({ title, text }) {
  return visible([title, text].filter(Boolean).join(": "));
}

/** @param {Notice} notice */
export function iconOf({ kind }) {
  return LOOKS[kind]?.icon ?? "dot";
}

/** The approval itself, or the conversation. @param {Notice} notice */
export function linkOf({ workflowId, sessionId, approvalId }) {
  return serverPath(`/${formatRoute({ workflowId, sessionId, approvalId })}`);
}
