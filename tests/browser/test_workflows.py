"""Workflows on the page: templates, stages, gates, and an end."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import HTTP, Server

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def test_a_workflow_in_stages_waits_at_its_gates(chat: ChatPage, server: Server) -> None:
    chat.tab.get_by_label("Workflow", exact=True).select_option("standard")
    chat.send("help")
    expect(chat.stages).to_have_count(4)
    expect(chat.stages.first).to_contain_text("waits for approval")
    expect(chat.item(chat.workflow_id())).to_contain_text("standard · request 1/4")
    chat.expect_end("exit code 0")
    expect(chat.item(chat.workflow_id())).to_contain_text("Needs approval")

    chat.gate.get_by_role("button", name="Approve").click()
    chat.gate.get_by_role("button", name="Go on to design").click()
    expect(chat.stages.nth(1)).to_have_attribute("aria-current", "step")
    expect(chat.stages.first).to_contain_text("done")
    expect(chat.log).to_contain_text("Stage 'design' begins.")

    chat.send("count 3")
    expect(chat.turns.last).to_contain_text("design")
    chat.expect_end("exit code 0")
    workflow = server.call("workflow.satisfyGate", {"workflowId": chat.workflow_id()})
    assert workflow.json()["result"]["data"]["currentStage"] == 1
    expect(chat.gate).to_contain_text("is open")


def test_a_paused_workflow_takes_no_message_until_it_is_resumed(chat: ChatPage) -> None:
    chat.send("help")
    chat.expect_end("exit code 0")
    chat.choose("Pause")
    expect(chat.closed).to_contain_text("This workflow is paused.")
    expect(chat.message).to_be_hidden()
    chat.closed.get_by_role("button", name="Resume").click()
    expect(chat.message).to_be_visible()
    chat.send("count 3")
    expect(chat.turns).to_have_count(2)
    chat.expect_end("exit code 0")


def test_a_cancelled_workflow_ends_its_agents(chat: ChatPage, server: Server) -> None:
    chat.send("count 1000 50")
    expect(chat.log).to_contain_text("line 3 of 1000")
    chat.choose("Cancel")
    dialog = chat.tab.get_by_role("dialog")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    expect(chat.connection).to_contain_text("Live")

    chat.choose("Cancel")
    dialog.get_by_role("button", name="Cancel the workflow").click()
    chat.expect_end("Cancelled")
    expect(chat.closed).to_contain_text("This workflow is cancelled")
    expect(chat.menu).to_be_hidden()
    page = HTTP.get(f"{server.url}/api/sessions?workflowId={chat.workflow_id()}").json()
    assert page["sessions"][0]["status"] == "cancelled"


def test_what_somebody_else_does_to_a_workflow_is_seen(chat: ChatPage, server: Server) -> None:
    chat.send("help")
    chat.expect_end("exit code 0")
    server.call("workflow.pause", {"workflowId": chat.workflow_id()})
    expect(chat.closed).to_contain_text("paused")
    expect(chat.log).to_contain_text("The workflow is paused.")


def test_a_chat_can_be_completed(chat: ChatPage) -> None:
    chat.send("help")
    chat.expect_end("exit code 0")
    chat.choose("Complete")
    expect(chat.closed).to_contain_text("This workflow is completed")
    chat.closed.get_by_role("link", name="New conversation").click()
    expect(chat.message).to_be_focused()
