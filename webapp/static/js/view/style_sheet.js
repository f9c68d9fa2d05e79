/** A style sheet that is needed at times; what it is for works without its looks. @returns {Promise<void>} */
export function styleSheet(url) {
  const link = document.createElement("link");
  return new Promise((resolve) => {
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => resolve());
    link.rel = "stylesheet";
    link.href = url;
    document.head.append(link);
  });
}
