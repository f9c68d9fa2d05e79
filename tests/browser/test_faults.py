"""The chat page when something goes wrong: it says so, loses nothing, and starts nothing twice."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.chat_page import ChatPage, numbered
from tests.server import Server, running_server

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def test_a_refused_message_stays_in_the_box_with_the_reason(chat: ChatPage) -> None:
    message = "x" * (1 << 20) + "y"
    chat.send(message)
    expect(chat.problem).to_contain_text("message has 1048577 bytes, expected at most 1048576.")
    expect(chat.problem.get_by_role("button", name="Try again")).to_be_visible()
    assert chat.message.input_value() == message


@pytest.mark.parametrize("kind", ["session", "workflow"])
def test_what_never_existed_is_said_so(page: Page, server: Server, kind: str) -> None:
    chat = ChatPage(page, server.url)
    page.goto(f"{server.url}/#{kind}={kind}-1700000000000-000000000000")
    expect(chat.refused).to_contain_text(f"{kind}-1700000000000-000000000000")
    chat.refused.get_by_role("link", name="New conversation").click()
    expect(chat.log).to_contain_text("What shall the agent do?")


def test_a_refusal_stays_while_the_panel_is_kept_fresh(page: Page, server: Server) -> None:
    chat = ChatPage(page, server.url).open("workflow-1700000000000-000000000000")
    expect(chat.refused).to_be_visible()
    page.evaluate("""() => {
        const stage = document.querySelector("[data-stage]");
        window.stages = [stage.dataset.stage];
        const note = () => window.stages.push(stage.dataset.stage);
        new MutationObserver(note).observe(stage, { attributeFilter: ["data-stage"] });
    }""")
    for _ in range(3):
        page.wait_for_event("response", lambda answer: "workflow.list" in answer.url)
    assert set(page.evaluate("window.stages")) == {"refused"}


def test_a_message_to_a_workflow_that_is_not_there_goes_to_a_new_one(
    page: Page, server: Server
) -> None:
    chat = ChatPage(page, server.url).open("workflow-1700000000000-000000000000")
    expect(chat.refused).to_be_visible()
    chat.send("help")
    expect(chat.problem).to_contain_text("There is no workflow")
    chat.problem.get_by_role("button", name="Send in a new conversation").click()
    chat.expect_end("Succeeded")


def test_a_lost_answer_starts_nothing_twice(chat: ChatPage, server: Server) -> None:
    answers: list[int] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.status)
        if len(answers) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    chat.tab.route("**/api/trpc/workflow.invokeAgent", lose_the_first)
    chat.send("count 3")
    chat.expect_end("Succeeded")
    assert answers == [200, 200]
    url = f"{server.url}/api/sessions?workflowId={chat.workflow_id()}"
    assert len(chat.tab.request.get(url).json()["sessions"]) == 1


def test_a_server_that_goes_and_comes_back_loses_nothing(page: Page, folder: Path) -> None:
    with running_server(folder, workers=4) as server:
        chat = ChatPage(page, server.url).open()
        chat.send("count 120 50")
        expect(chat.log).to_contain_text("line 20 of 120")

        server.stop()
        expect(chat.connection).to_have_text(re.compile("Reconnecting"))
        expect(page.locator("[data-list-problem]")).to_be_visible()
        expect(chat.log).to_contain_text("line 20 of 120")

        server.start()
        expect(page.locator("[data-list-problem]")).to_be_hidden()
        chat.expect_end("Succeeded")
        assert chat.text() == numbered(120)
        chat.to_the_top()
        expect(chat.said).to_have_text(["count 120 50"])


def test_a_log_that_was_cut_says_that_something_is_missing(page: Page, folder: Path) -> None:
    with running_server(folder) as server:
        session_id = server.invoke("demo", "count 2000 10")
        chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
        expect(chat.log).to_contain_text("line 30 of 2000")
        log = server.log_path(session_id)
        with open(log, "r+b") as file:
            file.truncate(file.seek(0, 2) // 2)
        expect(chat.log.locator(".row.notice").first).to_contain_text("missing")
        expect(chat.log).to_contain_text("line 30 of 2000")


def test_a_command_that_is_not_there_is_said_so(page: Page, folder: Path) -> None:
    with running_server(folder, {"absent": {"command": ["/no/such/agent"]}}) as server:
        chat = ChatPage(page, server.url).open()
        page.get_by_label("Agent", exact=True).select_option("absent")
        chat.send("hello")
        chat.expect_end("Failed")
        expect(chat.end).to_contain_text("/no/such/agent")
