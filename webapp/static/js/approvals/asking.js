/** What waits for a person in one conversation. */

/**
 * What its streams have said, and what is known of it from before they begin.
 *
 * @param {import("../conversation/conversation.js").Conversation | null} conversation
 * @param {import("../api/approvals.js").Approval[]} waiting  over all sessions
 * @returns {import("./dock.js").Open[]}
 */
export function askingIn(conversation, waiting) {
  if (conversation === null) return [];
  const known = conversation.asking;
  const ids = new Set(known.map(({ approval }) => approval.id));
  const more = waiting.filter((approval) => !ids.has(approval.id) && isOpen(conversation, approval));
  return [...known, ...more.map((approval) => ({ approval, agent: agentOf(conversation, approval) }))];
}

/** Its end may have come to this page before it came to that list. */
function isOpen(conversation, { id, workflowId, sessionId }) {
  if (workflowId !== conversation.workflowId || conversation.resolutionOf(id) !== null) return false;
  return conversation.sessions.get(sessionId)?.isLive ?? true;
}

function agentOf(conversation, { sessionId }) {
  return conversation.sessions.get(sessionId)?.row.agent ?? "agent";
}
