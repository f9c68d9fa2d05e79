"""The first page when something goes wrong: it says so, loses nothing, and starts nothing twice."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.front_page import FrontPage, numbered
from tests.server import Server, python_agent, running_server

pytestmark = pytest.mark.browser


@pytest.fixture
def front(page: Page, server: Server) -> FrontPage:
    return FrontPage(page, server.url).open()


def test_a_refused_message_stays_in_the_box_with_the_reason(front: FrontPage) -> None:
    message = "x" * (1 << 20) + "y"
    front.send(message)
    expect(front.problem).to_contain_text("message has 1048577 bytes, expected at most 1048576.")
    expect(front.problem.get_by_role("button", name="Try again")).to_be_visible()
    assert front.message.input_value() == message


def test_a_session_that_never_existed_is_said_so(page: Page, server: Server) -> None:
    front = FrontPage(page, server.url).open("session-1700000000000-000000000000")
    refused = page.get_by_role("alert").filter(has_text="cannot be shown")
    expect(refused).to_contain_text("session-1700000000000-000000000000")
    expect(front.connection).to_have_text(re.compile("Not connected"))
    refused.get_by_role("link", name="New conversation").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Send a message")


def test_a_workflow_that_never_existed_gives_way_to_a_new_one(page: Page, server: Server) -> None:
    front = FrontPage(page, server.url)
    page.goto(f"{server.url}/#workflow=workflow-1700000000000-000000000000")
    front.send("help")
    expect(front.problem).to_contain_text("There is no workflow")
    front.problem.get_by_role("button", name="Send in a new conversation").click()
    front.expect_end("exit code 0")


def test_a_lost_answer_starts_nothing_twice(front: FrontPage, server: Server) -> None:
    answers: list[int] = []

    def lose_the_first(route: Route) -> None:
        answer = route.fetch()
        answers.append(answer.status)
        if len(answers) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    front.tab.route("**/api/trpc/workflow.invokeAgent", lose_the_first)
    front.send("count 3")
    front.expect_end("exit code 0")
    assert answers == [200, 200]

    workflow_id = server.session(front.session_id())["workflowId"]
    url = f"{server.url}/api/sessions?workflowId={workflow_id}"
    assert len(front.tab.request.get(url).json()["sessions"]) == 1


def test_a_server_that_goes_and_comes_back_loses_nothing(page: Page, folder: Path) -> None:
    with running_server(folder) as server:
        front = FrontPage(page, server.url).open()
        front.send("count 200 50")
        expect(front.log).to_contain_text("line 20 of 200")

        server.stop()
        expect(front.connection).to_have_text(re.compile("Reconnecting"))
        expect(page.locator("[data-list-problem]")).to_be_visible()
        expect(front.log).to_contain_text("line 20 of 200")

        server.start()
        expect(front.connection).to_have_text(re.compile("Live|Ended"))
        expect(page.locator("[data-list-problem]")).to_be_hidden()
        front.expect_end("exit code 0")
        assert front.text() == numbered(200)


def test_a_command_that_is_not_there_is_said_so(page: Page, folder: Path) -> None:
    agents = {"absent": {"command": ["/no/such/agent"]}}
    with running_server(folder, agents) as server:
        front = FrontPage(page, server.url).open()
        page.get_by_label("Agent", exact=True).select_option("absent")
        front.send("hello")
        front.expect_end("Failed")
        expect(front.end).to_contain_text("/no/such/agent")


HOSTILE = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"


def test_html_in_what_an_agent_prints_stays_text(front: FrontPage) -> None:
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    lines = [
        HOSTILE,
        f'{{"type":"message","content":"{quoted}"}}',
        f'{{"type":"tool_call","id":"1","name":"{quoted}","args":{{"a":"{quoted}"}}}}',
        f'{{"type":"tool_result","id":"1","ok":true,"result":"{quoted}"}}',
        f'{{"type":"error","message":"{quoted}"}}',
        "\x1b]52;c;aGk=\x07\x1b[31mred\x1b[0m",
    ]
    front.send("raw " + "\n".join(lines))
    front.expect_end("exit code 0")
    for card in front.cards.all():
        card.locator("summary").click()

    assert front.log.locator("img, script").count() == 0
    assert front.text() == f"{HOSTILE}\n{HOSTILE}\nred"
    assert front.cards.locator(".card-name").all_text_contents() == [HOSTILE, "error"]
    expect(front.cards.first).to_contain_text(HOSTILE)
    assert "run" not in front.tab.title()


def test_events_of_any_name_are_shown(front: FrontPage) -> None:
    front.send('raw {"type":"error","message":"rate limited"}\n{"type":"a.plan","steps":[1,2]}')
    front.expect_end("exit code 0")
    names = front.cards.locator(".card-name").all_text_contents()
    assert names == ["error", "a.plan"]


def test_a_huge_session_is_bounded_and_says_so(page: Page, folder: Path) -> None:
    busy = python_agent(
        "for n in range(20_000):\n"
        '    print(\'{"type":"tool_call","name":"t","id":"%d"}\\nword\' % n)\n'
        "print('x' * 1_000_000)"
    )
    with running_server(folder, {"busy": busy}) as server:
        session_id = server.invoke("busy")
        server.wait_until_ended(session_id)
        front = FrontPage(page, server.url).open(session_id)
        front.expect_end("exit code 0")
        expect(page.locator("[data-earlier]")).to_contain_text("have left this page")
        assert front.log.locator("> *").count() <= 2_000
        expect(front.texts.last).to_contain_text("more characters of this are in the log")
        expect(front.end).to_be_in_viewport()

        with page.expect_popup() as popup:
            page.locator("[data-earlier] a").click()
        assert popup.value.url.endswith(f"/api/sessions/{session_id}/log")
