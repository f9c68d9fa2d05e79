"""The message box: what is written stays, is sent once, and reads in its own direction."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chat_page import ChatPage
from tests.cli.command import run
from tests.server import Server, python_agent, running_server

pytestmark = pytest.mark.browser

HIDING = "rm \u202eexe.txt"
SHOWN = "rm \\u202eexe.txt"
EVENTS = [
    {"type": "tool_call", "name": "run\u202e", "args": {"command": HIDING, "path": HIDING}},
    {"type": "message", "content": f"שלום עולם\n\nHello, `{HIDING}`\n\n```\n{HIDING}\n```"},
    {"type": "message", "content": "- שלום"},
]
AGENTS = {
    "hiding": python_agent(f"for line in {[json.dumps(event) for event in EVENTS]!r}: print(line)"),
    "waits": python_agent("time.sleep(600)"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("composer")
    with running_server(folder, AGENTS, settings={"ping_seconds": 60}) as running:
        yield running


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def test_a_draft_belongs_to_its_conversation_and_survives_a_reload(
    chat: ChatPage, server: Server
) -> None:
    first, second = server.create_workflow(), server.create_workflow()
    drafts = {first: "to the first\nin two lines", second: "to the second", None: "to a new one"}
    for workflow_id, draft in drafts.items():
        chat.open(workflow_id)
        expect(chat.message).to_have_value("")
        chat.message.fill(draft)
    for workflow_id, draft in drafts.items():
        chat.open(workflow_id)
        expect(chat.message).to_have_value(draft)
        chat.tab.reload()
        expect(chat.message).to_have_value(draft)

    chat.open(first)
    chat.send("help")
    chat.expect_end("Succeeded")
    expect(chat.message).to_have_value("")
    chat.tab.reload()
    chat.expect_end("Succeeded")
    expect(chat.message).to_have_value("")


@pytest.mark.parametrize("how", ["Enter", "Send", "reload"])
def test_the_same_text_sent_again_after_a_lost_answer_is_one_message(
    chat: ChatPage, server: Server, how: str
) -> None:
    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    chat.tab.route("**/api/trpc/workflow.invokeAgent", lose)
    chat.open(server.create_workflow())
    chat.send("count 3")
    expect(chat.problem).to_contain_text("cannot be reached")
    chat.tab.unroute("**/api/trpc/workflow.invokeAgent")
    if how == "reload":
        chat.tab.reload()
        expect(chat.message).to_have_value("count 3")
    if how == "Send":
        chat.send_button.click()
    else:
        chat.message.press("Enter")
    chat.expect_end("Succeeded")
    url = f"{server.url}/api/sessions?workflowId={chat.workflow_id()}"
    assert len(chat.tab.request.get(url).json()["sessions"]) == 1

    # Its fate is known now: the same words again are another message.
    chat.send("count 3")
    expect(chat.turns).to_have_count(2)


def test_enter_that_ends_a_composition_does_not_send(chat: ChatPage) -> None:
    sent: list[str] = []
    chat.tab.on("request", lambda request: sent.append(request.url))
    chat.message.fill("日本")
    for key in ({"isComposing": True}, {"keyCode": 229}):
        chat.message.dispatch_event("keydown", {"key": "Enter", "cancelable": True, **key})
    chat.message.press("Shift+Enter")
    expect(chat.message).to_have_value("日本\n")
    assert not [url for url in sent if "invokeAgent" in url or "workflow.create" in url]


def test_text_has_the_direction_of_its_letters_and_commands_hide_nothing(
    chat: ChatPage, server: Server
) -> None:
    session_id = server.invoke("hiding", "שלום")
    chat.open(server.session(session_id)["workflowId"])
    chat.expect_end("Succeeded")
    hebrew = chat.log.locator("p, li, .bubble").filter(has_text="שלום")
    directions = hebrew.evaluate_all("all => all.map((e) => getComputedStyle(e).direction)")
    assert set(directions) == {"rtl"}
    hello = chat.log.locator("p").filter(has_text="Hello")
    assert hello.evaluate("e => getComputedStyle(e).direction") == "ltr"

    card = chat.cards.first
    card.locator("summary").click()
    expect(card.locator(".command")).to_have_text(SHOWN)
    expect(chat.log.locator("p code")).to_have_text(SHOWN)
    expect(chat.log.locator("figure.code code")).to_have_text(SHOWN)
    assert "\u202e" not in chat.log.inner_text()
    for form in ("markdown", "html"):
        exported = run(server, "export", session_id, "--format", form).stdout
        assert exported.count(SHOWN) >= 2, form  # the command, and the path


def test_the_page_knows_the_interval_and_the_clock_of_its_server(
    chat: ChatPage, server: Server
) -> None:
    assert chat.tab.locator("html").get_attribute("data-ping-seconds") == "60"

    workflow_id = server.create_workflow()
    server.invoke("waits", "go", workflow_id)
    chat.tab.clock.set_system_time("2031-01-01T00:00:00Z")
    chat.open(workflow_id)
    expect(chat.end).to_contain_text("Running")
    expect(chat.end.locator("[data-figures]")).to_have_text(re.compile(r"^\d+ s$"))
