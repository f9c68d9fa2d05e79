/**
 * What a session's status is called on the page.
 *
 * @typedef {object} StatusLook
 * @property {string} word
 * @property {string} icon       a symbol of icons.html
 * @property {string} tone       a colour of tokens.css
 * @property {boolean} isOver
 * @property {string} [meaning]  for the words that do not explain themselves
 */

/** @type {Map<string, StatusLook>} */
const LOOKS = new Map([
  ["starting", { word: "Starting", icon: "starting", tone: "live", isOver: false }],
  ["running", { word: "Running", icon: "running", tone: "live", isOver: false }],
  ["succeeded", { word: "Succeeded", icon: "ok", tone: "good", isOver: true }],
  ["failed", { word: "Failed", icon: "failed", tone: "bad", isOver: true }],
  ["cancelled", { word: "Cancelled", icon: "stopped", tone: "quiet", isOver: true }],
  ["timed_out", {
    word: "Timed out", icon: "clock", tone: "warn", isOver: true,
    meaning: "It ran for as long as its profile allows, and was stopped.",
  }],
  ["lost", {
    word: "Lost", icon: "lost", tone: "warn", isOver: true,
    meaning: "What kept it was killed, so nobody saw how it ended.",
  }],
]);

/** @returns {StatusLook} */
export function lookOf(status) {
  return LOOKS.get(status) ?? { word: status, icon: "lost", tone: "quiet", isOver: false };
}

/** The look of a session that may hold a conversation: one that lives may wait, or rest. */
export function lookOfSession({ status, state }) {
  const look = lookOf(status);
  if (look.isOver) return look;
  if (state === "waiting") return { ...look, word: "Needs you", icon: "gate", tone: "warn" };
  return state === "idle" ? { ...look, word: "Idle", icon: "dot", tone: "quiet" } : look;
}

export function isOver(status) {
  return lookOf(status).isOver;
}
