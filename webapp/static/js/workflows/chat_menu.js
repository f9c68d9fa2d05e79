/** What the menu of a conversation does: loaded with the first click. */

import { changeListed, getHistory } from "../api/workflows.js";
import { formatRoute } from "../route.js";
import { copy } from "../view/clipboard.js";
import { find, setText } from "../view/dom.js";
import { titleOf } from "./titles.js";

/**
 * @typedef {import("../api/workflows.js").Workflow} Workflow
 *
 * @typedef {object} MenuHooks
 * @property {(workflow: Workflow) => void} onWorkflow
 * @property {(workflowId: string) => void} onGone  it was put away, or deleted
 */

/** @type {Record<string, (workflow: Workflow, hooks: MenuHooks) => Promise<void>>} */
export const DO = {
  async rename(workflow, { onWorkflow }) {
    const dialog = find(document, "rename", HTMLDialogElement);
    const title = find(dialog, "new-title", HTMLInputElement);
    title.value = workflow.title ?? "";
    if ((await answerOf(dialog)) === "yes") onWorkflow(await changeListed("rename", workflow.id, { title: title.value }));
  },

  async pin(workflow, { onWorkflow }) {
    onWorkflow(await changeListed("pin", workflow.id, { pinned: workflow.pinnedAt === null }));
  },

  async archive(workflow, { onWorkflow, onGone }) {
    const archived = workflow.archivedAt === null;
    onWorkflow(await changeListed("archive", workflow.id, { archived }));
    onGone(workflow.id);
  },

  async export({ id, title }) {
    const text = await asMarkdown(id, titleOf(title));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/markdown" }));
    link.download = `${titleOf(title).replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 60) || "conversation"}.md`;
    link.click();
    URL.revokeObjectURL(link.href);
  },

  async link({ id }) {
    await copy(new URL(formatRoute({ workflowId: id }), location.href).href);
  },

  async delete(workflow, { onGone }) {
    const dialog = find(document, "confirm", HTMLDialogElement);
    setText(dialog, "question", `Delete “${titleOf(workflow.title)}”? All that was said in it and the logs of its sessions are deleted for good.`);
    setText(dialog, "yes", "Delete it");
    if ((await answerOf(dialog)) !== "yes") return;
    await changeListed("delete", workflow.id);
    onGone(workflow.id);
    location.hash = "";
  },
};

/** @returns {Promise<string>}  what the dialog was closed with */
export function answerOf(dialog) {
  dialog.returnValue = "";
  for (const button of dialog.querySelectorAll("[data-rename-no]")) button.addEventListener("click", () => dialog.close("no"), { once: true });
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/** What was said, from the first message on. */
async function asMarkdown(workflowId, title) {
  /** @type {import("../api/workflows.js").Message[]} */
  let messages = [];
  /** @type {number | null} */
  let cursor = null;
  do {
    const page = await getHistory(workflowId, { limit: 1_000, ...(cursor === null ? {} : { cursor }) });
    messages = [...page.messages, ...messages];
    cursor = page.nextCursor;
  } while (cursor !== null);
  const names = { user: "You", agent: "Agent", system: "Workflow" };
  const parts = messages.map(({ role, content, createdAt }) => `## ${names[role] ?? role}, ${createdAt}\n\n${content}`);
  return `# ${title}\n\n${parts.join("\n\n")}\n`;
}
