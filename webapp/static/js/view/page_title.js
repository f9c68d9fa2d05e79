/** The tab's title: what the page shows, and before it how much waits for a person. */

const NAME = "agent-stream";

let shown = document.title;
let waiting = 0;

/** @param {string} title  "": the page's own name */
export function setPageTitle(title) {
  shown = title === "" ? NAME : `${title} — ${NAME}`;
  write();
}

export function setWaitingCount(count) {
  waiting = count;
  write();
}

function write() {
  document.title = waiting > 0 ? `(${waiting}) ${shown}` : shown;
}
