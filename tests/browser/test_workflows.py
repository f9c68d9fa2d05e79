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
    chat.expect_end("Succeeded")
    expect(chat.item(chat.workflow_id())).to_contain_text("Needs you")

    chat.gate.get_by_role("button", name="Approve").click()
    expect(chat.stages.nth(1)).to_have_attribute("aria-current", "step")
    expect(chat.stages.first).to_contain_text("done")
    expect(chat.log).to_contain_text("Stage 'design' begins.")

    chat.send("count 3")
    expect(chat.turns.last).to_contain_text("design")
    chat.expect_end("Succeeded")
    workflow = server.call("workflow.satisfyGate", {"workflowId": chat.workflow_id()})
    assert workflow.json()["result"]["data"]["currentStage"] == 1
    expect(chat.gate).to_contain_text("is open")


def begin(chat: ChatPage, message: str, template: str) -> None:
    """Send the first message of a workflow with stages."""
    chat.tab.get_by_label("Workflow", exact=True).select_option(template)
    chat.send(message)


def test_a_paused_workflow_takes_no_message_until_it_is_resumed(chat: ChatPage) -> None:
    begin(chat, "help", "standard")
    chat.expect_end("Succeeded")
    chat.choose("Pause")
    expect(chat.closed).to_contain_text("This workflow is paused.")
    expect(chat.message).to_be_hidden()
    chat.closed.get_by_role("button", name="Resume").click()
    expect(chat.message).to_be_visible()
    chat.send("count 3")
    expect(chat.turns).to_have_count(2)
    chat.expect_end("Succeeded")


def test_a_cancelled_workflow_ends_its_agents(chat: ChatPage, server: Server) -> None:
    begin(chat, "count 1000 50", "standard")
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
    chat.menu.click()
    expect(chat.tab.locator("[data-of-stages]")).to_be_hidden()
    page = HTTP.get(f"{server.url}/api/sessions?workflowId={chat.workflow_id()}").json()
    assert page["sessions"][0]["status"] == "cancelled"


def test_what_somebody_else_does_to_a_workflow_is_seen(chat: ChatPage, server: Server) -> None:
    chat.send("help")
    chat.expect_end("Succeeded")
    server.call("workflow.pause", {"workflowId": chat.workflow_id()})
    expect(chat.closed).to_contain_text("paused")
    expect(chat.log).to_contain_text("The workflow is paused.")


def test_a_conversation_without_stages_has_nothing_of_them(chat: ChatPage, server: Server) -> None:
    chat.send("help")
    chat.expect_end("Succeeded")
    chat.menu.click()
    expect(chat.tab.locator(".menu-list button:visible")).to_have_text(
        ["Rename…", "Pin", "Archive", "Export", "Copy link", "Delete…"]
    )
    server.call("workflow.advance", {"workflowId": chat.workflow_id()})
    expect(chat.closed).to_contain_text("This workflow is completed")
    chat.closed.get_by_role("link", name="New conversation").click()
    expect(chat.message).to_be_focused()
