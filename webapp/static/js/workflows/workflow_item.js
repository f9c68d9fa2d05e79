/**
 * One workflow in the list.
 *
 * @typedef {object} Shown
 * @property {import("../api/workflows.js").Workflow} workflow
 * @property {string} title
 * @property {import("./chat_state.js").ChatLook} look
 */

import { formatAge, formatDateTime } from "../format.js";
import { formatRoute } from "../route.js";
import { find, setIcon, setText } from "../view/dom.js";
import { progressOf } from "./status.js";

export function workflowItem(element) {
  const link = find(element, "link", HTMLAnchorElement);
  let written = "";

  return {
    element,

    /** @param {Shown} shown */
    write(shown, now) {
      const { workflow, title, look } = shown;
      const { latestSession: latest } = workflow;
      setText(element, "age", formatAge(latest?.restedAt ?? workflow.createdAt, now));
      const content = JSON.stringify(shown);
      if (content === written) return;
      written = content;

      const template = workflow.stages.length > 1 ? workflow.template : "";
      link.href = formatRoute({ workflowId: workflow.id, sessionId: null });
      element.dataset.tone = look.tone;
      element.dataset.look = look.name;
      setIcon(element, look.icon);
      setText(element, "title", title);
      setText(element, "word", look.word);
      const more = [latest?.agent ?? "", workflow.project ?? "", template, progressOf(workflow)];
      setText(element, "more", more.filter(Boolean).map((text) => ` · ${text}`).join(""));
      link.title = `${title}\n${formatDateTime(workflow.createdAt)}`;
    },

    setSelected(isSelected) {
      if (isSelected) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    },
  };
}
