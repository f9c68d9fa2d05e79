"""The login, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.prefixed import SITES, as_site
from tests.server import Server, running_server

TOKEN = "s3cret-token-of-tests"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=SITES)
def guarded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server that wants a token."""
    folder = tmp_path_factory.mktemp("login")
    settings = {"proxies": 1}
    with (
        running_server(folder, {}, settings=settings, AGENT_STREAM_TOKEN=TOKEN) as started,
        as_site(started, request.param, folder) as site,
    ):
        yield site


def test_person_logs_in_where_she_wanted_to_go_and_out_again(page: Page, guarded: Server) -> None:
    page.goto(f"{guarded.url}/?x=1#session=session-1")
    page.get_by_label("Token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That is not the token of this server.")

    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{guarded.url}/?x=1#session=session-1")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert page.evaluate("document.cookie") == ""

    page.goto(f"{guarded.url}/login")
    page.get_by_role("button", name="Log out", exact=True).click()
    expect(page.get_by_label("Token")).to_be_focused()
    assert page.context.cookies() == []


def log_in(page: Page) -> None:
    """Show the token."""
    page.get_by_label("Token").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()


def test_person_logs_out_from_the_page(page: Page, guarded: Server) -> None:
    page.goto(guarded.url)
    log_in(page)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_focused()
    assert page.context.cookies() == []


def test_person_logs_out_everywhere(page: Page, guarded: Server, browser: Browser) -> None:
    elsewhere = browser.new_page()
    for one in (elsewhere, page):
        one.goto(f"{guarded.url}/login")
        log_in(one)
        one.wait_for_url(f"{guarded.url}/")
    page.goto(f"{guarded.url}/login")
    page.get_by_role("button", name="Log out everywhere").click()
    expect(page.get_by_label("Token")).to_be_focused()
    elsewhere.reload()
    expect(elsewhere.get_by_label("Token")).to_be_focused()
    elsewhere.close()


def test_cookie_that_is_void_in_mid_use_loses_nothing(page: Page, guarded: Server) -> None:
    page.goto(guarded.url)
    log_in(page)
    expect(page.get_by_text("Your conversations will be listed here")).to_be_visible()
    chat = ChatPage(page, guarded.url)
    chat.send("count 6000 30")
    expect(chat.log).to_contain_text("line 3 of 6000")
    chat.message.fill("What I was about to say")
    page.context.clear_cookies()
    page.evaluate("dispatchEvent(new Event('online'))")

    problem = page.get_by_role("alert").filter(has_text="You are logged out")
    expect(problem).to_be_visible()
    chat.send_button.click()
    expect(chat.problem).to_be_visible()
    expect(chat.message).to_have_value("What I was about to say")

    with page.context.expect_page() as opened:
        problem.get_by_role("link", name="Log in again").click()
    log_in(opened.value)
    opened.value.wait_for_url(f"{guarded.url}/")
    opened.value.close()
    expect(problem).to_be_hidden()
    expect(chat.message).to_have_value("What I was about to say")
    chat.stop_button.click()
    chat.expect_end("Cancelled")
    said = [line for line in chat.text().splitlines() if line.startswith("line")]
    assert said == [f"line {number} of 6000" for number in range(1, len(said) + 1)]


def test_login_fits_a_narrow_screen(page: Page, guarded: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(guarded.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Log in")).to_be_in_viewport(ratio=1)
