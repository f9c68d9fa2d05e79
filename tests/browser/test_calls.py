"""What calls a person: the tab's title and icon, the list on each page, and notifications."""

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.talk_page import AGENTS, TalkPage
from tests.server import HTTP, Server, end_sessions, running_server, wait_for
from tests.webhooks.receiver import SECRET, Receiver, receiver

pytestmark = pytest.mark.browser

NOTIFIER = """
window.shown = [];
window.isLooked = false;
Document.prototype.hasFocus = () => window.isLooked;
window.Notification = class extends EventTarget {
  static permission = localStorage.getItem("test-permission") ?? "granted";
  static async requestPermission() {
    localStorage.setItem("test-permission", "granted");
    return (window.Notification.permission = "granted");
  }
  constructor(title, { body, tag }) {
    super();
    window.shown.push({ title, body, tag, notification: this });
  }
  close() {}
};
"""
"""The browser's own, which shows nothing in a test; and whether somebody looks."""


@pytest.fixture(scope="module")
def there() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, there: Receiver) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("calls")
    webhook = {"url": there.url, "secret_env": "HOOK", "allow_private": True}
    with running_server(
        folder,
        AGENTS,
        workers=2,
        settings={"webhooks": {"phone": webhook}},
        HOOK=SECRET,
        XDG_STATE_HOME=str(folder),
    ) as running:
        yield running


@pytest.fixture
def contexts(browser: Browser, server: Server) -> Iterator[list[BrowserContext]]:
    """Three browsers, each of which knows of all that has been by now."""
    end_sessions(server)
    HTTP.post(f"{server.url}/api/trpc/notice.markSeen", json={})
    with ExitStack() as stack:
        made = [stack.enter_context(browser.new_context()) for _ in range(3)]
        for context in made:
            context.add_init_script(NOTIFIER)
        yield made


def until(tab: Page, expression: str) -> None:
    """Wait until this is true in a tab; the pages' policy lets no script poll for it."""
    wait_for(lambda: tab.evaluate(expression))


def opened(context: BrowserContext, server: Server, path: str = "") -> Page:
    """A tab that knows what there is by now."""
    tab = context.new_page()
    tab.goto(f"{server.url}/{path}")
    until(tab, "Object.keys(localStorage).some((key) => key.startsWith('agent-stream-called'))")
    return tab


def shown(*tabs: Page) -> list[str]:
    """The titles of all notifications in the tabs of one browser."""
    titles: list[str] = []
    for tab in tabs:
        titles += tab.evaluate("window.shown.map(({ title }) => title)")
    return titles


def has_shown(count: int, tabs: list[Page]) -> bool:
    tabs[0].wait_for_timeout(50)
    return len(shown(*tabs)) >= count


def asks(server: Server) -> str:
    """A session that waits for approval."""
    session_id = server.invoke("demo-talk", "approve")
    wait_for(lambda: server.session(session_id)["state"] == "waiting")
    return session_id


def approve(server: Server, session_id: str) -> None:
    (approval,) = server.session(session_id)["openApprovals"]
    url = f"{server.url}/api/sessions/{session_id}/approvals/{approval['id']}"
    assert HTTP.post(url, json={"option": "allow_once"}).status_code == 200


def fails(server: Server) -> None:
    server.wait_until_ended(server.invoke("demo", "fail"))


def kill_runner(server: Server, session_id: str) -> None:
    first = server.log_path(session_id).read_bytes().partition(b"\n")[0]
    os.kill(json.loads(first[40:])["runnerPid"], signal.SIGKILL)
    server.wait_until_ended(session_id)


def events(there: Receiver, since: int) -> list[tuple[str, str]]:
    """What the webhook got: kind and id."""
    bodies = [json.loads(request.body)["data"] for request in there.received[since:]]
    ids = [request.headers["webhook-id"] for request in there.received[since:]]
    return [(body["kind"], id_) for body, id_ in zip(bodies, ids, strict=True)]


