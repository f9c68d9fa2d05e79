"""The first page on a narrow screen, in the dark, and by keyboard."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.front_page import FrontPage
from tests.server import Server

pytestmark = pytest.mark.browser

WIDE_THINGS = "\n".join(
    [
        "w" * 2_000,
        '{"type":"tool_call","id":"1","name":"' + "n" * 200 + '","args":{"a":"' + "v" * 900 + '"}}',
        '{"type":"' + "e" * 60 + '","value":"' + "v" * 900 + '"}',
    ]
)

BEYOND_THE_EDGE = """
[...document.querySelectorAll("main *")]
  .filter((element) => element.checkVisibility() && !element.closest(".visually-hidden"))
  .filter((element) => !element.parentElement.closest(".card-line, svg, textarea"))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 120))
"""


@pytest.fixture
def phone(page: Page, server: Server) -> FrontPage:
    page.set_viewport_size({"width": 360, "height": 740})
    return FrontPage(page, server.url).open()


def test_nothing_is_wider_than_a_phone(phone: FrontPage) -> None:
    assert phone.tab.evaluate(BEYOND_THE_EDGE) == []
    phone.send(f"raw {WIDE_THINGS}")
    phone.expect_end("exit code 0")
    phone.facts.locator("summary").click()
    for card in phone.cards.all():
        card.locator("summary").click()

    assert phone.tab.evaluate(BEYOND_THE_EDGE) == []
    assert phone.tab.evaluate("document.documentElement.scrollWidth") == 360
    assert phone.scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0


def test_the_list_is_a_drawer_on_a_phone(phone: FrontPage, server: Server) -> None:
    session_id = server.invoke("demo", "help")
    opener = phone.tab.get_by_role("button", name="Sessions", exact=True)
    expect(phone.item(session_id)).not_to_be_in_viewport()

    opener.click()
    phone.item(session_id).click()
    phone.expect_end("exit code 0")
    expect(phone.item(session_id)).not_to_be_in_viewport()

    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    phone.tab.keyboard.press("Escape")
    expect(opener).to_have_attribute("aria-expanded", "false")
    expect(opener).to_be_focused()


def test_light_and_dark_follow_the_system(browser: Browser, server: Server) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(server.url)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    assert grounds[0] != grounds[1]


def test_all_that_can_be_pressed_is_reached_by_keyboard(page: Page, server: Server) -> None:
    front = FrontPage(page, server.url).open()
    front.send("fail 3")
    front.expect_end("exit code 3")
    wanted = page.evaluate(
        "[...document.querySelectorAll('a, button, select, textarea, summary')]"
        ".filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled).length"
    )
    page.evaluate("document.activeElement.blur()")

    reached = set()
    for step in range(wanted + 10):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("(step) => (document.activeElement.dataset.step ??= String(step))", step)
        )
    missed = page.evaluate(
        "[...document.querySelectorAll('a, button, select, textarea, summary')]"
        ".filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled)"
        ".filter((e) => e.dataset.step === undefined).map((e) => e.outerHTML)"
    )
    assert missed == []


def test_every_control_has_a_name(page: Page, server: Server) -> None:
    front = FrontPage(page, server.url).open()
    front.send("help")
    front.expect_end("exit code 0")
    snapshot = page.locator("body").aria_snapshot()
    nameless = [
        line
        for line in snapshot.splitlines()
        if line.strip() in ("- button", "- link", "- textbox")
    ]
    assert nameless == []
    expect(front.log).to_have_attribute("aria-live", "polite")
