"""The chat page: write, watch, stop, retry, answer, reload, open it twice."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chat_page import ChatPage, numbered
from tests.browser.prefixed import PREFIX, SITES, as_site
from tests.server import HTTP, Server, running_server

pytestmark = pytest.mark.browser


WHOSE = """
rows => rows.filter((row) => row.textContent.includes("line 30 of 30"))
  .map((row) => `${row.dataset.session}\\n${row.querySelector("[data-text]").textContent.trim()}`)
"""


@pytest.fixture(scope="module", params=SITES)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The shared server, and another one that knows its prefix by its settings."""
    if request.param == "direct":
        yield request.getfixturevalue("server")
        return
    folder = tmp_path_factory.mktemp("prefixed")
    with (
        running_server(folder, workers=2, settings={"prefix": PREFIX}) as running,
        as_site(running, request.param, folder) as site,
    ):
        yield site


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def test_a_message_streams_in_as_words_a_card_and_an_end(chat: ChatPage) -> None:
    chat.send("What do you think of rivers?")
    expect(chat.said).to_have_text(["What do you think of rivers?"])
    expect(chat.log).to_contain_text("I am the demo agent.")
    expect(chat.connection).to_have_text(re.compile("Live"))
    expect(chat.end).to_contain_text("Running")

    card = chat.cards.first
    expect(card).to_contain_text("OK")
    card.locator("summary").click()
    expect(card).to_contain_text("README.md")
    expect(card).to_contain_text("Result")

    chat.expect_end("Succeeded")
    expect(chat.log).to_contain_text("You wrote: “What do you think of rivers?”")
    expect(chat.log).to_contain_text("stderr")
    expect(chat.end.locator("[data-figures]")).to_have_attribute(
        "title", re.compile("output tokens")
    )
    expect(chat.end).to_have_text(re.compile(r"Succeeded\s+\d"))
    expect(chat.title).to_have_text("What do you think of rivers?")
    expect(chat.item(chat.workflow_id())).to_have_attribute("aria-current", "true")


def test_an_empty_page_says_what_to_try_and_does_it(chat: ChatPage) -> None:
    expect(chat.log).to_contain_text("What shall the agent do?")
    chat.tab.get_by_role("button", name="count 200 20").click()
    expect(chat.log).to_contain_text("line 3 of 200")
    chat.expect_end("Succeeded")


