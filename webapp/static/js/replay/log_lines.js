/**
 * A piece of a log as its lines, each with the bytes that it takes. Pure.
 *
 * @typedef {{start: number, end: number, time: string, stream: string, text: string}} LogLine
 */

/** Of a long line so much is shown. */
const MAX_LETTERS = 2_000;
const HEAD = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr|stdin|system) [FP] /;
const LF = 10;

/**
 * @param {Uint8Array} bytes
 * @param {number} offset  of the first of them in the log
 * @param {{isWhole?: boolean}} [options]  isWhole: the first byte begins a line
 * @returns {LogLine[]}  the whole lines among them
 */
export function linesOf(bytes, offset, { isWhole = offset === 0 } = {}) {
  const decoder = new TextDecoder();
  const lines = [];
  let start = isWhole ? 0 : bytes.indexOf(LF) + 1;
  if (start === 0 && !isWhole) return [];
  for (let end = bytes.indexOf(LF, start); end !== -1; end = bytes.indexOf(LF, start)) {
    const text = decoder.decode(bytes.subarray(start, Math.min(end, start + 4 * MAX_LETTERS)));
    lines.push(lineOf(text, offset + start, offset + end + 1));
    start = end + 1;
  }
  return lines;
}

function lineOf(line, start, end) {
  const [head = "", time = "", stream = ""] = HEAD.exec(line) ?? [];
  const text = line.slice(head.length);
  const isLong = text.length > MAX_LETTERS;
  return { start, end, time, stream, text: isLong ? `${text.slice(0, MAX_LETTERS)}…` : text };
}
