"""The pages of sessions as their tests speak of them, and their states for the gallery."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.chat_page import ChatPage
from tests.server import HTTP, Server, python_agent, wait_for

WORKING = python_agent(
    """
import json
def say(**event): print(json.dumps(event))
say(type="message", content="Let me look at the tests. ")
for n in range(12):
    say(type="tool_call", id=str(n), name="run_tests", args={"path": f"tests/test_{n}.py"})
    time.sleep(0.04)
    say(type="tool_result", id=str(n), ok=n != 5, result="1 failed" if n == 5 else "4 passed")
    time.sleep(0.04)
    if n == 8: print("warning: a slow test", file=sys.stderr); time.sleep(0.1)
say(type="message", content="All **done**.")
"""
)
"""An agent with tool calls, an error and something on stderr, in a second."""


class SessionsPage:
    """The list in a tab."""

    def __init__(self, tab: Page, url: str) -> None:
        self.tab = tab
        self.url = url
        self.rows = tab.locator("[data-rows] > tr")
        self.titles = tab.locator(".session-title")
        self.text = tab.get_by_role("searchbox")
        self.empty = tab.locator("[data-empty]")
        self.problem = tab.get_by_role("alert")
        self.page_number = tab.locator("[data-page]")

    def open(self, query: str = "") -> "SessionsPage":
        """Load it."""
        self.tab.goto(f"{self.url}/sessions{query}")
        return self

    def chip(self, word: str) -> Locator:
        """The button of a status."""
        return self.tab.locator(".status-chip").filter(has_text=word)

    def button(self, name: str) -> Locator:
        """A button by what stands on it."""
        return self.tab.get_by_role("button", name=name, exact=True)


class SessionPage:
    """One session in a tab."""

    def __init__(self, tab: Page, url: str) -> None:
        self.tab = tab
        self.url = url
        self.title = tab.get_by_role("heading", level=1)
        self.play = tab.locator("[data-play]")
        self.follow = tab.get_by_role("button", name="Follow live")
        self.slider = tab.get_by_role("slider", name="Moment")
        self.elapsed = tab.locator("[data-elapsed]")
        self.shown = tab.get_by_role("log")
        self.cards = self.shown.locator("details.card")
        self.end = self.shown.locator(".replay-foot")
        self.said = tab.locator("[data-said]")
        self.log_lines = tab.locator(".log-line")
        self.current_line = tab.locator(".log-line[aria-current]")
        self.facts = tab.locator(".fact")
        self.refused = tab.get_by_role("alert")

    def open(self, session_id: str, query: str = "") -> "SessionPage":
        """Load it, and wait until it shows something."""
        self.tab.goto(f"{self.url}/sessions/{session_id}{query}")
        expect(self.shown.locator("[data-rows] > .row").first).to_be_attached()
        return self

    def tab_of(self, name: str) -> Locator:
        """What can be shown beside the replay."""
        return self.tab.get_by_role("tab", name=name)

    def scrub(self, share: float) -> None:
        """Press on the timeline, from 0 at its beginning to 1 at its end."""
        box = self.slider.bounding_box()
        assert box is not None
        x = box["x"] + box["width"] * min(share, 0.999)
        self.tab.mouse.click(x, box["y"] + box["height"] / 2)


def worked(server: Server) -> str:
    """A session that called tools and has ended."""
    session_id = server.invoke("working", "Make the tests pass")
    server.wait_until_ended(session_id)
    return session_id


# --- states for the gallery -------------------------------------------------------------


def sessions_list(chat: ChatPage, server: Server) -> None:
    worked(server)
    server.wait_until_ended(server.invoke("demo", "fail 3"))
    server.invoke("slow", "Why is the build red?")
    page = SessionsPage(chat.tab, server.url).open()
    expect(page.rows.filter(has_text="Why is the build red?").first).to_contain_text("pid")


def sessions_empty(chat: ChatPage, server: Server) -> None:
    page = SessionsPage(chat.tab, server.url).open("?text=never+said&status=lost&since=range")
    expect(page.empty).to_be_visible()


def sessions_loading(chat: ChatPage, server: Server) -> None:
    def never(_route: Route) -> None:
        """Leave the request without an answer."""

    chat.tab.route("**/api/sessions?*", never)
    SessionsPage(chat.tab, server.url).open()
    chat.tab.wait_for_timeout(400)


def sessions_problem(chat: ChatPage, server: Server) -> None:
    chat.tab.route("**/api/sessions?*", lambda route: route.abort())
    page = SessionsPage(chat.tab, server.url).open()
    expect(page.problem).to_be_visible()


def replay_ended(chat: ChatPage, server: Server) -> None:
    page = SessionPage(chat.tab, server.url).open(worked(server))
    expect(page.end).to_contain_text("Succeeded")


def replay_paused(chat: ChatPage, server: Server) -> None:
    page = SessionPage(chat.tab, server.url).open(worked(server))
    expect(page.elapsed).not_to_have_text("0:00.0")
    page.scrub(0.6)
    expect(page.end).to_be_hidden()
    page.tab_of("Facts").click()


def replay_log(chat: ChatPage, server: Server) -> None:
    page = SessionPage(chat.tab, server.url).open(worked(server))
    page.tab_of("Raw log").click()
    expect(page.current_line).to_contain_text("done")


def replay_live(chat: ChatPage, server: Server) -> None:
    session_id = server.invoke("slow", "Why is the build red?")
    page = SessionPage(chat.tab, server.url).open(session_id)
    expect(page.shown).to_contain_text("Compiling")
    expect(page.play).to_have_text(re.compile("Pause"))


def search_found(chat: ChatPage, server: Server) -> None:
    worked(server)
    wait_for(lambda: HTTP.get(f"{server.url}/api/search?q=passed").json()["results"])
    chat.tab.goto(f"{server.url}/search?q=passed")
    expect(chat.tab.get_by_role("link", name="4 passed").first).to_be_visible()


def search_nothing(chat: ChatPage, server: Server) -> None:
    chat.tab.goto(f"{server.url}/search?q=unheard-of")
    expect(chat.tab.get_by_text("Nothing matches.")).to_be_visible()


def docs_index(chat: ChatPage, server: Server) -> None:
    chat.tab.goto(f"{server.url}/docs")


def docs_topic(chat: ChatPage, server: Server) -> None:
    chat.tab.goto(f"{server.url}/docs/events")


def docs_found(chat: ChatPage, server: Server) -> None:
    chat.tab.goto(f"{server.url}/docs?q=token")


def search_refused(chat: ChatPage, server: Server) -> None:
    chat.tab.goto(f"{server.url}/search?q=disk%20OR")
    expect(chat.tab.get_by_role("alert")).to_be_visible()


def overview_by_day(chat: ChatPage, server: Server) -> None:
    worked(server)
    chat.tab.goto(f"{server.url}/overview")
    numbers = chat.tab.get_by_text("Numbers").first
    numbers.click()
    expect(chat.tab.locator("[data-chart=sessions] td")).to_contain_text("succeeded")


def overview_by_agent(chat: ChatPage, server: Server) -> None:
    worked(server)
    chat.tab.goto(f"{server.url}/overview")
    chat.tab.get_by_role("link", name="Per agent").click()
    chat.tab.get_by_role("link", name="7 days").click()
    expect(chat.tab.locator("[data-chart=sessions] li").first).to_be_visible()


STATES: tuple[Callable[[ChatPage, Server], None], ...] = (
    sessions_list, sessions_empty, sessions_loading, sessions_problem,
    replay_ended, replay_paused, replay_log, replay_live,
    search_found, search_nothing, search_refused, docs_index, docs_topic, docs_found,
    overview_by_day, overview_by_agent,
)  # fmt: skip
