/** What people know a workflow by: how what was first said in it begins. */

import { firstSaid } from "../sessions/sent_messages.js";

/** @param {string | null} [title]  as the server has it */
export function titleOf(workflowId, title) {
  const line = (title ?? firstSaid(workflowId) ?? "").trim().split("\n")[0];
  return line || "Untitled";
}
