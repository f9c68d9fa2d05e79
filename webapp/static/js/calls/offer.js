/** Offers notifications, once, when the agent takes a while: then it is clear what they are for. */

import { serverPath } from "../root.js";

const DECLINED = `agent-stream-no-calls ${serverPath("/")}`;

/** @param {HTMLElement} before  what it is shown above */
export function offer(before) {
  if (!("Notification" in window) || Notification.permission !== "default") return;
  if (localStorage.getItem(DECLINED) !== null || document.querySelector("[data-offer]") !== null) return;

  const line = document.createElement("p");
  line.className = "offer";
  line.dataset.offer = "";
  line.append("This takes a while. Notify you when an agent needs you or has finished? ");
  line.append(
    button("Notify me", () => void Notification.requestPermission()),
    button("Not now", () => localStorage.setItem(DECLINED, "1")),
  );
  before.before(line);

  function button(word, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "quiet-button";
    made.textContent = word;
    made.addEventListener("click", () => {
      line.remove();
      act();
    });
    return made;
  }
}
