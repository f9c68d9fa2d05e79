"""The panel of what a conversation has changed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.talk_page import TalkPage
from tests.browser.test_accessibility import FINDINGS, RULES, SETTLED, axe
from tests.changes.agents import agents
from tests.projects.repository import make_repository, run_git
from tests.server import Server, running_server

pytestmark = pytest.mark.browser

CHANGE = """
sed -i 's/return sum(items)/return sum(item.price for item in items)/' cart.py
printf 'a\\0' > picture.png; printf 'x = 1\\n%.0s' $(seq 300) > many.py; echo '<b>' > '<i>'
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"cart.py": 'def total(items):\n    """All."""\n    return sum(items)\n'}
    return make_repository(tmp_path_factory.mktemp("code") / "shop", files)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shop: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("changes"), agents(shop)) as running:
        yield running


class ChangesPage(TalkPage):
    """A conversation, and what it has changed."""

    def __init__(self, tab: Page, url: str) -> None:
        super().__init__(tab, url)
        self.changes_button = tab.locator("[data-changes-button]")
        self.panel = tab.get_by_role("complementary", name="Changes")
        self.heads = self.panel.locator(".file-head")

    def comment_on_cart(self) -> None:
        cart = self.panel.locator(".lines[data-path='cart.py']")
        cart.get_by_role("button", name="Comment on line 3", exact=True).click()

    def open_changes(self) -> None:
        self.changes_button.click()
        expect(self.panel.locator(".line, .line-pair").first).to_be_visible()


@pytest.fixture
def chat(page: Page, server: Server, shop: Path) -> ChangesPage:
    run_git(shop, "reset", "--quiet", "--hard")
    run_git(shop, "clean", "--quiet", "-fd")
    found = ChangesPage(page, server.url)
    found.begin(CHANGE, "shell")
    found.expect_turns(1)
    return found


def test_files_with_their_counts_and_diffs_of_each_turn(chat: ChangesPage) -> None:
    expect(chat.changes_button).to_have_text(re.compile(r"Changes \+302 \u22121"))
    chat.open_changes()
    expect(chat.panel.get_by_role("status")).to_have_text("4 files, +302 \u22121")
    expect(chat.heads).to_contain_text(["<i>", "cart.py", "many.py"])
    cart = chat.panel.locator(".lines[data-path='cart.py']")
    expect(cart.locator("[data-mark='+'] .line-text")).to_have_text(
        "    return sum(item.price for item in items)"
    )
    expect(cart.locator("[data-colour='k']").first).to_have_text("def")
    changed = cart.locator("[data-mark='+'] mark").all_text_contents()
    assert "".join(changed) == ".price for item in item"

    chat.send("echo more > more")
    chat.expect_turns(2)
    expect(chat.panel.get_by_role("status")).to_have_text("5 files, +303 \u22121")
    chat.panel.get_by_label("Of which turn").select_option("Turn 2")
    expect(chat.heads).to_contain_text(["more"])
    chat.panel.get_by_label("Of which turn").press("Escape")
    expect(chat.panel).to_be_hidden()
    expect(chat.changes_button).to_be_focused()


def test_a_comment_on_a_line_goes_into_the_next_message(chat: ChangesPage) -> None:
    chat.message.fill("Please look at this.")
    chat.open_changes()
    chat.comment_on_cart()
    comment = chat.panel.get_by_label("Comment on cart.py, line 3")
    expect(comment).to_be_focused()
    comment.fill("What if there is none?")
    chat.panel.get_by_role("button", name="Add to the message").click()
    expect(chat.message).to_have_value(
        "Please look at this.\n\nIn `cart.py`, line 3:\n"
        ">     return sum(item.price for item in items)\nWhat if there is none?"
    )
    expect(comment).to_be_hidden()


def test_two_columns_are_over_the_conversation_and_remembered(chat: ChangesPage) -> None:
    chat.open_changes()
    chat.panel.get_by_role("button", name="Side by side").click()
    pair = chat.panel.locator(".line-pair").filter(has_text="sum(items)")
    expect(pair.locator(".line-half")).to_have_text(
        ["    return sum(items)", "    return sum(item.price for item in items)"]
    )
    chat.tab.reload()
    chat.open_changes()
    expect(chat.panel.locator(".line-pair").first).to_be_visible()
    chat.panel.get_by_role("button", name="Side by side").click()
    expect(chat.said).to_be_in_viewport()


def test_only_what_is_near_the_screen_is_drawn(chat: ChangesPage) -> None:
    chat.open_changes()
    scroller = chat.panel.locator("[data-changes-scroller]")
    drawn = "element => element.querySelectorAll('.line').length"
    expect(scroller.locator(".lines[data-path='many.py']").first).to_be_attached()
    assert scroller.evaluate(drawn) < 250
    scroller.evaluate("element => { element.scrollTop = element.scrollHeight }")
    expect(chat.panel.get_by_role("button", name="Comment on line 300")).to_be_visible()
    expect(chat.heads.last).to_contain_text("new, binary")
    assert scroller.evaluate(drawn) < 250


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_panel_covers_a_phone_and_axe_finds_nothing(
    browser: Browser, chat: ChangesPage, scheme: Literal["light", "dark"]
) -> None:
    for width in (360, 1280):
        context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme)
        phone = ChangesPage(context.new_page(), chat.url)
        phone.open(chat.workflow_id())
        phone.open_changes()
        phone.comment_on_cart()
        assert phone.tab.evaluate("document.documentElement.scrollWidth") <= width
        phone.tab.evaluate(axe())
        phone.tab.evaluate(SETTLED)
        assert phone.tab.evaluate(FINDINGS, RULES) == []
        context.close()
