/** How much waits for a person, on each page, with the way to it. */

import { actionOf } from "../actions/action.js";
import { serverPath } from "../root.js";
import { formatRoute } from "../route.js";
import { visible } from "../transcript/plain_text.js";
import { copyOf, find, setIcon, setText } from "../view/dom.js";
import { setWaitingCount } from "../view/page_title.js";
import { followWaiting } from "./waiting.js";
import { questionOf } from "./words.js";

/** @typedef {import("../api/approvals.js").Approval} Approval */

const ICONS = { question: "question", plan: "plan" };

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

  followWaiting((approvals) => {
    const content = JSON.stringify(approvals);
    if (content === written) return;
    written = content;
    onChange(approvals);
    const count = approvals.length;
    root.hidden = count === 0;
    if (count === 0) root.open = false;
    setText(root, "waits-count", String(count));
    setText(root, "waits-word", count === 1 ? "waits for you" : "wait for you");
    setWaitingCount(count);
    find(root, "waits-list", HTMLElement).replaceChildren(...approvals.map(itemOf));
  });
}

function itemOf(approval) {
  const item = copyOf("waits-item");
  const { id, sessionId, workflowId, kind, tool, title, input } = approval;
  const link = find(item, "link", HTMLAnchorElement);
  link.href = serverPath(`/${formatRoute({ workflowId, sessionId, approvalId: id })}`);
  setIcon(item, ICONS[kind] ?? "gate");
  setText(item, "question", questionOf(approval, actionOf(tool, input ?? {})));
  setText(item, "subject", visible(String(title ?? "")));
  return item;
}
