"""The list of conversations: their states, what a person does with them, and finding one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.browser.talk_page import AGENTS as TALKING
from tests.server import Server, running_server

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sidebar")
    with running_server(folder, TALKING, XDG_STATE_HOME=str(folder)) as running:
        yield running


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def begin(server: Server, message: str, agent: str = "demo") -> str:
    """A conversation that somebody else began: its id."""
    session_id = server.invoke(agent, message)
    return str(server.session(session_id)["workflowId"])


def look(chat: ChatPage, workflow_id: str, word: str) -> None:
    item = chat.item(workflow_id)
    expect(item.locator("[data-word]")).to_have_text(word)


def test_each_state_has_its_word_and_icon(chat: ChatPage, server: Server) -> None:
    expect(chat.workflows.first.or_(chat.tab.locator("[data-list-empty]"))).to_be_visible()
    asks = begin(server, "approve", "demo-talk")
    works = begin(server, "count 100000 50")
    fails = begin(server, "fail 3")
    answers = begin(server, "help")
    for workflow_id, word, icon in (
        (asks, "Needs you", "gate"),
        (works, "Working", "running"),
        (fails, "Failed", "failed"),
        (answers, "Unread", "unread"),
    ):
        look(chat, workflow_id, word)
        expect(chat.item(workflow_id).locator("use")).to_have_attribute("href", f"#icon-{icon}")
    expect(chat.item(asks)).to_contain_text("demo-talk")

    chat.item(answers).click()
    look(chat, answers, "Done")
    chat.tab.reload()
    look(chat, answers, "Done")

    states = chat.tab.get_by_label("Which conversations")
    for value, only in (("needs", asks), ("working", works), ("failed", fails)):
        states.select_option(value)
        expect(chat.item(only)).to_be_visible()
        expect(chat.item(answers)).to_have_count(0)
    states.select_option("")
    for workflow_id in (works, asks):
        server.call("workflow.cancel", {"workflowId": workflow_id})
    look(chat, works, "Cancelled")


def test_a_conversation_is_renamed_pinned_archived_and_found(
    chat: ChatPage, server: Server
) -> None:
    old = begin(server, "Repair the cart, please, and tell me what was wrong with it at first")
    begin(server, "help")
    chat.open(old)
    chat.choose("Rename")
    dialog = chat.tab.get_by_role("dialog")
    dialog.get_by_label("Title").fill("The cart")
    dialog.get_by_role("button", name="Rename").click()
    expect(chat.title).to_have_text("The cart")
    expect(chat.item(old)).to_contain_text("The cart")

    chat.choose("Pin")
    groups = chat.tab.locator(".workflow-group")
    expect(groups).to_have_text(["Pinned", "Today"])
    expect(chat.workflows.first).to_contain_text("The cart")

    find = chat.tab.get_by_label("Filter by title")
    find.fill("THE cart")
    expect(chat.workflows).to_have_count(1)
    find.fill("nothing like it")
    expect(chat.tab.get_by_text("None is like that.")).to_be_visible()
    find.fill("")

    chat.choose("Archive")
    expect(chat.item(old)).to_have_count(0)
    chat.tab.get_by_label("Which conversations").select_option("archived")
    expect(chat.item(old)).to_be_visible()
    chat.choose("Take out of the archive")
    chat.tab.get_by_label("Which conversations").select_option("")
    expect(chat.item(old)).to_be_visible()


def test_a_conversation_is_exported_and_deleted_for_good(chat: ChatPage, server: Server) -> None:
    chat.send("help")
    chat.expect_end("Succeeded")
    workflow_id = chat.workflow_id()
    chat.choose("Copy link")
    expect(chat.tab.locator("[data-announcer]")).to_have_text("Copied")
    with chat.tab.expect_download() as download:
        chat.choose("Export")
    assert download.value.suggested_filename == "help.md"
    text = download.value.path().read_text()
    assert re.search(r"^# help\n\n## You, .*\n\nhelp\n\n## Agent, ", text)

    chat.choose("Delete")
    dialog = chat.tab.get_by_role("dialog")
    expect(dialog).to_contain_text("Delete “help”?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(chat.item(workflow_id)).to_be_visible()
    chat.choose("Delete")
    dialog.get_by_role("button", name="Delete it").click()
    expect(chat.item(workflow_id)).to_have_count(0)
    expect(chat.title).to_have_text("New conversation")
    refused = server.call("workflow.rename", {"workflowId": workflow_id, "title": "x"})
    assert refused.status_code == 404


def test_a_conversation_that_works_is_not_deleted(chat: ChatPage) -> None:
    chat.send("count 100000 50")
    expect(chat.log).to_contain_text("line 3 of")
    chat.choose("Delete")
    chat.tab.get_by_role("dialog").get_by_role("button", name="Delete it").click()
    expect(chat.tab.locator("[data-workflow-problem]")).to_contain_text("cancel it first")
    chat.stop_button.click()
    chat.expect_end("Cancelled")
