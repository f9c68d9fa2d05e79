/** What Stop does: first it ends the turn, then the agent. @typedef {import("./shown_session.js").ShownSession} ShownSession */

/** @param {ShownSession | undefined} session @returns {"none" | "possible" | "asked" | "again"} */
export function stoppingOf(session) {
  if (!session?.isLive || (session.isTalk && session.talkState === "idle")) return "none";
  if (session.isStopping) return "asked";
  return session.isInterrupting ? "again" : "possible";
}

/** @param {ShownSession | undefined} session */
export function stop(session) {
  if (session?.isTalk && !session.isInterrupting) void session.interrupt();
  else void session?.stop();
}
