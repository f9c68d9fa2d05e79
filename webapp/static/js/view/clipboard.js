/** Buttons that copy a text and say whether they could. */

import { announce } from "./announcer.js";

const SAID_FOR_MS = 1_600;

export function copyOnClick(button, text) {
  let timer = 0;
  button.addEventListener("click", async () => {
    button.dataset.copied = (await copy(text())) ? "yes" : "no";
    clearTimeout(timer);
    timer = window.setTimeout(() => delete button.dataset.copied, SAID_FOR_MS);
  });
}

/** Copy, and say whether that was possible. */
export async function copy(text) {
  const isCopied = await write(text);
  announce(isCopied ? "Copied" : "Could not copy");
  return isCopied;
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** The clipboard API is missing where the page came over plain HTTP from another machine. */
function copyBySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return isCopied;
}
