"""axe-core finds nothing to say against any state of the page, light and wide, dark and narrow."""

from collections.abc import Callable, Iterator
from functools import cache

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import gallery
from tests.browser.chat_page import ChatPage
from tests.server import ROOT, Server, running_server

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """
async (tags) => {
  const { violations } = await axe.run(document, { runOnly: tags });
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
"""

SETTLED = """
async () => {
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  const ending = document.getAnimations()
    .filter((animation) => animation.effect.getComputedTiming().endTime !== Infinity);
  await Promise.allSettled(ending.map((animation) => animation.finished));
}
"""
"""The page has its new size: its drawer has slid away."""


@cache
def axe() -> str:
    """The script; `make npm-packages` brings it."""
    return (ROOT / "tests/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("axe"), gallery.AGENTS, workers=4) as running:
        yield running


@pytest.mark.parametrize("state", gallery.STATES, ids=lambda state: state.__name__)
def test_a_state_has_no_violation(
    browser: Browser, server: Server, state: Callable[[ChatPage, Server], None]
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    state(ChatPage(page, server.url), server)
    page.evaluate(axe())
    assert page.evaluate(FINDINGS, RULES) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate(SETTLED)
    assert page.evaluate(FINDINGS, RULES) == []
    context.close()


def test_the_error_page_has_no_violation(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/nothing-here", wait_until="load")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate(axe())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate(FINDINGS, RULES) == []
