/**
 * One workflow in the list.
 *
 * @typedef {object} Shown
 * @property {import("../api/workflows.js").Workflow} workflow
 * @property {string} title
 * @property {string[]} live  the states of its sessions that run: "working", "waiting", "idle"
 */

import { formatAge, formatDateTime } from "../format.js";
import { formatRoute } from "../route.js";
import { find, setIcon, setText } from "../view/dom.js";
import { lookOfWorkflow, progressOf, waitsForApproval } from "./status.js";

function lookOf({ workflow, live }) {
  if (live.includes("waiting")) return { word: "Needs you", icon: "gate", tone: "warn" };
  const working = live.filter((state) => state !== "idle").length;
  if (working > 0) return { word: working === 1 ? "Running" : `${working} running`, icon: "running", tone: "live" };
  if (live.length > 0) return { word: "Idle", icon: "dot", tone: "quiet" };
  if (waitsForApproval(workflow)) return { word: "Needs approval", icon: "gate", tone: "warn" };
  return lookOfWorkflow(workflow.status);
}

export function workflowItem(element) {
  const link = find(element, "link", HTMLAnchorElement);
  let written = "";

  return {
    element,

    write(shown, now) {
      const { workflow, title } = shown;
      setText(element, "age", formatAge(workflow.createdAt, now));
      const content = JSON.stringify(shown);
      if (content === written) return;
      written = content;

      const look = lookOf(shown);
      const template = workflow.stages.length > 1 ? workflow.template : "";
      link.href = formatRoute({ workflowId: workflow.id, sessionId: null });
      element.dataset.tone = look.tone;
      element.dataset.look = look.icon;
      setIcon(element, look.icon);
      setText(element, "title", title);
      // Most wait for nothing: a list is calmer without a word for that.
      const isIdle = workflow.status === "active" && look.tone === "quiet" && template === "";
      find(element, "line", HTMLElement).hidden = isIdle;
      setText(element, "word", look.word);
      setText(element, "more", [template, progressOf(workflow)].filter(Boolean).map((text) => ` · ${text}`).join(""));
      link.title = `${title}\n${formatDateTime(workflow.createdAt)}`;
    },

    setSelected(isSelected) {
      if (isSelected) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    },
  };
}
