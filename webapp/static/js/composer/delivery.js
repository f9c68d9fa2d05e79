/**
 * One message on its way to an agent.
 *
 * Its key stays the same however often it is tried, so that a retry after a lost answer finds the
 * session that the first try started, and never starts a second one.
 */

import { ApiError } from "../api/errors.js";
import { createWorkflow, invokeAgent } from "../api/workflows.js";
import { pause } from "../stream/backoff.js";

const TRIES = 3;
const FIRST_DELAY_MS = 400;
/** A server that asks for more than this is better asked by the person. */
const LONGEST_DELAY_MS = 5_000;

/** Where requests go; another one in tests. */
const SERVER = { createWorkflow, invokeAgent, pause };

export class Delivery {
  #server;
  #key = freshKey();

  /**
   * @param {{workflowId: string | null, message: string, agent: string}} letter
   *     without a workflow one is created
   * @param {typeof SERVER} [server]
   */
  constructor(letter, server = SERVER) {
    this.letter = { ...letter };
    this.#server = server;
  }

  /** @returns {Promise<{sessionId: string, workflowId: string}>} */
  async attempt() {
    const { message, agent } = this.letter;
    const workflowId = this.letter.workflowId ?? (await this.#createWorkflow());
    this.letter.workflowId = workflowId;
    const input = { workflowId, message, agent };
    return this.#patiently(() => this.#server.invokeAgent(input, this.#key));
  }

  /** The workflow was not there or takes no more: the same message, in one of its own. */
  moveToNewWorkflow() {
    this.letter.workflowId = null;
    this.#key = freshKey();
  }

  async #createWorkflow() {
    return (await this.#patiently(this.#server.createWorkflow)).id;
  }

  /**
   * @template T
   * @param {() => Promise<T>} request
   */
  async #patiently(request) {
    for (let tried = 1; ; tried += 1) {
      try {
        return await request();
      } catch (error) {
        const delayMs = delayBeforeNext(error, tried);
        if (delayMs === null) throw error;
        await this.#server.pause(delayMs);
      }
    }
  }
}

/**
 * @param {unknown} error
 * @param {number} tried
 * @returns {number | null}  null: trying again would be of no use
 */
function delayBeforeNext(error, tried) {
  if (!(error instanceof ApiError) || !error.isPassing || tried >= TRIES) return null;
  const delayMs = Math.max(FIRST_DELAY_MS * 2 ** (tried - 1), error.retryAfterMs);
  return delayMs > LONGEST_DELAY_MS ? null : delayMs;
}

/** 128 random bits. `crypto.randomUUID` is missing where the page came over plain HTTP. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
