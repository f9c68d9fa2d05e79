/** How much waits for a person, on each page, with the way to it. */

import { actionOf } from "../actions/action.js";
import { mutate } from "../api/trpc.js";
import { iconOf, linkOf, textOf, titleOf } from "../calls/words.js";
import { parseRoute } from "../route.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";
import { setWaitingCount } from "../view/page_title.js";
import { followWaiting } from "./waiting.js";
import { questionOf } from "./words.js";

/** @typedef {import("../api/approvals.js").Approval} Approval */

const ICONS = { question: "question", plan: "plan" };
const loadCaller = () => import("../calls/caller.js");

/** @param {(approvals: Approval[]) => void} [onChange] */
export function startBadge(onChange = () => {}) {
  const root = find(document, "waits", HTMLDetailsElement);
  let written = "";
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !root.contains(event.target)) root.open = false;
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.open) return;
    root.open = false;
    find(root, "waits-button", HTMLElement).focus();
  });
  find(root, "waits-list", HTMLElement).addEventListener("click", () => {
    root.open = false;
  });

  find(root, "waits-seen", HTMLElement).addEventListener("click", () => void mutate("notice.markSeen", {}).catch(() => {}));

  followWaiting((waiting, isLeader) => {
    const { approvals, notices } = waiting;
    if (isLeader || notices.length > 0) void loadCaller().then((caller) => caller.take(notices, isLeader));
    const content = JSON.stringify(waiting);
    if (content === written) return;
    written = content;
    onChange(approvals);
    const others = notices.filter((notice) => notice.approvalId === null && !isLookedAt(notice));
    const count = approvals.length + others.length;
    find(root, "waits-seen", HTMLElement).hidden = others.length === 0;
    root.hidden = count === 0;
    if (count === 0) root.open = false;
    setText(root, "waits-count", String(count));
    setText(root, "waits-word", count === 1 ? "waits for you" : "wait for you");
    setWaitingCount(count);
    find(root, "waits-list", HTMLElement).replaceChildren(...approvals.map(itemOf), ...others.map(itemOfNotice));
  });
}

/** Whether it is of the conversation that somebody looks at here: it is about to be marked as seen. */
function isLookedAt({ workflowId }) {
  return !document.hidden && document.hasFocus() && workflowId !== null && parseRoute(location.hash).workflowId === workflowId;
}

function itemOf(approval) {
  const { id, kind, tool, title, input } = approval;
  const question = questionOf(approval, actionOf(tool, input ?? {}));
  return made(linkOf({ ...approval, approvalId: id }), ICONS[kind] ?? "gate", question, visible(String(title ?? "")));
}

function itemOfNotice(notice) {
  return made(linkOf(notice), iconOf(notice), titleOf(notice), textOf(notice));
}

function made(href, icon, question, subject) {
  const item = copyOf("waits-item");
  find(item, "link", HTMLAnchorElement).href = href;
  setIcon(item, icon);
  setText(item, "question", question);
  setText(item, "subject", subject);
  return item;
}
