"""Real agents on the page: what Claude Code and Codex printed, recorded, and played again."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import ROOT, Server, running_server

RECORDINGS = ROOT / "tests" / "agents" / "recordings"


def playing(name: str, dialect: str, lines: int | None = None) -> dict[str, Any]:
    """An agent that prints a recording, or its first lines and then waits."""
    path = str(RECORDINGS / f"{name}.jsonl")
    wait = "cat" if lines is None else f'head -n {lines} "$0"; exec sleep 600 #'
    return {"command": ["/bin/sh", "-c", f'{wait} "$0"', path], "dialect": dialect}


AGENTS = {
    "claude": playing("claude", "claude"),
    "claude-partial": playing("claude_partial", "claude"),
    "claude-midway": playing("claude_partial", "claude", lines=11),
    "codex": playing("codex", "codex"),
}
ANSWER = "The notes have two lines now:"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Four workers, and agents that play recordings."""
    with running_server(tmp_path_factory.mktemp("dialects"), AGENTS, workers=4) as running:
        yield running


def open_ended(page: Page, server: Server, agent: str) -> ChatPage:
    """A session that has ended, on the page."""
    session_id = server.invoke(agent, "Add biscuits to my notes")
    server.wait_until_ended(session_id)
    chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
    chat.expect_end("exit code 0")
    return chat


def card(chat: ChatPage, text: str) -> Any:
    """The card of the tool call whose summary has this text."""
    return chat.log.locator(".row.tool").filter(has_text=text)


@pytest.mark.parametrize("agent", ["claude", "claude-partial"])
def test_claude_code_reads_like_any_agent(page: Page, server: Server, agent: str) -> None:
    chat = open_ended(page, server, agent)
    expect(chat.texts).to_have_count(2)
    assert chat.text().count("I look at the notes first.") == 1
    assert chat.text().count(ANSWER) == 1
    expect(chat.texts.last.locator("strong")).to_have_text("two")

    reading, missing = card(chat, "wc -l notes.txt"), card(chat, "cat missing.txt")
    expect(reading).to_contain_text(re.compile("Bash.*OK", re.DOTALL))
    expect(missing).to_contain_text(re.compile("Bash.*Failed", re.DOTALL))
    missing.locator("summary").click()
    expect(missing).to_contain_text("No such file or directory")
    expect(missing).to_contain_text("Read what is missing")

    usage = chat.log.get_by_role("list", name="Usage")
    expect(usage).to_contain_text("43,566 input tokens")
    expect(usage).to_contain_text("42,600 cached input tokens")
    expect(usage).to_contain_text("185 output tokens")
    expect(usage).to_contain_text("$0.0192 cost")
    expect(usage).to_contain_text(re.compile(r"\d+ ms duration"))


def test_codex_reads_like_any_agent(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "codex")
    assert chat.text().count("I look at what is there.") == 1
    assert chat.text().count(ANSWER) == 1
    expect(card(chat, "wc -l notes.txt")).to_contain_text(re.compile("shell.*OK", re.DOTALL))
    expect(card(chat, "cat missing.txt")).to_contain_text(re.compile("shell.*Failed", re.DOTALL))
    expect(card(chat, "update /srv/notes/notes.txt")).to_contain_text(
        re.compile("apply_patch.*OK", re.DOTALL)
    )

    usage = chat.log.get_by_role("list", name="Usage")
    expect(usage).to_contain_text("7,500 input tokens")
    expect(usage).to_contain_text("215 output tokens")
    expect(usage).not_to_contain_text("$")


def test_what_an_agent_says_of_itself_is_there_to_open(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "claude")
    of_itself = chat.log.locator(".row.tool--other")
    expect(of_itself).to_have_count(2)
    expect(of_itself.first).to_contain_text("init, thinking_tokens")
    of_itself.first.locator("summary").click()
    expect(of_itself.first).to_contain_text('"claude_code_version"')
    expect(of_itself.last).to_contain_text("I look at them before I change anything.")


def test_pieces_of_a_message_are_shown_before_it_is_whole(page: Page, server: Server) -> None:
    session_id = server.invoke("claude-midway", "Add biscuits to my notes")
    chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
    expect(chat.texts.last).to_have_text("I look at the")
    server.call("session.cancel", {"sessionId": session_id})
    chat.expect_end("Cancelled")
    expect(chat.texts).to_have_count(1)


def test_conversation_is_the_same_after_a_reload(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "claude-partial")
    before = chat.log.inner_text()
    page.reload()
    chat.expect_end("exit code 0")
    assert chat.log.inner_text() == before


def test_recordings_hold_nothing_of_the_machine_they_were_made_on() -> None:
    files = [path for path in Path(RECORDINGS).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert "/tmp/" not in path.read_text()
