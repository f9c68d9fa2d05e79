/** Where a link in foreign text may lead: only to what a browser opens as a page or a letter. */

const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** The address, or null for a script, data, a file or a fragment. */
export function safeUrl(address) {
  try {
    const url = new URL(address);
    return SCHEMES.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
