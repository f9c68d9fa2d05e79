/**
 * Stock tRPC clients for the server at `SERVER_URL`, one a link.
 *
 * No client here has a type: the server is written in Python.
 */

import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  splitLink,
} from "@trpc/client";
import { EventSource } from "eventsource";

export const API = `${process.env.SERVER_URL}/api/trpc`;

/** The path of each call that any client made. */
export const called = new Set();

const LINKS = { httpLink, httpBatchLink, httpBatchStreamLink };
export const LINK_NAMES = Object.keys(LINKS);

/** A client whose queries and mutations go by the link with this name. */
export function makeClient(linkName, subscriptionOptions = {}) {
  const url = API;
  return createTRPCClient({
    links: [
      () =>
        ({ op, next }) => {
          called.add(op.path);
          return next(op);
        },
      splitLink({
        condition: (op) => op.type === "subscription",
        true: httpSubscriptionLink({ url, EventSource, ...subscriptionOptions }),
        false: LINKS[linkName]({ url }),
      }),
    ],
  });
}

/** The error that a call ends with; one that does not fail is a failure. */
export async function errorOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("no error");
}

/** The first true value of `condition()`. */
export async function waitFor(condition, patienceMs = 30_000) {
  const giveUpAt = Date.now() + patienceMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > giveUpAt) throw new Error(`gave up waiting for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Follow a workflow: what was heard so far, the states of the connection, and an end to it. */
export function follow(client, input) {
  const heard = { contents: [], ids: [], states: [], errors: [] };
  const subscription = client.workflow.onMessage.subscribe(input, {
    onData({ id, data }) {
      // A tracked event comes as {id, data: {id, data}}: that is how the link hands it on.
      heard.ids.push(id);
      heard.contents.push((data.data ?? data).content);
    },
    onConnectionStateChange: ({ state }) => heard.states.push(state),
    onError: (error) => heard.errors.push(error),
  });
  return { ...heard, stop: () => subscription.unsubscribe() };
}
