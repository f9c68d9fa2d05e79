/**
 * One session in the list.
 *
 * @typedef {object} SessionItem
 * @property {HTMLElement} element
 * @property {(session: import("../api/sessions.js").Session, now: number) => void} write
 * @property {(isSelected: boolean) => void} setSelected
 */

import { formatAge, formatDateTime, formatDuration, millisecondsBetween } from "../format.js";
import { formatRoute } from "../route.js";
import { find, setIcon, setText } from "../view/dom.js";
import { messageOf } from "./sent_messages.js";
import { lookOf } from "./status.js";

/**
 * @param {HTMLElement} element
 * @returns {SessionItem}
 */
export function sessionItem(element) {
  const link = find(element, "link", HTMLAnchorElement);
  let written = "";

  return {
    element,

    write(session, now) {
      setText(element, "age", formatAge(session.createdAt, now));
      const row = JSON.stringify(session);
      if (row === written) return;
      written = row;

      const look = lookOf(session.status);
      const said = messageOf(session.sessionId);
      link.href = formatRoute(session);
      element.dataset.tone = look.tone;
      element.dataset.status = session.status;
      setIcon(element, look.icon);
      setText(element, "title", said ?? session.agent);
      setText(element, "word", look.word);
      setText(element, "facts", facts(session, said !== null).map((fact) => ` · ${fact}`).join(""));
      find(element, "age", HTMLElement).title = formatDateTime(session.createdAt);
    },

    setSelected(isSelected) {
      if (isSelected) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    },
  };
}

/**
 * @param {import("../api/sessions.js").Session} session
 * @param {boolean} needsAgent  the title says something else
 */
function facts(session, needsAgent) {
  const duration = millisecondsBetween(session.startedAt, session.endedAt);
  return [
    session.exitCode === null ? "" : `exit ${session.exitCode}`,
    duration === null ? "" : formatDuration(duration),
    needsAgent ? session.agent : "",
  ].filter(Boolean);
}
