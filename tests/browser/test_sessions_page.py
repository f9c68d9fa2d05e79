"""The list of sessions, as an operator uses it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.operator_pages import WORKING, SessionsPage
from tests.browser.prefixed import SITES, as_site
from tests.browser.test_layout import BEYOND_THE_EDGE
from tests.server import Server, python_agent, running_server
from tests.store.rows import add_ended
from webapp.store.engine import open_migrated

pytestmark = pytest.mark.browser

AGENTS = {
    "working": WORKING,
    "waiting": python_agent("print('up'); time.sleep(600)"),
    "failing": python_agent("sys.exit(3)"),
}


@pytest.fixture(scope="module", params=SITES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with 120 sessions that ended long ago, and some of today."""
    folder = tmp_path_factory.mktemp("list")
    with running_server(folder, AGENTS, settings={"proxies": 1}) as running:
        workflow_id = running.create_workflow(requestId="REQ-77")
        database = open_migrated(running.var)
        for at in range(120):
            add_ended(database, workflow_id, id=f"session-{1600000000000 + at}-{at:012d}")
        database.close()
        running.wait_until_ended(running.invoke("failing", "Deploy it\nto the stars"))
        running.wait_until_ended(running.invoke("working", "Make the tests pass"))
        with as_site(running, request.param, folder) as site:
            yield site


@pytest.fixture
def sessions(page: Page, server: Server) -> SessionsPage:
    return SessionsPage(page, server.url).open()


def test_sessions_are_listed_newest_first_with_what_started_them(sessions: SessionsPage) -> None:
    expect(sessions.rows).to_have_count(50)
    expect(sessions.titles.nth(0)).to_have_text("Make the tests pass")
    expect(sessions.titles.nth(1)).to_have_text("Deploy it")
    expect(sessions.rows.nth(1)).to_contain_text("Failed")
    expect(sessions.rows.nth(1)).to_contain_text("exit 3")


def test_pages_go_on_and_back_also_by_the_browsers_own_buttons(sessions: SessionsPage) -> None:
    expect(sessions.page_number).to_have_text("Page 1")
    sessions.button("Next").click()
    expect(sessions.page_number).to_have_text("Page 2")
    sessions.button("Next").click()
    expect(sessions.rows).to_have_count(22)
    expect(sessions.button("Next")).to_be_disabled()
    sessions.button("Previous").click()
    expect(sessions.page_number).to_have_text("Page 2")
    sessions.tab.go_back()
    expect(sessions.page_number).to_have_text("Page 3")
    sessions.tab.reload()
    expect(sessions.page_number).to_have_text("Page 3")
    sessions.button("First page").click()
    expect(sessions.titles.nth(0)).to_have_text("Make the tests pass")


def test_filters_narrow_the_list_down_and_stand_in_the_url(sessions: SessionsPage) -> None:
    sessions.chip("Failed").click()
    expect(sessions.titles).to_have_text(["Deploy it"])
    expect(sessions.tab).to_have_url(re.compile("status=failed"))
    sessions.chip("All").click()
    sessions.text.fill("tests PASS")
    expect(sessions.titles).to_have_text(["Make the tests pass"])
    sessions.text.fill("")
    sessions.tab.get_by_label("Agent").select_option("failing")
    expect(sessions.titles).to_have_text(["Deploy it"])
    sessions.tab.get_by_label("Agent").select_option("")
    sessions.tab.get_by_label("Started").select_option("1h")
    expect(sessions.rows).to_have_count(2)
    sessions.tab.get_by_label("Order").select_option("longest")
    expect(sessions.titles.nth(0)).to_have_text("Make the tests pass")
    sessions.tab.reload()
    expect(sessions.rows).to_have_count(2)
    sessions.rows.nth(1).locator("[data-only]").click()
    expect(sessions.titles).to_have_text(["Deploy it"])
    sessions.button("Any workflow").click()
    expect(sessions.rows).to_have_count(2)


def test_counts_are_those_of_each_status(sessions: SessionsPage) -> None:
    expect(sessions.chip("All").locator("[data-count]")).to_have_text(re.compile("12[2-9]"))
    expect(sessions.chip("Failed").locator("[data-count]")).to_have_text("1")
    sessions.text.fill("deploy")
    expect(sessions.titles).to_have_text(["Deploy it"])
    expect(sessions.chip("Failed").locator("[data-count]")).to_be_hidden()


def test_list_that_is_empty_says_why(sessions: SessionsPage) -> None:
    sessions.text.fill("never said")
    expect(sessions.empty).to_contain_text("No session is like that")
    sessions.button("Clear the filters").click()
    expect(sessions.rows).to_have_count(50)


def test_live_session_comes_into_the_list_and_ends_in_it(
    sessions: SessionsPage, server: Server
) -> None:
    expect(sessions.rows).to_have_count(50)
    session_id = server.invoke("waiting", "Keep watch")
    row = sessions.rows.filter(has_text="Keep watch")
    expect(row).to_contain_text("Running")
    expect(sessions.chip("Running").locator("[data-count]")).to_have_text("1")
    server.call("session.cancel", {"sessionId": session_id})
    expect(row).to_contain_text("Cancelled")


def test_server_that_is_away_is_reported_and_tried_again(page: Page, server: Server) -> None:
    page.route("**/api/sessions?*", lambda route: route.abort())
    sessions = SessionsPage(page, server.url).open()
    expect(sessions.problem).to_contain_text("cannot be reached")
    page.unroute("**/api/sessions?*")
    sessions.button("Try again").click()
    expect(sessions.rows).to_have_count(50)
    expect(sessions.problem).to_be_hidden()


def test_row_leads_to_the_session_and_its_conversation(sessions: SessionsPage) -> None:
    row = sessions.rows.filter(has_text="Make the tests pass")
    row.locator("[data-chat]").click()
    expect(sessions.tab).to_have_url(re.compile(r"/#workflow=workflow-.*session=session-"))
    sessions.tab.get_by_role("link", name="Sessions").click()
    row.locator("[data-link]").click()
    expect(sessions.tab).to_have_url(re.compile(r"/sessions/session-"))


def test_cards_fit_a_phone(page: Page, server: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    sessions = SessionsPage(page, server.url).open()
    expect(sessions.rows).to_have_count(50)
    page.evaluate("document.querySelector('.status-chips').style.display = 'none'")
    assert page.evaluate(BEYOND_THE_EDGE) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
