/** Pictures and files in a tool's result. */

import { formatBytes } from "../format.js";
import { serverPath } from "../root.js";

const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** @param {import("../transcript/tool_calls.js").Media[]} media */
export function writeMedia(part, media) {
  const old = part.querySelector(".media");
  const sessionId = sessionOf(part);
  if (media.length === 0 || sessionId === undefined) return void old?.remove();
  const urls = media.map(({ url }) => serverPath(`/api/sessions/${encodeURIComponent(sessionId)}/${url}`));
  if (old?.dataset.urls === urls.join(" ")) return;
  const list = document.createElement("div");
  list.className = "media";
  list.dataset.urls = urls.join(" ");
  list.append(...media.map((one, at) => linkTo(one, urls[at] ?? "")));
  old?.remove();
  part.append(list);
  part.hidden = false;
}

function sessionOf(part) {
  const { dataset } = part.closest("[data-session], [data-session-page]") ?? {};
  return dataset?.session ?? dataset?.sessionPage;
}

function linkTo({ mediaType, bytes }, url) {
  const link = document.createElement("a");
  const name = `${mediaType}, ${formatBytes(bytes)}`;
  link.href = url;
  if (!SHOWN.has(mediaType)) {
    link.textContent = `Download: ${name}`;
    return link;
  }
  const image = document.createElement("img");
  image.src = url;
  image.alt = name;
  image.title = name;
  link.target = "_blank";
  link.append(image);
  return link;
}
