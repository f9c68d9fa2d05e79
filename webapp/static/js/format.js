/** Figures as people read them. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "340 ms", "4.2 s", "3 min 5 s", "2 h 10 min" */
export function formatDuration(ms) {
  if (ms < 0) return "0 ms";
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 59.95 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < HOUR - SECOND / 2) return inTwoUnits(Math.round(ms / SECOND), 60, "min", "s");
  if (ms < DAY - MINUTE / 2) return inTwoUnits(Math.round(ms / MINUTE), 60, "h", "min");
  return inTwoUnits(Math.round(ms / HOUR), 24, "d", "h");
}

/** @param {number} size  of the large unit in small ones */
function inTwoUnits(count, size, large, small) {
  const rest = count % size;
  const head = `${Math.floor(count / size)} ${large}`;
  return rest === 0 ? head : `${head} ${rest} ${small}`;
}

/** How long ago, in the space of a list: "now", "12 s", "4 min", "3 h", "6 d", then the date. */
export function formatAge(iso, now) {
  const ms = now - Date.parse(iso);
  if (Number.isNaN(ms)) return "";
  if (ms < 5 * SECOND) return "now";
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  if (ms < 14 * DAY) return `${Math.floor(ms / DAY)} d`;
  return new Date(iso).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

/** The time from one instant to another, null while either is unknown. */
export function millisecondsBetween(from, to) {
  const ms = Date.parse(to ?? "") - Date.parse(from ?? "");
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/** "512 B", "1.2 kB", "3.4 MB": decimal units, as `ls --si` has them. */
export function formatBytes(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** "$0.03"; nothing for what is not known. @param {number | null | undefined} usd */
export function formatCost(usd) {
  if (usd === null || usd === undefined) return "";
  return usd > 0 && usd < 0.01 ? "<$0.01" : `$${usd.toFixed(2)}`;
}

/** "14:05" */
export function formatClock(iso) {
  return timeOf(iso, {});
}

/** "14:05:09", where a moment is looked for */
export function formatExactClock(iso) {
  return timeOf(iso, { second: "2-digit" });
}

/** @param {Intl.DateTimeFormatOptions} more */
function timeOf(iso, more) {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", ...more });
}

export function formatDateTime(iso) {
  const date = new Date(iso ?? "");
  if (Number.isNaN(date.getTime())) return "";
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function formatFigure(value) {
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 1 ? 4 : 2 });
}

/**
 * A figure under the name that a program has for it: `durationMs: 4200` → "4.2 s", "duration".
 *
 * @returns {[figure: string, label: string]}
 */
export function formatMeasure(name, value) {
  const time = /^(?:(.*?)(?:_ms|Ms)|ms)$/.exec(name);
  if (time !== null) return [formatDuration(value), formatName(time[1] || "took")];
  const cost = /^(?:(.*?)(?:_usd|Usd|USD)|usd)$/.exec(name);
  if (cost !== null) return [`$${formatFigure(value)}`, formatName(cost[1] || "cost")];
  return [formatFigure(value), formatName(name)];
}

/** `inputTokens`, `input_tokens` → "input tokens" */
export function formatName(name) {
  return name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").toLowerCase();
}
