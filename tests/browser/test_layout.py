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
    ".card-line, svg, textarea, pre, .table-scroller, .controls"))
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
    phone.expect_end("Succeeded")
    for card in phone.cards.all():
        card.locator("summary").click()
    assert phone.tab.evaluate(BEYOND_THE_EDGE) == []
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360
    assert phone.scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0

    phone.jump.click()
    phone.details.click()
    expect(phone.facts).to_be_in_viewport()
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360


TOO_SMALL = """
() => [...document.querySelectorAll("button, summary, select, a[href], [role='tab']")]
  .filter((element) => element.checkVisibility({visibilityProperty: true}) && element.offsetParent)
  .filter((element) => !element.matches("p a, p .link-button, .skip-link, .prose a"))
  .map((element) => {
    const {width, height} = element.getBoundingClientRect();
    const more = getComputedStyle(element, "::after");
    const grown = more.position === "absolute" ? -2 * parseFloat(more.top) : 0;
    return [element.outerHTML.slice(0, 120), Math.round(width), Math.round(height + grown)];
  })
  .filter(([, width, height]) => width > 0 && (height < 44 || width < 24))
"""


def test_a_finger_finds_what_can_be_pressed(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    page = context.new_page()
    chat = ChatPage(page, server.url).open()
    assert page.evaluate("matchMedia('(pointer: coarse)').matches")
    chat.send("help")
    chat.expect_end("Succeeded")
    assert page.evaluate(TOO_SMALL) == []
    chat.menu.click()
    assert page.evaluate(TOO_SMALL) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Workflows", exact=True).click()
    assert page.evaluate(TOO_SMALL) == []
    session_id = server.invoke("demo", "count 5")
    server.wait_until_ended(session_id)
    page.goto(f"{server.url}/sessions/{session_id}")
    expect(page.locator("[data-play]")).to_be_visible()
    assert page.evaluate(TOO_SMALL) == []
    tops = page.locator(".controls > :visible").evaluate_all(
        "all => all.map((e) => e.getBoundingClientRect()).map((r) => r.top + r.height / 2)"
    )
    assert max(tops) - min(tops) < 2
    context.close()


def test_the_keyboard_of_a_phone_does_not_hide_the_composer(phone: ChatPage) -> None:
    phone.message.click()
    # What Android does, and what the page does where only the visible part shrinks.
    phone.tab.set_viewport_size({"width": 360, "height": 380})
    expect(phone.message).to_be_in_viewport(ratio=1)
    expect(phone.send_button).to_be_in_viewport(ratio=1)
    phone.tab.set_viewport_size({"width": 360, "height": 740})
    phone.tab.evaluate(
        """() => {
          Object.defineProperty(visualViewport, "height", {get: () => 400, configurable: true});
          visualViewport.dispatchEvent(new Event("resize"));
        }"""
    )
    box = phone.send_button.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 400


def test_the_list_is_a_drawer_on_a_phone(phone: ChatPage, server: Server) -> None:
    session_id = server.invoke("demo", "help")
    workflow_id = server.session(session_id)["workflowId"]
    opener = phone.tab.get_by_role("button", name="Workflows", exact=True)
    expect(phone.item(workflow_id)).not_to_be_in_viewport()

    opener.click()
    phone.item(workflow_id).click()
    phone.expect_end("Succeeded")
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
    chat.expect_end("Succeeded")
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
    expect(chat.facts.locator("[data-facts-close]")).to_be_focused()
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
