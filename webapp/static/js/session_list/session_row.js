/** One session in the list. */

import { formatAge, formatBytes, formatCost, formatDateTime, formatDuration, millisecondsBetween } from "../format.js";
import { serverPath } from "../root.js";
import { formatRoute } from "../route.js";
import { lookOf, lookOfSession } from "../sessions/status.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";

/**
 * @typedef {import("../api/sessions.js").Session} Session
 * @typedef {{element: HTMLElement, write: (session: Session, title: string, now: number) => void}} SessionRow
 */

/** @param {(workflowId: string) => void} onlyWorkflow @returns {SessionRow} */
export function sessionRow(sessionId, onlyWorkflow) {
  const element = copyOf("session-row");
  const link = find(element, "link", HTMLAnchorElement);
  let workflowId = "";
  link.href = serverPath(`/sessions/${encodeURIComponent(sessionId)}`);
  setText(element, "id", sessionId);
  find(element, "only", HTMLButtonElement).addEventListener("click", () => onlyWorkflow(workflowId));

  function write(session, title, now) {
    workflowId = session.workflowId;
    const look = lookOfSession(session);
    element.dataset.tone = look.tone;
    element.toggleAttribute("data-live", look.tone === "live");
    setIcon(element, look.icon);
    setText(element, "word", look.word);
    setText(element, "outcome", outcomeOf(session));
    const line = title.trim().split("\n")[0] ?? "";
    setText(element, "title", line || "No message");
    link.toggleAttribute("data-untitled", line === "");
    setText(element, "agent", session.agent);
    setText(element, "project", session.project ?? "");
    const started = find(element, "started", HTMLTimeElement);
    started.dateTime = session.createdAt;
    started.title = formatDateTime(session.createdAt);
    setText(element, "started", agoOf(session.createdAt, now));
    setText(element, "took", tookOf(session, now));
    setText(element, "cost", formatCost(session.costUsd));
    setText(element, "size", session.logBytes === null ? "" : formatBytes(session.logBytes));
    setText(element, "workflow-name", shortId(workflowId));
    find(element, "only", HTMLElement).title = `Only ${workflowId}`;
    find(element, "chat", HTMLAnchorElement).href = serverPath(`/${formatRoute({ workflowId, sessionId })}`);
  }

  return { element, write };
}

/** How it ended, in a word or two; nothing where the status says it all. */
export function outcomeOf({ status, exitCode, exitSignal, error, pid, damaged }) {
  if (damaged !== undefined) return `damaged: ${damaged.join(", ")}`;
  if (!lookOf(status).isOver) return pid === null ? "" : `pid ${pid}`;
  if (exitSignal !== null) return exitSignal;
  if (exitCode !== null) return exitCode === 0 ? "" : `exit ${exitCode}`;
  return error ?? "";
}

function tookOf({ startedAt, endedAt, status }, now) {
  const isOver = lookOf(status).isOver;
  if (startedAt === null || (isOver && endedAt === null)) return "";
  const ms = millisecondsBetween(startedAt, endedAt ?? new Date(now).toISOString()) ?? 0;
  if (isOver) return formatDuration(ms);
  return ms < 1_000 ? "" : formatDuration(Math.floor(ms / 1_000) * 1_000).replace(".0", "");
}

/** A date stands for itself. */
function agoOf(createdAt, now) {
  const age = formatAge(createdAt, now);
  return /^\d+ (s|min|h|d)$/.test(age) ? `${age} ago` : age;
}

/** The end of an id tells it from others. */
export function shortId(id) {
  return id.length > 14 ? `…${id.slice(-8)}` : id;
}
