/** What one page keeps of a session. The log keeps all of it. Lengths are in UTF-16 units. */

export const MAX_BLOCKS = 2_000;

/** Of all blocks together. */
export const MAX_TEXT = 4_000_000;

/** Of one block, and of one side (arguments, result) of a tool call. */
export const MAX_BLOCK_TEXT = 200_000;

/** After this many a run of text goes on in a new block, at the first line end. */
export const SPLIT_TEXT_AT = 8_000;

/**
 * @param {string} text
 * @param {number} [room]
 * @returns {{text: string, omitted: number}}
 */
export function cut(text, room = MAX_BLOCK_TEXT) {
  if (text.length <= room) return { text, omitted: 0 };
  // Half of a surrogate pair would show as a broken character.
  const end = /[\uD800-\uDBFF]/.test(text[room - 1] ?? "") ? room - 1 : Math.max(room, 0);
  return { text: text.slice(0, end), omitted: text.length - end };
}
