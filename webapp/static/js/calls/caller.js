/**
 * Calls a person who looks at no device: a notification of the browser for each new notice, once
 * in each browser. A page that somebody looks at says so to the server, and the others stay silent.
 *
 * @typedef {import("../api/approvals.js").Notice} Notice
 */

import { mutate } from "../api/trpc.js";
import { serverPath } from "../root.js";
import { parseRoute } from "../route.js";
import { linkOf, textOf, titleOf } from "./words.js";

/** How long another device has to say that somebody looks at it. */
const GRACE_MS = 2_000;
/** More at once are one notification. */
const MAX_AT_ONCE = 3;
const MAX_KNOWN = 500;
/** What this browser knows of already; beside another server on the same host. */
const KNOWN = `agent-stream-called ${serverPath("/")}`;

/** @type {Notice[]} */
let latest = [];
/** Sent to the server in vain or not: each once. @type {Set<string>} */
const said = new Set();
/** @type {Map<string, Notification>} */
const shown = new Map();
let isListening = false;

/** @param {Notice[]} notices  all that are open @param {boolean} isLeader  whether this tab calls for its browser */
export function take(notices, isLeader) {
  latest = notices;
  if (!isListening) {
    isListening = true;
    for (const name of ["focus", "hashchange"]) window.addEventListener(name, look);
    document.addEventListener("visibilitychange", look);
  }
  look();
  if (isLeader) callFor(newOnes());
  const open = new Set(notices.map(({ key }) => key));
  for (const [key, notification] of shown) {
    if (open.has(key)) continue;
    notification.close();
    shown.delete(key);
  }
}

function isLooking() {
  return !document.hidden && document.hasFocus();
}

function look() {
  if (!isLooking()) return;
  const keys = latest.filter(({ key, heard }) => !heard && !said.has(key)).map(({ key }) => key);
  if (keys.length > 0) tell("notice.markHeard", { keys }, keys);

  const { workflowId } = parseRoute(location.hash);
  const seen = latest.filter((notice) => workflowId !== null && notice.workflowId === workflowId && !notice.approvalId);
  const marks = seen.map(({ key }) => `seen ${key}`).filter((mark) => !said.has(mark));
  if (marks.length > 0) tell("notice.markSeen", { workflowId }, marks);
}

function tell(procedure, input, marks) {
  for (const mark of marks) said.add(mark);
  mutate(procedure, input).catch(() => {
    for (const mark of marks) said.delete(mark);
  });
}

/** Those that this browser has not met; the first time that it is asked, none. */
function newOnes() {
  /** @type {string[] | null} */
  let known = null;
  try {
    const stored = JSON.parse(localStorage.getItem(KNOWN) ?? "null");
    if (Array.isArray(stored)) known = stored;
    const keys = new Set([...(known ?? []), ...latest.map(({ key }) => key)]);
    localStorage.setItem(KNOWN, JSON.stringify([...keys].slice(-MAX_KNOWN)));
  } catch {
    return []; // what cannot be remembered would call again and again
  }
  return known === null ? [] : latest.filter(({ key, heard }) => !heard && !known.includes(key));
}

/** @param {Notice[]} fresh */
function callFor(fresh) {
  if (fresh.length === 0 || !("Notification" in window) || Notification.permission !== "granted") return;
  setTimeout(() => {
    const silent = new Map(latest.map(({ key, heard }) => [key, heard]));
    const wanted = fresh.filter(({ key }) => silent.get(key) === false);
    if (wanted.length === 0 || isLooking()) return;
    if (wanted.length > MAX_AT_ONCE) show(`${wanted.length} conversations need you`, "", "many", serverPath("/"));
    else for (const notice of wanted) show(titleOf(notice), textOf(notice), notice.key, linkOf(notice));
  }, GRACE_MS);
}

function show(title, body, key, link) {
  const notification = new Notification(title, { body, tag: key });
  shown.set(key, notification);
  notification.addEventListener("click", () => {
    window.focus();
    location.href = link;
    notification.close();
  });
}
