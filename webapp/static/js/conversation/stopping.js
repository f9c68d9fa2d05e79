/** What Stop does: first it ends the turn, then the agent. @typedef {import("./turn.js").Turn} Turn */

/** @param {Turn | undefined} turn @returns {"none" | "possible" | "asked" | "again"} */
export function stoppingOf(turn) {
  if (!turn?.isLive || (turn.isTalk && turn.talkState === "idle")) return "none";
  if (turn.isStopping) return "asked";
  return turn.isInterrupting ? "again" : "possible";
}

/** @param {Turn | undefined} turn */
export function stop(turn) {
  if (turn?.isTalk && !turn.isInterrupting) void turn.interrupt();
  else void turn?.stop();
}
