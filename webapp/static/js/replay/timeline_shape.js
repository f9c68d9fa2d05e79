/**
 * The picture of a session's output over time, as shapes: bytes on stdout stand up from a line,
 * bytes on stderr hang down from it, tool calls are marks above, errors marks below.
 *
 * @typedef {{time: string, offset: number, stdout: number, stderr: number, toolCalls: number, errors: number}} Bucket
 * @typedef {{start: string, end: string, size: number, sampled: boolean, buckets: Bucket[]}} Timeline
 */

/** In the units of the picture: a bucket is one wide. */
export const HEIGHT = 60;
const LINE_AT = 40;
const STDOUT_HEIGHT = 32;
const STDERR_HEIGHT = 14;
const MARK_HEIGHT = 4;
const BAR_WIDTH = 0.8;

/** @param {Bucket[]} buckets @returns {{stdout: string, stderr: string, tools: string, errors: string}} SVG paths */
export function pathsOf(buckets) {
  const most = Math.max(1, ...buckets.map(({ stdout, stderr }) => Math.max(stdout, stderr)));
  const draw = (top, bottom) => buckets.map((bucket, at) => bar(at, top(bucket), bottom(bucket))).join("");
  return {
    stdout: draw(({ stdout }) => LINE_AT - scaled(stdout, most, STDOUT_HEIGHT), () => LINE_AT),
    stderr: draw(() => LINE_AT, ({ stderr }) => LINE_AT + scaled(stderr, most, STDERR_HEIGHT)),
    tools: draw(() => 0, ({ toolCalls }) => (toolCalls > 0 ? MARK_HEIGHT : 0)),
    errors: draw(() => HEIGHT - MARK_HEIGHT, ({ errors }) => HEIGHT - (errors > 0 ? 0 : MARK_HEIGHT)),
  };
}

/** By the square root: a line among a flood of others is still seen. */
function scaled(bytes, most, height) {
  return bytes === 0 ? 0 : Math.max(1, Math.sqrt(bytes / most) * height);
}

function bar(at, top, bottom) {
  if (bottom <= top) return "";
  return `M${at} ${round(bottom)}v${round(top - bottom)}h${BAR_WIDTH}v${round(bottom - top)}z`;
}

function round(value) {
  return Math.round(value * 100) / 100;
}

/** Where a moment lies between the beginning and the end, from 0 to 1. */
export function shareOf(ms, startMs, endMs) {
  if (endMs <= startMs) return ms >= endMs ? 1 : 0;
  return Math.min(1, Math.max(0, (ms - startMs) / (endMs - startMs)));
}

/** "0:03.4", "12:05", "3:00:09": so long after the beginning. */
export function formatElapsed(ms) {
  const tenths = Math.floor(Math.max(0, ms) / 100);
  const seconds = Math.floor(tenths / 10);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60)];
  const rest = String(seconds % 60).padStart(2, "0");
  if (hours > 0) return `${hours}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
  return minutes >= 10 ? `${minutes}:${rest}` : `${minutes}:${rest}.${tenths % 10}`;
}
