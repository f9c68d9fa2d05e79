/** As tall as its text, between the limits that the style sheet sets. */
export function growWithText(area) {
  function fit() {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
  }

  area.addEventListener("input", fit);
  new ResizeObserver(onWidth(fit)).observe(area);
}

/**
 * Only when the width is another one: `fit` itself changes the height.
 *
 * @returns {ResizeObserverCallback}
 */
function onWidth(fit) {
  let width = -1;
  return (entries) => {
    const now = entries[0]?.contentRect.width ?? width;
    if (now === width) return;
    width = now;
    fit();
  };
}
