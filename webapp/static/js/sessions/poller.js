/** Something asked for again and again, only while somebody can see the answer. */

/**
 * @param {() => Promise<unknown>} ask  handles its own errors
 * @param {number} everyMs
 * @returns {{start: () => void, now: () => void}}
 */
export function pollWhileVisible(ask, everyMs) {
  let timer = 0;
  let isAsking = false;
  let isWanted = false;

  async function now() {
    clearTimeout(timer);
    if (isAsking) {
      isWanted = true;
      return;
    }
    isAsking = true;
    isWanted = false;
    await ask();
    isAsking = false;
    if (isWanted) void now();
    else schedule();
  }

  function schedule() {
    clearTimeout(timer);
    if (!document.hidden) timer = window.setTimeout(now, everyMs);
  }

  function start() {
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(timer);
      else void now();
    });
    void now();
  }

  return { start, now: () => void now() };
}
