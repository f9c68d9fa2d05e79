/**
 * What people know a workflow by: how what was first said in it begins.
 *
 * @param {string | null} [said]
 */
export function titleOf(said) {
  return (said ?? "").trim().split("\n")[0] || "Untitled";
}
