/** What one page keeps of a session. The log keeps all of it. Lengths are in UTF-16 units. */

export const MAX_BLOCKS = 150_000;

/** Of all blocks together; a line end counts as `LINE_WEIGHT`. */
export const MAX_WEIGHT = 16_000_000;
export const LINE_WEIGHT = 20;

/** Of a tool call's result, and of each of its arguments. */
export const MAX_BODY = 100_000;
export const MAX_FIELDS = 40;

/** After this many a run of text goes on in a new block, where the text itself pauses … */
export const SPLIT_TEXT_AT = 8_000;

/** … and after this many wherever it is. */
export const MAX_BLOCK_TEXT = 16_000;

/** @returns {{text: string, omitted: number}} */
export function cut(text, room = MAX_BODY) {
  if (text.length <= room) return { text, omitted: 0 };
  const end = wholeUpTo(text, room);
  return { text: text.slice(0, end), omitted: text.length - end };
}

/** Half of a surrogate pair would show as a broken character. */
export function wholeUpTo(text, end) {
  return /[\uD800-\uDBFF]/.test(text[end - 1] ?? "") && end > 1 ? end - 1 : end;
}
