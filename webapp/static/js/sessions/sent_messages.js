/**
 * What this tab has said, so that it is shown before the server tells it, and by servers that do
 * not. Only a convenience: it is bounded, and gone with the tab.
 */

const KEY = "agent-stream.sent";
const MAX_MESSAGES = 50;
const MAX_LENGTH = 4_000;

/** @param {{sessionId: string, workflowId: string}} session */
export function rememberMessage({ sessionId, workflowId }, message) {
  const others = load().filter(([id]) => id !== sessionId);
  const entries = [...others, [sessionId, message.slice(0, MAX_LENGTH), workflowId]];
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entries.slice(-MAX_MESSAGES)));
  } catch {
    // Storage may be full or forbidden; the page works without it.
  }
}

export function messageOf(sessionId) {
  return load().find(([id]) => id === sessionId)?.[1] ?? null;
}

export function firstSaid(workflowId) {
  return load().find(([, , id]) => id === workflowId)?.[1] ?? null;
}

/** @returns {[string, string, string][]} */
function load() {
  try {
    const entries = JSON.parse(globalThis.sessionStorage?.getItem(KEY) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}