def test_markdown_is_rendered_and_its_code_copied(chat: ChatPage, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.send("markdown")
    chat.expect_end("Succeeded")
    expect(chat.log.get_by_role("heading", name="What I can show")).to_be_visible()
    expect(chat.log.get_by_role("cell", name="busy")).to_be_visible()
    expect(chat.log.locator("strong", has_text="Bold")).to_be_visible()
    link = chat.log.get_by_role("link", name="link")
    expect(link).to_have_attribute("href", "https://example.com/")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")

    # Its last words would speak over the next ones.
    expect(chat.tab.locator("[data-announcer]")).to_contain_text("demo: Succeeded.")
    chat.log.get_by_role("button", name="Copy code").click()
    expect(chat.tab.locator("[data-announcer]")).to_have_text("Copied")
    copied = chat.tab.evaluate("navigator.clipboard.readText()")
    assert copied == 'def greet(name: str) -> str:\n    return f"Hello, {name}!"'


def test_a_terminal_s_colours_are_shown(chat: ChatPage) -> None:
    chat.send("colour")
    chat.expect_end("Succeeded")
    expect(chat.log.locator(".bold")).to_have_text("bold")
    colours = [
        chat.log.locator(".terminal span", has_text=text).evaluate("e => getComputedStyle(e).color")
        for text in ("green", "red", "256 colours", "true colour")
    ]
    assert len(set(colours)) == 4


def test_stop_ends_the_agent_and_retry_runs_it_again(chat: ChatPage, server: Server) -> None:
    chat.send("count 1000 50")
    expect(chat.log).to_contain_text("line 3 of 1000")
    chat.stop_button.click()
    chat.expect_end("Cancelled")
    expect(chat.stop_button).to_be_hidden()
    expect(chat.log).to_contain_text("Stopped.")

    chat.end.get_by_role("button", name="Retry").click()
    expect(chat.turns).to_have_count(2)
    expect(chat.said).to_have_text(["count 1000 50"] * 2)
    chat.end.get_by_role("button", name="Stop").click()
    chat.expect_end("Cancelled")
    sessions = HTTP.get(f"{server.url}/api/sessions?workflowId={chat.workflow_id()}").json()
    assert len(sessions["sessions"]) == 2


def test_a_reload_in_mid_stream_and_after_the_end_shows_the_same_once(chat: ChatPage) -> None:
    chat.send("count 60 40")
    expect(chat.log).to_contain_text("line 10 of 60")
    chat.tab.reload()
    expect(chat.log).to_contain_text("line 11 of 60")
    chat.expect_end("Succeeded")
    assert chat.text() == numbered(60)

    chat.tab.reload()
    chat.expect_end("Succeeded")
    assert chat.text() == numbered(60)
    expect(chat.said).to_have_text(["count 60 40"])


def test_two_tabs_on_different_workers_show_the_same(
    chat: ChatPage, context: BrowserContext
) -> None:
    workers: list[str] = []
    other = ChatPage(context.new_page(), chat.url)
    for tab in (chat.tab, other.tab):
        tab.on(
            "response",
            lambda answer: (
                workers.append(answer.headers["x-worker-pid"])
                if "/api/agent-stream" in answer.url
                else None
            ),
        )
    chat.send("count 100 40")
    expect(chat.log).to_contain_text("line 3 of 100")
    for _attempt in range(20):
        workers[1:] = []
        other.tab.goto("about:blank")
        other.open(chat.workflow_id())
        expect(other.log).to_contain_text("line 3 of 100")
        if workers[0] != workers[-1]:
            break
    assert workers[0] != workers[-1]

    expect(other.log).to_contain_text("line 100 of 100")
    for seen in (chat, other):
        seen.expect_end("Succeeded")
        assert seen.text() == numbered(100)
        seen.to_the_top()
        expect(seen.said).to_have_text(["count 100 40"])

    other.send("help")
    chat.jump.click()
    expect(chat.said.last).to_have_text("help")
    expect(chat.log).to_contain_text("I am the demo agent.")
    other.tab.close()


def test_a_dozen_sessions_at_once_in_one_page(chat: ChatPage, server: Server) -> None:
    streams: set[str] = set()
    most = [0]

    def note(url: str, opens: bool) -> None:
        if "/api/agent-stream" in url:
            (streams.add if opens else streams.discard)(url)
            most[0] = max(most[0], len(streams))

    chat.tab.on("request", lambda request: note(request.url, opens=True))
    chat.tab.on("requestfinished", lambda request: note(request.url, opens=False))
    chat.tab.on("requestfailed", lambda request: note(request.url, opens=False))
    workflow_id = server.create_workflow()
    sessions = [server.invoke("demo", "count 30 150", workflow_id) for _ in range(11)]
    sessions.append(server.invoke("demo", "count 100000 150", workflow_id))  # until it is stopped
    chat.open(workflow_id)
    # Requests still have a way to the server while all of them run.
    expect(chat.end).to_contain_text("Running")
    chat.end.get_by_role("button", name="Stop").click()
    expect(chat.end).to_contain_text("Cancelled")
    expect(chat.connection).to_be_hidden()
    assert most[0] == 4

    for session_id in sessions[:-1]:
        assert server.session(session_id)["status"] == "succeeded"
    chat.to_the_top()
    seen: set[str] = set()
    for _page in range(40):
        chat.tab.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
        seen.update(chat.texts.evaluate_all(WHOSE))
        chat.scroller.evaluate("element => element.scrollBy(0, element.clientHeight)")
    assert seen == {f"{session_id}\n{numbered(30)}" for session_id in sessions[:-1]}


def test_a_live_agent_is_answered(chat: ChatPage) -> None:
    chat.tab.get_by_label("Agent", exact=True).select_option("demo-dialogue")
    chat.send("hello")
    expect(chat.log).to_contain_text("What is your name?")
    expect(chat.message).to_have_attribute("placeholder", "Answer demo-dialogue")
    chat.send("Ada")
    expect(chat.log).to_contain_text("Nice to meet you, Ada!")
    expect(chat.said).to_have_text(["hello", "Ada"])
    expect(chat.turns).to_have_count(1)
    chat.send("bye")
    chat.expect_end("Succeeded")
    expect(chat.message).to_have_attribute("placeholder", "Message to the agent")

    chat.tab.reload()
    chat.expect_end("Succeeded")
    expect(chat.said).to_have_text(["hello", "Ada", "bye"])


def test_messages_of_one_conversation_share_its_workflow(chat: ChatPage) -> None:
    chat.send("help")
    chat.expect_end("Succeeded")
    first = chat.workflow_id()
    chat.send("count 3")
    expect(chat.turns).to_have_count(2)
    chat.expect_end("Succeeded")
    assert chat.workflow_id() == first

    chat.tab.get_by_role("link", name="New conversation").first.click()
    expect(chat.log).to_contain_text("What shall the agent do?")
    expect(chat.message).to_be_focused()
    chat.tab.go_back()
    expect(chat.said).to_have_text(["help", "count 3"])


def test_enter_sends_and_shift_enter_begins_a_line(chat: ChatPage) -> None:
    chat.message.fill("raw one")
    one_line = chat.message.bounding_box()
    chat.message.press("Shift+Enter")
    chat.message.press_sequentially("two")
    expect(chat.message).to_have_value("raw one\ntwo")
    two_lines = chat.message.bounding_box()
    assert one_line is not None
    assert two_lines is not None
    assert two_lines["height"] > one_line["height"]

    chat.message.press("Enter")
    chat.expect_end("Succeeded")
    expect(chat.message).to_have_value("")
    assert chat.text() == "one\ntwo"


def test_every_fact_of_a_session_is_at_hand_and_copied(
    chat: ChatPage, context: BrowserContext, server: Server
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.send("fail 3")
    chat.expect_end("exit code 3")
    expect(chat.tab.locator("[data-announcer]")).to_contain_text("demo: Failed.")
    chat.details.click()
    page = HTTP.get(f"{server.url}/api/sessions?workflowId={chat.workflow_id()}").json()
    row = page["sessions"][0]
    for name, value in {
        "Copy process id": str(row["pid"]),
        "Copy exit code": "3",
        "Copy status": "failed",
        "Copy log size": str(row["logBytes"]),
        "Copy log file": str(server.var / row["logPath"]),
        "Copy its row, in a shell": f"where session = '{row['sessionId']}'",
    }.items():
        chat.facts.get_by_role("button", name=name, exact=True).click()
        expect(chat.tab.locator("[data-announcer]")).to_have_text("Copied")
        assert value in chat.tab.evaluate("navigator.clipboard.readText()")

    chat.tab.keyboard.press("Escape")
    expect(chat.facts).to_be_hidden()
    expect(chat.details).to_be_focused()


def test_the_end_is_followed_unless_the_reader_scrolls_up(chat: ChatPage) -> None:
    chat.send("count 100000 20")
    expect(chat.log).to_contain_text("line 60 of 100000")
    assert chat.distance_to_end() < 60

    chat.scroller.hover()
    chat.tab.mouse.wheel(0, -600)
    expect(chat.jump).to_be_visible()
    top = chat.scroller.evaluate("element => element.scrollTop")
    expect(chat.log).to_contain_text("line 120 of 100000")
    assert chat.scroller.evaluate("element => element.scrollTop") == top

    chat.jump.click()
    expect(chat.jump).to_be_hidden()
    expect(chat.log).to_contain_text("line 160 of 100000")
    assert chat.distance_to_end() < 60
    chat.stop_button.click()
    chat.expect_end("Cancelled")


def test_older_workflows_come_on_demand(chat: ChatPage, server: Server) -> None:
    for _ in range(31):
        server.create_workflow()
    chat.tab.reload()
    expect(chat.workflows).to_have_count(30)
    chat.tab.get_by_role("button", name="Older").click()
    expect(chat.workflows.nth(30)).to_be_visible()
    hrefs = chat.tab.locator("[data-workflow-list] a").evaluate_all(
        "links => links.map(l => l.href)"
    )
    assert len(hrefs) == len(set(hrefs))


def test_a_screen_reader_hears_whole_things_once(chat: ChatPage) -> None:
    chat.tab.evaluate(
        "window.heard = []; new MutationObserver(() => heard.push("
        "document.querySelector('[data-announcer]').textContent))"
        ".observe(document.querySelector('[data-announcer]'), {childList: true})"
    )
    chat.send("What do you think of rivers?")
    chat.expect_end("Succeeded")
    expect(chat.tab.locator("[data-announcer]")).to_contain_text("demo: Succeeded.")
    heard = chat.tab.evaluate("heard")
    assert heard[0] == "demo is working"
    assert any("Tool read file" in text for text in heard)
    assert len(heard) < 12
    assert sum("I am the demo agent" in text for text in heard) <= 1
