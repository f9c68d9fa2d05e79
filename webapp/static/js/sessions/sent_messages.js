/**
 * What was said to start a session, so that a reload in this tab still shows it: the row does not
 * carry it. Only a convenience: it is bounded, and gone with the tab.
 */

const KEY = "agent-stream.sent";
const MAX_MESSAGES = 50;
const MAX_LENGTH = 4_000;

/**
 * @param {string} sessionId
 * @param {string} message
 */
export function rememberMessage(sessionId, message) {
  const others = load().filter(([id]) => id !== sessionId);
  const entries = [...others, [sessionId, message.slice(0, MAX_LENGTH)]];
  try {
    sessionStorage.setItem(KEY, JSON.stringify(entries.slice(-MAX_MESSAGES)));
  } catch {
    // Storage may be full or forbidden; the page works without it.
  }
}

/**
 * @param {string} sessionId
 * @returns {string | null}
 */
export function messageOf(sessionId) {
  return load().find(([id]) => id === sessionId)?.[1] ?? null;
}

/** @returns {[string, string][]} */
function load() {
  try {
    const entries = JSON.parse(sessionStorage.getItem(KEY) ?? "[]");
    return Array.isArray(entries) ? entries : [];
  } catch {
    return [];
  }
}
