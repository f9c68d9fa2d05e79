/**
 * A moment of a session: the id of its last event, or a time.
 *
 * @typedef {{id: string} | {ms: number, text?: string}} Moment
 *     text: the time as it was given, which may be finer than a millisecond
 */

/** From a link's `?at=…`. @returns {Moment | null} */
export function parseMoment(search) {
  const at = new URLSearchParams(search).get("at") ?? "";
  if (/^\d{1,19}(\.\d{1,9})?$/.test(at)) return { id: at };
  // In a query string a plus that was not escaped stands for a space.
  const text = at.replace(" ", "+");
  const ms = text.includes("T") ? Date.parse(text) : Number.NaN;
  return Number.isNaN(ms) ? null : { ms, text };
}

/** As the API has it. @param {Moment} moment */
export function formatMoment(moment) {
  return "id" in moment ? moment.id : (moment.text ?? new Date(moment.ms).toISOString());
}
