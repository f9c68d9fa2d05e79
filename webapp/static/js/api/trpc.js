/** tRPC's plain HTTP form: https://trpc.io/docs/rpc */

import { ApiError, errorIn } from "./errors.js";
import { getJson, postJson } from "./requests.js";

/** @param {object} input @param {Record<string, string>} [headers] */
export async function mutate(procedure, input, headers = {}) {
  return (await postJson(`/api/trpc/${procedure}`, input, headers)).result.data;
}

/**
 * Several queries in one request. One that fails gives its error, and the others their data.
 *
 * @param {[procedure: string, input: unknown][]} calls
 * @returns {Promise<any[]>}
 */
export async function query(calls) {
  const names = calls.map(([name]) => name).join(",");
  const inputs = Object.fromEntries(calls.map(([, input], index) => [index, input]));
  const fields = new URLSearchParams({ batch: "1", input: JSON.stringify(inputs) });
  const answers = await getJson(`/api/trpc/${names}?${fields}`, isBatch);
  return answers.map((answer) =>
    answer?.error === undefined ? answer?.result?.data : errorIn(answer, answer.error.data?.httpStatus),
  );
}

/** A batch in which a call failed has that call's status, but its body is whole. */
function isBatch(body) {
  return Array.isArray(body);
}

/** The data of a query in a batch, or its error thrown. */
export function dataOf(answer) {
  if (answer instanceof ApiError) throw answer;
  return answer;
}
