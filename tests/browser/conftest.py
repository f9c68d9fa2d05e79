"""A real Chromium, and pages in it that have nothing to complain about."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

PATIENCE_MS = 20_000

ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
]

WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(`${event.violatedDirective}: ${event.blockedURI}`);
});
"""


def chromium_path() -> str:
    """The Chromium that `CHROMIUM` names, or the first on the PATH."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if path is None:
        pytest.fail("There is no Chromium: install one, or name it in CHROMIUM.")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    path = chromium_path()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window with a memory of its own."""
    fresh = browser.new_context(viewport={"width": 1280, "height": 800})
    fresh.add_init_script(WATCH_POLICY)
    yield fresh
    fresh.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab; its test fails if a script raised, or the content security policy was broken."""
    problems: list[str] = []
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.on("console", lambda message: problems.extend(_problem_in(message)))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    yield tab
    problems += tab.evaluate("window.policyViolations ?? []")
    assert problems == []


def _problem_in(message: ConsoleMessage) -> list[str]:
    """What a script has to complain about. Chromium itself notes each answer of 4xx and 5xx."""
    if message.type not in ("error", "warning"):
        return []
    if message.text.startswith("Failed to load resource"):
        return []
    return [message.text]
