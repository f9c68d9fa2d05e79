"""What an agent prints to harm the page: nothing runs, nothing breaks it."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import Server, python_agent, running_server

pytestmark = pytest.mark.browser

HTML = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script></script>"
MARKDOWN = (
    f"# {HTML}\n\n[click](javascript:document.title='run') ![x](javascript:run) {HTML}\n\n"
    f"| {HTML} |\n|---|\n| <javascript:run> |\n\n```{HTML}\n{HTML}\n```\n"
)
TERMINAL = "\x1b]8;;javascript:run\x07link\x1b]8;;\x07 \x1b]52;c;aGk=\x07\x1b[31mred\x1b[0m\x1b[2J"


@pytest.fixture
def chat(page: Page, server: Server) -> ChatPage:
    return ChatPage(page, server.url).open()


def test_html_scripts_and_escapes_stay_text(chat: ChatPage) -> None:
    lines = [
        HTML,
        json.dumps({"type": "message", "content": MARKDOWN}),
        json.dumps({"type": "tool_call", "id": "1", "name": HTML, "args": {HTML: HTML}}),
        json.dumps({"type": "tool_result", "id": "1", "ok": True, "result": HTML + TERMINAL}),
        json.dumps({"type": "error", "message": HTML}),
        json.dumps({"type": "usage", HTML: 1}),
        TERMINAL,
    ]
    chat.send("raw " + "\n".join(lines))
    chat.expect_end("Succeeded")
    for card in chat.cards.all():
        card.locator("summary").click()

    assert chat.log.locator("img, script, iframe, [onerror]").count() == 0
    assert chat.log.locator("[data-rows] a").count() == 0
    assert "run" not in chat.tab.title().replace(" — agent-stream", "")[:3]
    expect(chat.texts.first).to_have_text(HTML)
    expect(chat.log).to_contain_text("click (javascript:document.title='run')")
    expect(chat.log.locator(".row.output").last.locator("[data-text]")).to_have_text("link red")
    expect(chat.cards.first.locator(".card-name")).to_have_text(HTML)
    expect(chat.cards.first.locator("[data-result]")).to_contain_text(HTML)


def test_events_of_any_name_are_shown(chat: ChatPage) -> None:
    chat.send('raw {"type":"quota","message":"rate limited"}\n{"type":"constructor","steps":[1,2]}')
    chat.expect_end("Succeeded")
    expect(chat.texts).to_have_text(["rate limited"])
    assert chat.cards.locator(".card-name").all_text_contents() == ["constructor"]


def test_a_megabyte_without_a_space_is_shown_whole_and_wraps(page: Page, folder: Path) -> None:
    huge = python_agent(
        "print('x' * 1_000_000)\n"
        'print(\'{"type":"message","content":"\' + "y" * 500_000 + \'"}\')\n'
        'print(\'{"type":"tool_result","id":"1","result":"\' + "z" * 500_000 + \'"}\')'
    )
    with running_server(folder, {"huge": huge}) as server:
        session_id = server.invoke("huge")
        server.wait_until_ended(session_id)
        chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
        chat.expect_end("Succeeded")
        chat.cards.last.locator("summary").click()
        expect(chat.cards.last).to_contain_text("400,000 more characters of this are in the log")
        assert chat.scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0

        chat.to_the_top()
        expect(chat.log).to_contain_text("x" * 1_000)
        page.evaluate("document.querySelector('.row.output').scrollIntoView()")
        assert "x" * 16_000 in str(chat.texts.first.text_content())
        assert chat.scroller.evaluate("e => e.scrollWidth - e.clientWidth") == 0