def test_each_event_calls_once_in_three_browsers_over_a_restart(
    contexts: list[BrowserContext], server: Server, there: Receiver
) -> None:
    there.stop()
    since = len(there.received)
    browsers = [[opened(context, server) for _ in range(2)] for context in contexts]
    first = asks(server)
    fails(server)
    for tabs in browsers:
        wait_for(partial(has_shown, 2, tabs))

    server.stop()
    server.start()
    approve(server, first)
    lost = server.invoke("demo-talk", "slow")
    wait_for(lambda: server.session(lost)["state"] == "working")
    kill_runner(server, lost)
    there.start()
    wait_for(lambda: len(events(there, since)) >= 4)
    asks(server)  # what came before it has been shown by the time that this one is

    expected = ["demo failed", "demo-talk has finished", "demo-talk was lost"]
    expected += ["demo-talk needs approval"] * 2
    for tabs in browsers:
        wait_for(partial(has_shown, 5, tabs))
        assert sorted(shown(*tabs)) == sorted(expected)
    wait_for(lambda: len(events(there, since)) >= 5)
    found = events(there, since)
    assert sorted(kind for kind, _id in found) == [
        "approval", "approval", "failed", "lost", "turn_ended",
    ]  # fmt: skip
    assert len({id_ for _kind, id_ in found}) == 5


def test_device_that_somebody_looks_at_silences_the_others(
    contexts: list[BrowserContext], server: Server
) -> None:
    away, looked_at, _other = (opened(context, server) for context in contexts)
    looked_at.evaluate("window.isLooked = true")
    fails(server)
    until(looked_at, "document.title.startsWith('(1) ')")
    until(away, "document.title.startsWith('(1) ')")
    away.wait_for_timeout(3_000)  # longer than a browser waits for others
    assert shown(away) == []

    looked_at.evaluate("window.isLooked = false")
    asks(server)
    for tab in (away, looked_at):
        until(tab, "window.shown.length > 0")
        assert shown(tab) == ["demo-talk needs approval"]


def test_click_opens_the_approval_itself(contexts: list[BrowserContext], server: Server) -> None:
    tab = opened(contexts[0], server, "sessions")
    asks(server)
    until(tab, "window.shown.length > 0")
    tab.evaluate("window.shown[0].notification.dispatchEvent(new Event('click'))")
    expect(TalkPage(tab, server.url).open_asks).to_be_focused()


def test_list_title_and_icon_say_what_needs_a_person(
    contexts: list[BrowserContext], server: Server
) -> None:
    tab = opened(contexts[0], server, "sessions")
    icon = tab.locator("link[rel=icon]")
    page = TalkPage(tab, server.url)
    fails(server)
    expect(page.badge).to_contain_text("1 waits for you")
    expect(tab).to_have_title(re.compile(r"^\(1\) "))
    expect(icon).to_have_attribute("href", re.compile("favicon-waits.svg$"))
    page.badge.locator("summary").click()
    expect(page.badge.get_by_role("link")).to_contain_text("demo failed")
    expect(page.badge.get_by_role("link")).to_contain_text("exit code 1")
    page.badge.get_by_role("button", name="Mark as seen").click()
    expect(page.badge).to_be_hidden()
    expect(icon).to_have_attribute("href", re.compile("favicon.svg$"))
    expect(tab).not_to_have_title(re.compile(r"^\("))


def test_look_at_a_conversation_is_a_look_at_its_notices(
    contexts: list[BrowserContext], server: Server
) -> None:
    tab = opened(contexts[0], server)
    fails(server)
    page = TalkPage(tab, server.url)
    expect(page.badge).to_contain_text("1 waits for you")
    tab.evaluate("window.isLooked = true")
    page.badge.locator("summary").click()
    page.badge.get_by_role("link").click()
    expect(page.badge).to_be_hidden()


def test_long_message_offers_notifications_once(
    contexts: list[BrowserContext], server: Server
) -> None:
    context = contexts[0]
    context.add_init_script("window.Notification.permission = 'default'")
    page = TalkPage(context.new_page(), server.url)
    page.begin("slow")
    offer = page.tab.locator("[data-offer]")
    expect(offer).to_contain_text("Notify you")
    offer.get_by_role("button", name="Not now").click()
    expect(offer).to_have_count(0)

    other = TalkPage(contexts[1].new_page(), server.url)
    other.tab.add_init_script("window.Notification.permission = 'default'")
    other.begin("slow")
    other.tab.locator("[data-offer]").get_by_role("button", name="Notify me").click()
    assert other.tab.evaluate("window.Notification.permission") == "granted"
    expect(other.tab.locator("link[rel=icon]")).to_have_attribute(
        "href", re.compile("favicon-(working|waits).svg$")
    )
