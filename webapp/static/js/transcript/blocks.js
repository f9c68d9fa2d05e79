/**
 * What a transcript is made of. `id` counts up by one from block to block.
 *
 * @typedef {object} TextBlock
 * @property {"text" | "stderr"} kind
 * @property {number} id
 * @property {string} text          only ever grows
 * @property {number} omitted       how much more there was than the page keeps
 * @property {boolean} continued    goes on from the block before it
 * @property {import("./text_run.js").Piece["ending"]} ending
 *
 * @typedef {object} InputBlock     what a person said
 * @property {"input"} kind
 * @property {number} id
 * @property {string} text
 * @property {number} omitted
 * @property {boolean} fromLog  false: this page remembers that it was sent
 *
 * @typedef {object} ToolBlock
 * @property {"tool"} kind
 * @property {number} id
 * @property {string} name
 * @property {string | null} callId
 * @property {"running" | "ok" | "failed" | "unanswered"} state
 * @property {string} summary
 * @property {{text: string, omitted: number}} args
 * @property {{text: string, omitted: number} | null} result
 *
 * @typedef {object} OtherBlock     an event of a name that the page does not know
 * @property {"other"} kind
 * @property {number} id
 * @property {string} name
 * @property {string} summary
 * @property {{text: string, omitted: number}} body
 *
 * @typedef {object} UsageBlock
 * @property {"usage"} kind
 * @property {number} id
 * @property {[name: string, value: number][]} figures
 *
 * @typedef {object} NoticeBlock
 * @property {"notice"} kind
 * @property {number} id
 * @property {string} text
 *
 * @typedef {object} StartBlock
 * @property {"start"} kind
 * @property {number} id
 * @property {string} agent
 * @property {number | null} pid
 * @property {string | null} startedAt
 *
 * @typedef {object} DoneBlock
 * @property {"done"} kind
 * @property {number} id
 * @property {string} status
 * @property {number | null} exitCode
 * @property {string | null} signal
 * @property {number | null} durationMs  null until the row tells it
 * @property {string | null} error
 *
 * @typedef {TextBlock | InputBlock | ToolBlock | OtherBlock | UsageBlock | NoticeBlock | StartBlock
 *     | DoneBlock} Block
 */

/**
 * How much text a block holds.
 *
 * @param {Block} block
 */
export function weightOf(block) {
  switch (block.kind) {
    case "text":
    case "stderr":
    case "input":
    case "notice":
      return block.text.length;
    case "tool":
      return block.summary.length + block.args.text.length + (block.result?.text.length ?? 0);
    case "other":
      return block.summary.length + block.body.text.length;
    default:
      return 0;
  }
}
