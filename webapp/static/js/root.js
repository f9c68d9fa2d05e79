import { styleSheet } from "./view/style_sheet.js";

const root = new URL("../../", import.meta.url);

/** A path of this server as the browser asks for it: a proxy may serve it below a prefix. */
export function serverPath(path) {
  return root.protocol === "file:" ? path : `${root.pathname.slice(0, -1)}${path}`;
}

/** For fingers. */
const TOUCH = new URL("../css/touch.css", import.meta.url);
if (globalThis.matchMedia?.("(pointer: coarse)").matches) void styleSheet(TOUCH.href);
