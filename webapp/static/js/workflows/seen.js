/** What this browser has seen of each conversation: an answer that came since is unread. */

const KEY = "agent-stream.seen";
const MAX_KEPT = 500;

/** @returns {{since: string, at: Record<string, string>}} */
function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (typeof found?.since === "string" && typeof found.at === "object" && found.at !== null) return found;
  } catch {
    // Somebody else's, or no storage at all.
  }
  return { since: "", at: {} };
}

/** @param {{since: string, at: Record<string, string>}} seen */
function write(seen) {
  const newest = Object.entries(seen.at).sort(([, one], [, other]) => (one < other ? 1 : -1)).slice(0, MAX_KEPT);
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...seen, at: Object.fromEntries(newest) }));
  } catch {
    // A browser that keeps nothing marks nothing as unread for long.
  }
}

/** What rested before the first visit is no news. @param {string} now  ISO 8601 */
export function beginToSee(now) {
  const seen = read();
  if (seen.since === "") write({ ...seen, since: now });
}

/** @param {string | null} [restedAt]  when its agent last came to rest */
export function isUnread(workflowId, restedAt) {
  if (!restedAt) return false;
  const { since, at } = read();
  return restedAt > (at[workflowId] ?? since) && since !== "";
}

export function markSeen(workflowId, restedAt) {
  if (!restedAt || !isUnread(workflowId, restedAt)) return;
  const seen = read();
  write({ ...seen, at: { ...seen.at, [workflowId]: restedAt } });
}
