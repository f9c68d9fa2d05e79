"""The chat page on a narrow screen, on a huge one, in the dark, and by keyboard."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import Server

pytestmark = pytest.mark.browser

WIDE_THINGS = "\n".join(
    [
        "w" * 2_000,
        '{"type":"tool_call","id":"1","name":"' + "n" * 200 + '","args":{"a":"' + "v" * 900 + '"}}',
        '{"type":"' + "e" * 60 + '","value":"' + "v" * 900 + '"}',
        '{"type":"message","content":"' + "p" * 500 + "\\n\\n```\\n" + "c" * 500 + '\\n```"}',
        '{"type":"message","content":"\\n\\n|' + " column |" * 30 + "\\n|" + "---|" * 30 + '"}',
    ]
)

BEYOND_THE_EDGE = """
[...document.querySelectorAll("main *")]
  .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
  .filter((element) => !element.parentElement.closest(
    ".card-line, svg, textarea, pre, .table-scroller"))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 120))
"""

PRESSABLE = """
[...document.querySelectorAll("a, button, select, textarea, summary")]
  .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled)
"""


@pytest.fixture
def phone(page: Page, server: Server) -> ChatPage:
    page.set_viewport_size({"width": 360, "height": 740})
    return ChatPage(page, server.url).open()


def test_nothing_is_wider_than_a_phone(phone: ChatPage) -> None:
    assert phone.tab.evaluate(BEYOND_THE_EDGE) == []
    phone.send(f"raw {WIDE_THINGS}")
    phone.expect_end("exit code 0")
    for card in phone.cards.all():
        card.locator("summary").click()
    assert phone.tab.evaluate(BEYOND_THE_EDGE) == []
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360
    assert phone.scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0

    phone.jump.click()
    phone.details.click()
    expect(phone.facts).to_be_in_viewport()
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360


def test_the_list_is_a_drawer_on_a_phone(phone: ChatPage, server: Server) -> None:
    session_id = server.invoke("demo", "help")
    workflow_id = server.session(session_id)["workflowId"]
    opener = phone.tab.get_by_role("button", name="Workflows", exact=True)
    expect(phone.item(workflow_id)).not_to_be_in_viewport()

    opener.click()
    phone.item(workflow_id).click()
    phone.expect_end("exit code 0")
    expect(phone.item(workflow_id)).not_to_be_in_viewport()

    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    phone.tab.keyboard.press("Escape")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_be_focused()


def test_a_huge_screen_keeps_lines_readable(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 3840, "height": 2160})
    chat = ChatPage(page, server.url).open()
    chat.send("help")
    chat.expect_end("exit code 0")
    line = chat.texts.first.bounding_box()
    assert line is not None
    letters = line["width"] / chat.texts.first.evaluate(
        "e => parseFloat(getComputedStyle(e).fontSize)"
    )
    assert 35 < letters < 60


def test_light_and_dark_follow_the_system(browser: Browser, server: Server) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(server.url)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert grounds[0] != grounds[1]


def test_all_that_can_be_pressed_is_reached_by_keyboard(page: Page, server: Server) -> None:
    chat = ChatPage(page, server.url).open()
    chat.send("fail 3")
    chat.expect_end("exit code 3")
    chat.details.click()
    page.evaluate("document.activeElement.blur(); document.body.focus()")
    wanted = page.evaluate(f"{PRESSABLE}.length")

    for step in range(wanted + 15):
        page.keyboard.press("Tab")
        page.evaluate("(step) => (document.activeElement.dataset.step ??= String(step))", step)
    missed = page.evaluate(f"{PRESSABLE}.filter((e) => !e.dataset.step).map((e) => e.outerHTML)")
    assert missed == []


def test_keys_switch_between_workflows(page: Page, server: Server) -> None:
    older, newer = server.create_workflow(), server.create_workflow()
    chat = ChatPage(page, server.url).open(newer)
    expect(chat.item(newer)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Alt+ArrowDown")
    expect(chat.item(older)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Alt+ArrowUp")
    expect(chat.item(newer)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Alt+n")
    expect(chat.title).to_have_text("New conversation")
    expect(chat.message).to_be_focused()
