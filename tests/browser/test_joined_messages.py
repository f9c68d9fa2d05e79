"""Messages and pieces of messages, in all places where people read them: they read the same."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.cli.command import run
from tests.clients.viewer import Viewer
from tests.server import HTTP, Server, python_agent, running_server, wait_for

PIECES = ("un", "believ", "able", " `", "foo", "(", "x", ")`")
MESSAGES = ("I fixed the bug.\n```\nx = 1", "All tests pass.", "| a | b |\n|---|---|\n| 1 | 2 |")


def printing(texts: tuple[str, ...], **profile: Any) -> dict[str, Any]:
    """An agent that prints these as JSON messages."""
    code = f"import json\nfor t in {texts!r}: print(json.dumps(dict(type='message', content=t)))"
    return python_agent(code) | profile


AGENTS = {"pieces": printing(PIECES, messages="pieces"), "messages": printing(MESSAGES)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with both agents."""
    with running_server(tmp_path_factory.mktemp("joined"), AGENTS) as running:
        yield running


def answer_of(server: Server, session_id: str) -> str:
    """What the history has of a session's agent."""
    workflow_id = server.wait_until_ended(session_id)["workflowId"]
    asked = {"input": json.dumps({"workflowId": workflow_id})}
    found = HTTP.get(f"{server.url}/api/trpc/workflow.getHistory", params=asked)
    messages = found.raise_for_status().json()["result"]["data"]["messages"]
    return str(next(one["content"] for one in messages if one["role"] == "agent"))


def everywhere(server: Server, session_id: str, text: str) -> None:
    """Whether history, terminal and exports have this text."""
    assert answer_of(server, session_id) == text
    assert f"{text}\n" in run(server, "tail", session_id).stdout
    assert f"{text}\n" in run(server, "export", session_id, "--format", "markdown").stdout


def finds(server: Server, words: str, session_id: str) -> bool:
    """Whether the search finds a session by these words."""
    found = HTTP.get(f"{server.url}/api/search", params={"q": words}).raise_for_status().json()
    return session_id in [result["sessionId"] for result in found["results"]]


def open_session(page: Page, server: Server, session_id: str) -> ChatPage:
    chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
    chat.expect_end("Succeeded")
    return chat


def test_pieces_are_one_message(page: Page, server: Server) -> None:
    session_id = server.invoke("pieces")
    everywhere(server, session_id, "unbelievable `foo(x)`")
    with Viewer(server.url, session_id) as viewer:
        said = [event.json() for event in viewer if event.type == "message"]
    assert said == [{"partial": True, "type": "message", "content": piece} for piece in PIECES]

    chat = open_session(page, server, session_id)
    expect(chat.texts).to_have_count(1)
    expect(chat.texts).to_have_text("unbelievable foo(x)")
    expect(chat.texts.locator("code")).to_have_text("foo(x)")
    wait_for(lambda: finds(server, "unbelievable", session_id))


def test_whole_messages_are_paragraphs_and_their_fences_end_with_them(
    page: Page, server: Server
) -> None:
    session_id = server.invoke("messages")
    everywhere(server, session_id, "\n\n".join(MESSAGES))
    chat = open_session(page, server, session_id)
    expect(chat.texts).to_have_count(3)
    expect(chat.texts.nth(0).locator("pre")).to_contain_text("x = 1")
    expect(chat.texts.nth(1)).to_have_text("All tests pass.")
    expect(chat.texts.nth(1).locator("pre")).to_have_count(0)
    expect(chat.texts.nth(2).locator("td")).to_have_text(["1", "2"])
    wait_for(lambda: finds(server, "bug", session_id))
