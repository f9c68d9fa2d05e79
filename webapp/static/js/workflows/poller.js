/** Something asked for again and again, only while somebody can see the answer. */

/** @param {() => Promise<unknown>} ask  handles its own errors */
export function pollWhileVisible(ask, everyMs) {
  let timer = 0;
  let isAsking = false;
  let isWanted = false;
  let isStopped = false;

  async function now() {
    clearTimeout(timer);
    if (isStopped) return;
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
    if (!document.hidden && !isStopped) timer = window.setTimeout(now, everyMs);
  }

  function start(signal) {
    document.addEventListener(
      "visibilitychange",
      () => {
        if (document.hidden) clearTimeout(timer);
        else void now();
      },
      signal === undefined ? {} : { signal },
    );
    void now();
  }

  function stop() {
    isStopped = true;
    clearTimeout(timer);
  }

  return { start, stop, now: () => void now() };
}
