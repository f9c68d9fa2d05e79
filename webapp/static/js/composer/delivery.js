/**
 * One message on its way to an agent.
 *
 * All tries use one key, so a retry after a lost answer finds the session of the first try.
 */

import { ApiError } from "../api/errors.js";
import { sendInput } from "../api/sessions.js";
import { createWorkflow, invokeAgent } from "../api/workflows.js";
import { pause } from "../stream/backoff.js";

const TRIES = 3;
const FIRST_DELAY_MS = 400;
/** A server that asks for more than this is better asked by the person. */
const LONGEST_DELAY_MS = 5_000;

/** Where requests go; another one in tests. */
const SERVER = { createWorkflow, invokeAgent, sendInput, pause };

/** @typedef {{sessionId: string, workflowId: string, stageIndex: number}} Started */

/** A message to a conversation, or one that begins it. */
export class Delivery {
  #server;
  #asked;
  #key;
  /** Its fate is known: the same text again would be another message. */
  isAnswered = false;

  /**
   * @param {{workflowId: string | null, template: string, message?: string, agent: string,
   *     mode?: string, model?: string, place?: import("./project_choice.js").Place}} letter
   *     without a workflow one is created, from the template, to work in that place
   * @param {typeof SERVER} [server]
   * @param {string} [key]  of a try whose answer was lost
   */
  constructor(letter, server = SERVER, key = freshKey()) {
    this.letter = { ...letter };
    this.#asked = { ...letter };
    this.#server = server;
    this.#key = key;
  }

  /** Kept over a reload, with the workflow that was created for it. */
  get saved() {
    return this.isAnswered ? null : { asked: this.#asked, letter: this.letter, key: this.#key };
  }

  static restored({ asked, letter, key }) {
    const delivery = new Delivery(asked, SERVER, key);
    delivery.letter = letter;
    return delivery;
  }

  /** The id that the message has in the log. */
  get key() {
    return this.#key;
  }

  /** Whether sending this letter is one more try of the same message. */
  repeats(letter) {
    return !this.isAnswered && JSON.stringify(letter) === JSON.stringify(this.#asked);
  }

  async attempt() {
    const { template: _template, place: _place, ...asked } = this.letter;
    const workflowId = this.letter.workflowId ?? (await this.#createWorkflow());
    this.letter.workflowId = workflowId;
    const input = { ...asked, workflowId };
    const started = await patiently(() => this.#server.invokeAgent(input, this.#key), this.#server);
    this.isAnswered = true;
    return started;
  }

  /** The workflow was not there or takes no more: the same message, in one of its own. */
  moveToNewWorkflow() {
    this.letter.workflowId = null;
    this.#key = freshKey();
  }

  async #createWorkflow() {
    const input = { template: this.letter.template, ...this.letter.place };
    return (await patiently(() => this.#server.createWorkflow(input), this.#server)).id;
  }
}

/** A message to an agent that runs and reads plain lines. */
export class Answer {
  #server;
  #key = freshKey();
  isAnswered = false;

  constructor(letter, server = SERVER) {
    this.letter = { ...letter };
    this.#server = server;
  }

  repeats({ sessionId, message }) {
    return !this.isAnswered && sessionId === this.letter.sessionId && message === this.letter.message;
  }

  /** @returns {Promise<null>}  nothing was started */
  async attempt() {
    const { sessionId, message } = this.letter;
    await patiently(() => this.#server.sendInput(sessionId, message, this.#key), this.#server);
    this.isAnswered = true;
    return null;
  }
}

async function patiently(request, server) {
  for (let tried = 1; ; tried += 1) {
    try {
      return await request();
    } catch (error) {
      const delayMs = delayBeforeNext(error, tried);
      if (delayMs === null) throw error;
      await server.pause(delayMs);
    }
  }
}

/** @returns {number | null}  null: trying again would be of no use */
function delayBeforeNext(error, tried) {
  if (!(error instanceof ApiError) || !error.isPassing || tried >= TRIES) return null;
  const delayMs = Math.max(FIRST_DELAY_MS * 2 ** (tried - 1), error.retryAfterMs);
  return delayMs > LONGEST_DELAY_MS ? null : delayMs;
}

/** A random UUID. `crypto.randomUUID` is missing where the page came over plain HTTP. */
function freshKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
