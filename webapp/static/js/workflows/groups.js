/** The list in groups by date, what is pinned first. */

const DAY_MS = 86_400_000;

/**
 * @param {import("../api/workflows.js").Workflow} workflow
 * @param {number} now
 */
export function groupOf({ pinnedAt, createdAt }, now) {
  if (pinnedAt) return "Pinned";
  const today = new Date(now).setHours(0, 0, 0, 0);
  const made = Date.parse(createdAt);
  if (Number.isNaN(made) || made >= today) return "Today";
  // Of days that are an hour shorter or longer, too.
  if (made >= new Date(today - DAY_MS / 2).setHours(0, 0, 0, 0)) return "Yesterday";
  return made >= today - 7 * DAY_MS ? "Last 7 days" : "Earlier";
}

/** Runs of one group, in the order of the list. @template T @param {T[]} items @param {(item: T) => string} groupOfItem */
export function grouped(items, groupOfItem) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const item of items) {
    const name = groupOfItem(item);
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups].sort(([one], [other]) => Number(other === "Pinned") - Number(one === "Pinned"));
}
