/**
 * Which conversation the page shows, kept in the URL's fragment: it survives a reload, can be sent
 * to somebody, and never reaches the server.
 *
 * @typedef {{workflowId: string | null, sessionId: string | null, approvalId: string | null}} Route
 */

const ID = /^[\w.:-]{1,128}$/;

/** @returns {Route} */
export function parseRoute(hash) {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  return {
    workflowId: idAt(fields, "workflow"),
    sessionId: idAt(fields, "session"),
    approvalId: idAt(fields, "approval"),
  };
}

/** @param {Partial<Route>} route */
export function formatRoute({ workflowId, sessionId, approvalId }) {
  const fields = new URLSearchParams();
  if (workflowId) fields.set("workflow", workflowId);
  if (sessionId) fields.set("session", sessionId);
  if (approvalId) fields.set("approval", approvalId);
  return `#${fields}`;
}

function idAt(fields, name) {
  const id = fields.get(name);
  return id !== null && ID.test(id) ? id : null;
}
