/** The tab's title and icon: what the page shows, and how much waits for a person. */

const NAME = "agent-stream";

let shown = document.title;
let waiting = 0;
let isWorking = false;

/** @param {string} title  "": the page's own name */
export function setPageTitle(title) {
  shown = title === "" ? NAME : `${title} — ${NAME}`;
  write();
}

export function setWaitingCount(count) {
  waiting = count;
  write();
}

/** @param {boolean} value  whether the agent that the page shows works */
export function setWorking(value) {
  isWorking = value;
  write();
}

function write() {
  const state = waiting > 0 ? "-waits" : isWorking ? "-working" : "";
  const icon = document.querySelector("link[rel=icon]");
  const href = icon?.getAttribute("href")?.replace(/favicon[-a-z]*/, `favicon${state}`);
  if (href !== undefined && href !== icon?.getAttribute("href")) icon?.setAttribute("href", href);
  document.title = waiting > 0 ? `(${waiting}) ${shown}` : shown;
}
