/** Lists of steps that agents keep by calling tools: the whole list each time, or a step at a time. */

/** Claude Code, OpenCode and Gemini; Codex. */
const LISTS = /^(todo_?write|write_todos|update_plan|todo_list)$/i;
const CREATES = /^TaskCreate$/;
const UPDATES = /^TaskUpdate$/;

/** @typedef {{text: string, status: string, id?: string}} Step */

export function isPlanCall(name, args) {
  if (LISTS.test(name)) return listIn(args) !== null;
  return (CREATES.test(name) && typeof args?.subject === "string") || (UPDATES.test(name) && typeof args?.taskId === "string");
}

/** The list once a call is made; null: it changes with the result. @param {Step[]} steps */
export function stepsAfter(steps, args) {
  const list = listIn(args);
  if (list !== null) return list;
  if (args.taskId === undefined) return null;
  if (args.status === "deleted") return steps.filter(({ id }) => id !== args.taskId);
  return steps.map((step) => {
    if (step.id !== args.taskId) return step;
    return { ...step, text: args.subject ?? step.text, status: args.status ?? step.status };
  });
}

/** The step that a call has made, by what it answered: "Task #3 created successfully". @returns {Step | null} */
export function createdStep(args, answer) {
  const id = /#(\w+)/.exec(answer)?.[1];
  return typeof args.subject === "string" && args.taskId === undefined && id !== undefined
    ? { id, text: args.subject, status: "pending" }
    : null;
}

/** @returns {Step[] | null} */
function listIn(args) {
  const list = args?.todos ?? args?.plan ?? args?.steps ?? args?.items;
  if (typeof list === "string") return list.split("\n").map(lineOf);
  return Array.isArray(list) ? list.map(stepOf) : null;
}

function stepOf(todo) {
  const status = todo?.completed === true ? "completed" : todo?.status;
  return { text: todo?.content ?? todo?.step ?? todo?.description ?? todo?.text ?? "", status: status ?? "pending" };
}

/** "[x] Look" */
function lineOf(line) {
  const [, mark = " ", text = line] = /^\[(.)\] (.*)$/.exec(line) ?? [];
  return { text, status: mark === "x" ? "completed" : "pending" };
}
