/** Many changes, one write a frame. */

/** What one frame may spend on writing, so that the page stays answerable while history pours in. */
const FRAME_BUDGET_MS = 8;

/**
 * @param {(isOverBudget: () => boolean) => boolean} write  writes what it can; true when something is left
 * @returns {{schedule: () => void, cancel: () => void}}
 */
export function frameBatch(write) {
  let frame = 0;

  function schedule() {
    if (frame === 0) frame = requestAnimationFrame(run);
  }

  function run() {
    frame = 0;
    const deadline = performance.now() + FRAME_BUDGET_MS;
    if (write(() => performance.now() > deadline)) schedule();
  }

  function cancel() {
    cancelAnimationFrame(frame);
    frame = 0;
  }

  return { schedule, cancel };
}
