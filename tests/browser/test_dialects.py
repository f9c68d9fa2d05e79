"""Real agents on the page: what Claude Code and Codex printed, recorded, and played again."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import ROOT, Server, running_server

RECORDINGS = ROOT / "tests" / "agents" / "recordings"


def playing(name: str, dialect: str | None, lines: int | None = None) -> dict[str, Any]:
    """An agent that prints a recording, or its first lines and then waits."""
    path = str(RECORDINGS / f"{name}.jsonl")
    wait = "cat" if lines is None else f'head -n {lines} "$0"; exec sleep 600 #'
    command = ["/bin/sh", "-c", f'{wait} "$0"', path]
    return {"command": command} | ({} if dialect is None else {"dialect": dialect})


AGENTS = {
    "claude": playing("claude", "claude"),
    "claude-partial": playing("claude_partial", "claude"),
    "claude-midway": playing("claude_partial", "claude", lines=11),
    "codex": playing("codex", "codex"),
    "opencode": playing("opencode", "opencode"),
    "opencode-plain": playing("opencode", None),
    "gemini": playing("gemini", "gemini"),
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
    chat.expect_end("Succeeded")
    return chat


def card(chat: ChatPage, text: str) -> Any:
    """The card of the tool call whose summary has this text."""
    return chat.log.locator(".row.tool").filter(has_text=text)


def figures(chat: ChatPage) -> Locator:
    """The line under the last answer: how long it took, and what it cost."""
    return chat.end.locator("[data-figures]")


def title_of(locator: Locator) -> str:
    """What is there on hover."""
    return locator.get_attribute("title") or ""


@pytest.mark.parametrize("agent", ["claude", "claude-partial"])
def test_claude_code_reads_like_any_agent(page: Page, server: Server, agent: str) -> None:
    chat = open_ended(page, server, agent)
    expect(chat.texts).to_have_count(2)
    assert chat.text().count("I look at the notes first.") == 1
    assert chat.text().count(ANSWER) == 1
    expect(chat.texts.last.locator("strong")).to_have_text("two")

    reading, missing = card(chat, "wc -l notes.txt"), card(chat, "cat missing.txt")
    expect(reading).to_contain_text(re.compile("Bash.*OK", re.DOTALL))
    expect(missing).to_contain_text(re.compile("Bash.*Exit code 1", re.DOTALL))
    missing.locator("summary").click()
    expect(missing).to_contain_text("No such file or directory")
    expect(missing).to_contain_text("Read what is missing")

    expect(figures(chat)).to_have_text(re.compile(r"^\d+ ms · \$0.02$"))
    usage = title_of(figures(chat))
    for figure in ("43,566 input tokens", "42,600 cached input tokens", "185 output tokens"):
        assert figure in usage
    assert "$0.0192 cost" in usage


def test_codex_reads_like_any_agent(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "codex")
    assert chat.text().count("I look at what is there.") == 1
    assert chat.text().count(ANSWER) == 1
    expect(card(chat, "wc -l notes.txt")).to_contain_text(re.compile("shell.*OK", re.DOTALL))
    expect(card(chat, "cat missing.txt")).to_contain_text(
        re.compile("shell.*Exit code 1", re.DOTALL)
    )
    expect(card(chat, "update /srv/notes/notes.txt")).to_contain_text(
        re.compile("apply_patch.*OK", re.DOTALL)
    )

    expect(figures(chat)).not_to_contain_text("$")
    assert "7,500 input tokens\n" in title_of(figures(chat))
    assert "215 output tokens" in title_of(figures(chat))


def test_opencode_reads_like_any_agent(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "opencode")
    expect(chat.texts).to_have_count(1)
    expect(chat.texts.locator("strong")).to_have_text("three")
    expect(chat.log.get_by_role("group", name="Plan")).to_contain_text("1 of 2 done")
    expect(card(chat, "cat missing.txt")).to_contain_text("Exit code 1")
    changed = card(chat, "notes.txt").filter(has_text="edit")
    expect(changed.locator(".card-summary .diff-counts")).to_have_text(re.compile(r"\+1"))
    expect(figures(chat)).to_have_text(re.compile("<\\$0.01"))
    assert "70 input tokens" in title_of(figures(chat))


def test_of_json_without_a_dialect_each_text_is_read(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "opencode-plain")
    expect(chat.texts).to_have_count(1)
    expect(chat.texts.locator("strong")).to_have_text("three")


def test_gemini_reads_like_any_agent(page: Page, server: Server) -> None:
    chat = open_ended(page, server, "gemini")
    expect(chat.texts.get_by_role("listitem")).to_have_text(["milk", "bread", "biscuits"])
    expect(card(chat, "cat missing.txt")).to_contain_text("OK")
    expect(card(chat, "gone.txt")).to_contain_text("Failed")
    assert "50 input tokens" in title_of(figures(chat))


def test_what_an_agent_says_of_itself_is_hidden_but_what_it_thinks(
    page: Page, server: Server
) -> None:
    chat = open_ended(page, server, "claude")
    other = chat.log.locator(".row.tool--other")
    expect(other).to_have_count(1)
    other.locator("summary").click()
    expect(other).to_contain_text("I look at them before I change anything.")


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
    chat.expect_end("Succeeded")
    assert chat.log.inner_text() == before


def test_recordings_hold_nothing_of_the_machine_they_were_made_on() -> None:
    files = [path for path in Path(RECORDINGS).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert "/tmp/" not in path.read_text()
