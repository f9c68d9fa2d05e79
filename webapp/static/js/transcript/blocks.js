/**
 * What a transcript is made of. `id` counts up by one from block to block; `version` counts the
 * changes of one.
 *
 * @typedef {{id: number, version: number, weight: number}} Counted
 *
 * @typedef {object} TextBlock
 * @property {"text" | "output" | "stderr"} kind
 *     text: what an agent says, in Markdown; output: lines that a program printed
 * @property {string} text
 * @property {boolean} continued    goes on from the block before it
 * @property {import("./text_run.js").Piece["ending"]} begins  what its first piece is
 * @property {string} lead          the empty lines that were left out before it
 * @property {string} opening       the fence that stands open where the block begins, or ""
 * @property {import("./text_run.js").Piece["ending"]} ending
 *
 * @typedef {object} InputBlock     what a person said
 * @property {"input"} kind
 * @property {string} text
 * @property {number} omitted
 * @property {string} [messageId]
 * @property {string | null} [by]
 * @property {"sent" | "cancelled"} [state]
 *
 * @typedef {object} ToolBlock
 * @property {"tool"} kind
 * @property {string} name
 * @property {string | null} callId
 * @property {"running" | "ok" | "failed" | "unanswered" | "asks" | "allowed" | "denied" | "answered"
 *     | "withdrawn" | "expired"} state
 * @property {boolean} isOrphan     a result whose call has not been seen
 * @property {string} summary
 * @property {{name: string, text: string, omitted: number}[]} args
 * @property {any} input            the arguments as the agent gave them
 * @property {{text: string, omitted: number, media?: import("./tool_calls.js").Media[]} | null} result
 * @property {any} approval         the request that a person must answer, or null
 * @property {any} resolution       how it was answered, or null
 * @property {number | null} exitCode  of a command
 * @property {import("./transcript.js").Transcript | null} inner  what the subagent that it started does
 *
 * @typedef {object} PlanBlock      an agent's list of steps
 * @property {"plan"} kind
 * @property {{text: string, status: string}[]} steps
 *
 * @typedef {object} TurnBlock      the end of a turn
 * @property {"turn"} kind
 * @property {number} turn
 * @property {string} outcome       completed, interrupted, failed, refused
 * @property {string} error
 * @property {Record<string, number | undefined>} usage
 * @property {number} denied        how many actions a person or a rule did not allow
 * @property {string} said          what it began with, so far as its agent has taken it
 * @property {boolean} isWaiting    its agent has taken nothing of it: `said` is what it would have begun with
 *
 * @typedef {object} LostBlock      the agent no longer knows the conversation
 * @property {"lost"} kind
 * @property {string} text
 *
 * @typedef {object} OtherBlock     an event of a name that the page does not know
 * @property {"other"} kind
 * @property {string} name
 * @property {string} summary
 * @property {{text: string, omitted: number}} body
 *
 * @typedef {object} NoticeBlock
 * @property {"notice"} kind
 * @property {string} [topic]       a later notice on it takes this one's place
 * @property {string} text
 *
 * @typedef {TextBlock | InputBlock | ToolBlock | OtherBlock | NoticeBlock | PlanBlock | TurnBlock
 *     | LostBlock} Content
 * @typedef {Content & Counted} Block
 */

import { LINE_WEIGHT } from "./limits.js";

/**
 * How much of a page's room a new block takes.
 *
 * @param {Content} block
 */
export function weightOf(block) {
  switch (block.kind) {
    case "tool":
      return 100 + weightOfArgs(block.args) + (block.result?.text.length ?? 0);
    case "other":
      return 100 + block.summary.length + block.body.text.length;
    case "turn":
      return 100;
    case "plan":
      return block.steps.reduce((sum, { text }) => sum + text.length, 100);
    default:
      return weightOfText(block.text);
  }
}

/** @param {ToolBlock["args"]} args */
export function weightOfArgs(args) {
  return args.reduce((sum, { text }) => sum + text.length, 0);
}

export function weightOfText(text) {
  let lines = 0;
  for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", end + 1)) lines += 1;
  return text.length + lines * LINE_WEIGHT;
}
