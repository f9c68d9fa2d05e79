"""The first page: send a message, see it stream, see the sessions, stop one."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.front_page import FrontPage, numbered
from tests.server import Server

pytestmark = pytest.mark.browser


@pytest.fixture
def front(page: Page, server: Server) -> FrontPage:
    return FrontPage(page, server.url).open()


def test_a_message_streams_in_as_words_a_tool_card_and_an_end(front: FrontPage) -> None:
    front.send("What do you think of rivers?")
    expect(front.log).to_contain_text("I am the demo agent.")
    expect(front.connection).to_have_text(re.compile("Live"))
    expect(front.end).to_have_count(0)

    card = front.cards.first
    expect(card).to_contain_text("OK")
    card.locator("summary").click()
    expect(card).to_contain_text("Arguments")
    expect(card).to_contain_text("Result")

    front.expect_end("exit code 0")
    expect(front.log).to_contain_text("You wrote: “What do you think of rivers?”")
    expect(front.log).to_contain_text("stderr")
    expect(front.end).to_have_text(re.compile(r"Succeeded exit code 0 · \d"))


def test_an_empty_page_says_what_to_try_and_does_it(front: FrontPage) -> None:
    expect(front.tab.get_by_role("heading", level=1)).to_contain_text("Send a message")
    front.tab.get_by_role("button", name="count 50 20").click()
    front.expect_end("exit code 0")
    assert front.text() == numbered(50)


def test_stop_ends_the_agent(front: FrontPage) -> None:
    front.send("count 1000 50")
    expect(front.log).to_contain_text("line 3 of 1000")
    front.stop_button.click()
    front.expect_end("Cancelled")
    expect(front.stop_button).to_be_hidden()
    expect(front.log).to_contain_text("Stopped.")


def test_a_reload_in_mid_stream_shows_the_same_once(front: FrontPage) -> None:
    front.send("count 60 40")
    expect(front.log).to_contain_text("line 10 of 60")
    front.tab.reload()
    expect(front.log).to_contain_text("line 11 of 60")
    front.expect_end("exit code 0")
    assert front.text() == numbered(60)

    front.tab.reload()
    front.expect_end("exit code 0")
    assert front.text() == numbered(60)
    expect(front.log.locator(".block--input .text")).to_have_text(["count 60 40"])


def test_a_finished_session_from_the_list_is_shown_from_its_start(
    front: FrontPage, server: Server
) -> None:
    session_id = server.invoke("demo", "fail 3")
    row = server.wait_until_ended(session_id)
    item = front.item(session_id)
    expect(item).to_contain_text("Failed · exit 3")
    item.click()

    front.expect_end("Failed exit code 3")
    expect(item).to_have_attribute("aria-current", "true")
    expect(front.log).to_contain_text("I will try this")
    expect(front.cards.first).to_contain_text("Failed")

    front.facts.locator("summary").click()
    expect(front.facts.locator("[data-fact='id']")).to_contain_text(session_id)
    expect(front.facts.locator("[data-fact='pid']")).to_contain_text(str(row["pid"]))
    expect(front.facts.locator("[data-fact='log']")).to_contain_text(row["logPath"])


def test_a_live_session_of_somebody_else_is_shown_live(front: FrontPage, server: Server) -> None:
    session_id = server.invoke("demo", "count 400 30")
    front.item(session_id).click()
    expect(front.log).to_contain_text("line 20 of 400")
    expect(front.connection).to_have_text(re.compile("Live"))
    front.stop_button.click()
    front.expect_end("Cancelled")


def test_messages_of_one_conversation_share_its_workflow(front: FrontPage, server: Server) -> None:
    front.send("help")
    front.expect_end("exit code 0")
    first = front.session_id()
    front.send("count 3")
    expect(front.log).to_contain_text("line 3 of 3")
    second = front.session_id()
    assert first != second
    assert server.session(first)["workflowId"] == server.session(second)["workflowId"]

    front.tab.go_back()
    expect(front.log).to_contain_text("`help`: this list")
    front.tab.get_by_role("link", name="New conversation").first.click()
    expect(front.tab.get_by_role("heading", level=1)).to_contain_text("Send a message")
    expect(front.message).to_be_focused()


def test_enter_sends_and_shift_enter_begins_a_line(front: FrontPage) -> None:
    front.message.fill("raw one")
    one_line = front.message.bounding_box()
    front.message.press("Shift+Enter")
    front.message.press_sequentially("two")
    expect(front.message).to_have_value("raw one\ntwo")
    two_lines = front.message.bounding_box()
    assert one_line is not None
    assert two_lines is not None
    assert two_lines["height"] > one_line["height"]

    front.message.press("Enter")
    front.expect_end("exit code 0")
    expect(front.message).to_have_value("")
    assert front.text() == "one\ntwo"


def test_an_id_is_copied(front: FrontPage, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    front.send("help")
    front.expect_end("exit code 0")
    front.facts.locator("summary").click()
    front.tab.get_by_role("button", name="Copy Session").click()
    expect(front.facts).to_contain_text("Copied")
    assert front.tab.evaluate("navigator.clipboard.readText()") == front.session_id()


def test_older_sessions_come_on_demand(front: FrontPage, server: Server) -> None:
    for _ in range(31):
        server.invoke("demo", "help")
    front.tab.reload()
    expect(front.sessions).to_have_count(30)
    front.tab.get_by_role("button", name="Older").click()
    expect(front.sessions.nth(30)).to_be_visible()
    hrefs = front.tab.locator("[data-session-list] a").evaluate_all(
        "links => links.map(l => l.href)"
    )
    assert len(hrefs) == len(set(hrefs))


def test_the_end_is_followed_unless_the_reader_scrolls_up(front: FrontPage) -> None:
    jump = front.tab.get_by_role("button", name="Jump to latest")
    front.send("count 400 20")
    expect(front.log).to_contain_text("line 60 of 400")
    assert distance_to_end(front) < 60

    front.scroller.hover()
    front.tab.mouse.wheel(0, -600)
    expect(jump).to_be_visible()
    top = front.scroller.evaluate("element => element.scrollTop")
    expect(front.log).to_contain_text("line 120 of 400")
    assert front.scroller.evaluate("element => element.scrollTop") == top

    jump.click()
    expect(jump).to_be_hidden()
    expect(front.log).to_contain_text("line 160 of 400")
    assert distance_to_end(front) < 60
    front.stop_button.click()
    front.expect_end("Cancelled")


def distance_to_end(front: FrontPage) -> float:
    """How many pixels of the output lie below what is in sight."""
    return float(front.scroller.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight"))
