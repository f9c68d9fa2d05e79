/**
 * What a conversation's state is called in the list.
 *
 * @typedef {{name: string, word: string, icon: string, tone: string}} ChatLook
 */

import { isUnread } from "./seen.js";
import { lookOfWorkflow, waitsForApproval } from "./status.js";

const NEEDS_YOU = { name: "needs", word: "Needs you", icon: "gate", tone: "warn" };
const UNREAD = { name: "unread", word: "Unread", icon: "unread", tone: "live" };
const FAILED = { name: "failed", word: "Failed", icon: "failed", tone: "bad" };
const DONE = { name: "done", word: "Done", icon: "ok", tone: "quiet" };
const NEW = { name: "new", word: "Nothing said yet", icon: "dot", tone: "quiet" };
const HAS_FAILED = new Set(["failed", "timed_out", "lost"]);

/**
 * @param {import("../api/workflows.js").Workflow} workflow
 * @param {string[]} live  the states of its sessions that run
 * @returns {ChatLook}
 */
export function lookOfChat(workflow, live) {
  const { latestSession: latest, status } = workflow;
  if (live.includes("waiting")) return NEEDS_YOU;
  const working = live.filter((state) => state !== "idle").length;
  if (working > 0) {
    return { name: "working", word: working === 1 ? "Working" : `${working} working`, icon: "running", tone: "live" };
  }
  if (waitsForApproval(workflow) && latest) return NEEDS_YOU;
  if (status !== "active") return { name: status, ...lookOfWorkflow(status) };
  if (HAS_FAILED.has(latest?.status)) return FAILED;
  if (isUnread(workflow.id, latest?.restedAt)) return UNREAD;
  return latest ? DONE : NEW;
}
