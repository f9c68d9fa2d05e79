"""The login, in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.server import Server, running_server

TOKEN = "s3cret-token"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that wants a token."""
    with running_server(tmp_path_factory.mktemp("login"), {}, AGENT_STREAM_TOKEN=TOKEN) as started:
        yield started


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
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Token")).to_be_focused()
    assert page.context.cookies() == []


def test_login_fits_a_narrow_screen(page: Page, guarded: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 640})
    page.goto(guarded.url)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.get_by_role("button", name="Log in")).to_be_in_viewport(ratio=1)
