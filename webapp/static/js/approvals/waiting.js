/**
 * All that concerns a person, over all sessions, kept up to date by one connection for all tabs:
 * the tab that holds the lock follows the server, and passes on what it hears.
 *
 * @typedef {import("../api/approvals.js").Waiting} Waiting
 */

import { CHANGES_URL, listApprovals } from "../api/approvals.js";
import { serverPath } from "../root.js";
import { EventStream } from "../stream/event_stream.js";
import { pollWhileVisible } from "../workflows/poller.js";

/** Beside another server on the same host. */
const NAME = `agent-stream-approvals ${serverPath("/")}`;
/** Where tabs cannot agree on one of them: over plain HTTP from another machine. */
const POLL_MS = 5_000;

/** @param {(waiting: Waiting, isLeader: boolean) => void} onChange  one tab of a browser leads */
export function followWaiting(onChange) {
  const ask = () => listApprovals().then((waiting) => onChange(waiting, false), () => {});
  const { locks } = navigator;
  if (locks === undefined) return pollWhileVisible(ask, POLL_MS).start();

  void ask();
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", ({ data }) => onChange(data, false));
  void locks.request(NAME, () => {
    const stream = new EventStream(CHANGES_URL, {
      finalEvent: "stopped",
      onEvents(events) {
        const last = events.findLast(({ name }) => name === "message");
        const waiting = last === undefined ? {} : JSON.parse(last.data);
        if (!Array.isArray(waiting.approvals)) return;
        onChange(waiting, true);
        channel.postMessage(waiting);
      },
      onState: () => {},
    });
    stream.open();
    // Until the tab is closed: then another one takes the lock.
    return new Promise(() => {});
  });
}
