/** Things that are written anew each second, as long as they are in the document. */

/** @type {Map<Element, () => void>} */
const ticking = new Map();
let timer = 0;

export function eachSecond(element, write) {
  ticking.set(element, write);
  timer ||= window.setInterval(tick, 1_000);
}

function tick() {
  for (const [element, write] of ticking) {
    if (element.isConnected) write();
    else ticking.delete(element);
  }
  if (ticking.size > 0) return;
  clearInterval(timer);
  timer = 0;
}
