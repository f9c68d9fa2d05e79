/**
 * A list, newest first, as pages of it come in.
 *
 * @template T
 * @typedef {{items: T[], nextCursor: string | null}} Page
 */

/** @type {Readonly<Page<any>>} */
export const EMPTY_LIST = { items: [], nextCursor: null };

/**
 * The first page, asked for again: what stood behind it stays, unless so much is new that the two
 * no longer meet.
 *
 * @template {{id: string}} T
 * @param {Readonly<Page<T>>} list
 * @param {Page<T>} first
 * @returns {Page<T>}
 */
export function withNewest(list, first) {
  const last = first.items.at(-1);
  const meeting = list.items.findIndex((item) => item.id === last?.id);
  const behind = meeting === -1 ? [] : list.items.slice(meeting + 1);
  if (behind.length === 0 || first.nextCursor === null) return first;
  return { items: [...first.items, ...behind], nextCursor: list.nextCursor };
}

/**
 * @template {{id: string}} T
 * @param {Readonly<Page<T>>} list
 * @param {Page<T>} older
 * @returns {Page<T>}
 */
export function withOlder(list, older) {
  const known = new Set(list.items.map((item) => item.id));
  const added = older.items.filter((item) => !known.has(item.id));
  return { items: [...list.items, ...added], nextCursor: older.nextCursor };
}
