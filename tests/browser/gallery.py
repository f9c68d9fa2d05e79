"""Screenshots of every state of the pages, to be looked at by a person.

    python -m tests.browser.gallery FOLDER [STATE…]
    python -m tests.browser.gallery --readme

Each state wide and 360 pixels wide, light and dark. With `--readme` the pictures of the README.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser import card_page, operator_pages, talk_page
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARGUMENTS
from tests.browser.test_dialects import playing
from tests.server import Server, python_agent, running_server
from webapp.docs.topics import IMAGES

SIZES = {"wide": (1440, 900), "narrow": (360, 740)}
SCHEMES = ("light", "dark")

QUICK = """\
The README is brief, and it names the one thing that the project does. Send `help` for more.

## What I can show

1. **Bold**, *italic* and `code`
2. A [link](https://example.com/) and a list:
   - one
   - [x] two

| worker | sessions |
|--------|---------:|
| first  |       12 |

```python
def greet(name: str) -> str:
    return f"Hello, {name}!"
```

> That is all.
"""


def printing(*things: object) -> dict[str, Any]:
    """An agent that prints these: events as JSON, texts as they are."""
    lines = [thing if isinstance(thing, str) else json.dumps(thing) for thing in things]
    return python_agent(f"for line in {lines!r}: print(line)")


def call(number: str, name: str, **arguments: object) -> dict[str, object]:
    return {"type": "tool_call", "id": number, "name": name, "args": arguments}


def result(number: str, text: str, *, ok: bool = True) -> dict[str, object]:
    return {"type": "tool_result", "id": number, "ok": ok, "result": text}


AGENTS = (
    talk_page.AGENTS
    | card_page.AGENTS
    | {
        "claude": playing("claude", "claude"),
        "codex": playing("codex", "codex"),
        "quick": printing(
            {"type": "message", "content": "Hi there. Let me look round before I answer. "},
            call("1", "read_file", path="README.md"),
            result("1", "# Teapot"),
            {"type": "message", "content": QUICK},
            {"type": "usage", "inputTokens": 7, "outputTokens": 73, "durationMs": 3900},
        ),
        "slow": python_agent(
            """print('{"type":"message","content":"I look into it. "}')
print('{"type":"tool_call","id":"1","name":"run_tests","args":{"path":"tests"}}')
sys.stdout.write("Compiling 41 of 120"); sys.stdout.flush(); time.sleep(600)"""
        ),
        "working": operator_pages.WORKING,
        "rich": printing(
            call("1", "edit_file", path="src/a.py", new="def a():\n    return 1\n"),
            result("1", "1 file changed"),
            call("2", "run_tests", path="tests"),
            result(
                "2", "\x1b[31mFAILED\x1b[0m tests/test_a.py::test_a\n1 failed, 11 passed", ok=False
            ),
            "\x1b[32mok\x1b[0m  \x1b[38;2;120;80;220mlint\x1b[0m\n\x1b[7m done \x1b[0m",
            {"type": "plan", "steps": ["read", "write"]},
            {
                "type": "usage",
                "inputTokens": 12345,
                "outputTokens": 678,
                "costUsd": 0.0431,
                "durationMs": 83000,
            },
        ),
    }
)


def empty(chat: ChatPage, _server: Server) -> None:
    chat.open()


def answer(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    for message in ("help", "What do you think of rivers?"):
        server.wait_until_ended(server.invoke("quick", message, workflow_id))
    chat.open(workflow_id)
    chat.expect_end("Succeeded")


def cards(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("rich", "Make the tests pass.", workflow_id))
    chat.open(workflow_id)
    chat.expect_end("Succeeded")
    for index in (0, 1):
        chat.cards.nth(index).locator("summary").click()


def live(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.invoke("slow", "Why is the build red?", workflow_id)
    chat.open(workflow_id)
    expect(chat.log).to_contain_text("Compiling")


def facts(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("demo", "fail 3", workflow_id))
    chat.open(workflow_id)
    chat.expect_end("exit code 3")
    chat.details.click()


def gate(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow(template="standard")
    server.wait_until_ended(server.invoke("quick", "Describe the request", workflow_id))
    server.call("workflow.satisfyGate", {"workflowId": workflow_id})
    server.call("workflow.advance", {"workflowId": workflow_id})
    server.wait_until_ended(server.invoke("quick", "Design it", workflow_id))
    chat.open(workflow_id)
    expect(chat.gate).to_contain_text("approve")


def paused(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow(template="standard")
    server.wait_until_ended(server.invoke("demo", "help", workflow_id))
    server.call("workflow.pause", {"workflowId": workflow_id})
    chat.open(workflow_id)
    expect(chat.closed).to_contain_text("paused")
    chat.menu.click()


def confirm(chat: ChatPage, server: Server) -> None:
    gate(chat, server)
    chat.menu.click()
    chat.tab.get_by_role("button", name="Discard…").click()


def refused(chat: ChatPage, _server: Server) -> None:
    chat.open("workflow-1700000000000-000000000000")
    expect(chat.refused).to_be_visible()


def not_sent(chat: ChatPage, _server: Server) -> None:
    chat.open()
    chat.tab.route("**/api/trpc/workflow.create", lambda route: route.abort())
    chat.send("Hello?")
    expect(chat.problem).to_be_visible()


def drawer(chat: ChatPage, server: Server) -> None:
    answer(chat, server)
    opener = chat.tab.get_by_role("button", name="Workflows", exact=True)
    if opener.is_visible():
        opener.click()
    chat.tab.wait_for_timeout(300)


def loading(chat: ChatPage, server: Server) -> None:
    def never(_route: Route) -> None:
        """Leave the request without an answer."""

    workflow_id = server.create_workflow()
    chat.tab.route("**/api/trpc/workflow.get*", never)
    chat.tab.route("**/api/trpc/workflow.list*", never)
    chat.open(workflow_id)
    chat.tab.wait_for_timeout(600)


def claude(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("claude", "Add biscuits to my notes", workflow_id))
    chat.open(workflow_id)
    chat.expect_end("Succeeded")


def codex(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("codex", "Add biscuits to my notes", workflow_id))
    chat.open(workflow_id)
    chat.expect_end("Succeeded")


def reconnecting(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    server.invoke("slow", "Why is the build red?", workflow_id)
    chat.tab.route("**/api/agent-stream*", lambda route: route.abort())
    chat.open(workflow_id)
    expect(chat.connection).to_contain_text("Reconnecting")


def gap(chat: ChatPage, server: Server) -> None:
    workflow_id = server.create_workflow()
    session_id = server.invoke("demo", "count 40", workflow_id)
    server.wait_until_ended(session_id)
    notice = 'event: notice\ndata: {"type":"gap","reason":"no event has this id"}\n\n'
    with urlopen(f"{server.url}/api/agent-stream?sessionId={session_id}&tail=9") as stream:
        body = stream.read().decode()
    head, _blank, rest = body.partition("\n\n")
    chat.tab.route(
        "**/api/agent-stream*",
        lambda route: route.fulfill(
            body=f"{head}\n\n{notice}{rest}", content_type="text/event-stream"
        ),
    )
    chat.open(workflow_id)
    expect(chat.log).to_contain_text("Some output is missing here")


def logged_out(chat: ChatPage, server: Server) -> None:
    answer(chat, server)
    chat.message.fill("What I was about to say")
    refusal = {"error": {"code": "UNAUTHORIZED", "message": "Log in first."}}
    chat.tab.route("**/api/**", lambda route: route.fulfill(status=401, json=refusal))
    expect(chat.tab.get_by_text("You are logged out")).to_be_visible()
    chat.tab.wait_for_timeout(3000)


STATES: tuple[Callable[[ChatPage, Server], None], ...] = (
    empty, loading, answer, cards, live, facts, gate, paused, confirm, refused, not_sent, drawer,
    claude, codex, reconnecting, gap, logged_out,
    *talk_page.STATES,
    *card_page.STATES,
    *operator_pages.STATES,
)  # fmt: skip


def draw(browser: Browser, server: Server, folder: Path, names: list[str]) -> None:
    for scheme in SCHEMES:
        for size, (width, height) in SIZES.items():
            for state in STATES:
                if names and state.__name__ not in names:
                    continue
                context = browser.new_context(
                    color_scheme="dark" if scheme == "dark" else "light",
                    viewport={"width": width, "height": height},
                )
                page: Page = context.new_page()
                state(ChatPage(page, server.url), server)
                page.wait_for_timeout(250)
                page.screenshot(path=folder / f"{state.__name__}-{size}-{scheme}.png")
                context.close()


def draw_for_readme() -> None:
    """The recorded Claude Code, light and dark, where the README finds it."""
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), ["claude"])
        for scheme in SCHEMES:
            picture = Path(folder) / f"claude-wide-{scheme}.png"
            shutil.copyfile(picture, IMAGES / f"chat-{scheme}.png")


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    var = Path(tempfile.mkdtemp())
    try:
        with running_server(var, AGENTS, workers=4) as server, sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            draw(browser, server, folder, names)
            browser.close()
    finally:
        shutil.rmtree(var, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--readme"]:
        draw_for_readme()
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
