"""What an agent does, in each kind of card: lines as Claude Code prints them, written by hand."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.chat_page import ChatPage
from tests.server import Server, python_agent

Line = dict[str, object]


def _message(by: str, *blocks: Line, parent: str | None = None) -> Line:
    message = {"role": by, "content": list(blocks)}
    return {"type": by, "message": message, "parent_tool_use_id": parent}


def call(number: str, tool: str, parent: str | None = None, **given: object) -> Line:
    """A tool that begins."""
    block: Line = {"type": "tool_use", "id": number, "name": tool, "input": given}
    return _message("assistant", block, parent=parent)


def came(number: str, text: str, *, failed: bool = False, parent: str | None = None) -> Line:
    """What came of it."""
    block: Line = {"type": "tool_result", "tool_use_id": number, "content": text}
    return _message("user", block | {"is_error": failed}, parent=parent)


def says(text: str, parent: str | None = None) -> Line:
    """What the agent says."""
    return _message("assistant", {"type": "text", "text": text}, parent=parent)


def _retry(attempt: int, delay_ms: int) -> Line:
    return {
        "type": "system",
        "subtype": "api_retry",
        "attempt": attempt,
        "max_retries": 10,
        "retry_delay_ms": delay_ms,
        "error_status": 500,
    }


def _todos(*states: str) -> list[Line]:
    texts = ("Read what is there", "Repair the rounding", "Run the tests")
    steps = zip(texts, states, strict=True)
    return [{"content": text, "status": state, "activeForm": text} for text, state in steps]


CODE = """The sum was rounded for each item:

```python
def total(items: list[Item]) -> Decimal:
    # Rounded once, at the end.
    return round(sum(item.price for item in items), 2)
```
"""
LINES: list[Line] = [
    {"type": "system", "subtype": "init", "session_id": "s", "model": "m"},
    says("I look at the cart first."),
    call("r1", "Read", file_path="/srv/shop/cart.py"),
    came("r1", "1\tdef total(items):"),
    call("r2", "Read", file_path="/srv/shop/till.py"),
    came("r2", "1\timport cart"),
    call("g1", "Grep", pattern="round", path="/srv/shop"),
    came("g1", "cart.py:2"),
    call("p1", "TodoWrite", todos=_todos("in_progress", "pending", "pending")),
    came("p1", "Todos have been modified."),
    call("t1", "Task", description="Find who rounds", prompt="Look for each call of round()."),
    says("I look for it.", parent="t1"),
    call("t2", "Grep", parent="t1", pattern="round\\("),
    came("t2", "cart.py:2: round(", parent="t1"),
    came("t1", "Only cart.py rounds."),
    _retry(1, 600),
    _retry(4, 20_100),
    call(
        "e1", "Edit", file_path="/srv/shop/cart.py", old_string="a = 1\nb = 2", new_string="a = 3"
    ),
    came("e1", "The file has been updated."),
    call("b1", "Bash", command="pytest -q tests/test_cart.py", description="Run the tests"),
    came("b1", "Exit code 1\n1 failed in 0.2s", failed=True),
    call("b2", "Bash", command="pip install -U pytest"),
    came(
        "b2", "Claude requested permissions to use Bash, but you haven't granted it.", failed=True
    ),
    call("r3", "Read", file_path="/srv/shop/gone.py"),
    came("r3", "<tool_use_error>File does not exist.</tool_use_error>", failed=True),
    call("w1", "WebSearch", query="banker's rounding"),
    came("w1", "Rounding half to even"),
    call("p2", "TodoWrite", todos=_todos("completed", "completed", "in_progress")),
    came("p2", "Todos have been modified."),
    says(CODE),
    {
        "type": "result",
        "subtype": "success",
        "total_cost_usd": 0.03,
        "duration_ms": 12_000,
        "usage": {"input_tokens": 100, "output_tokens": 20},
    },
]
AGENTS = {
    "worker": python_agent(
        f"import json\nfor line in {LINES!r}: print(json.dumps(line))", dialect="claude"
    ),
}


def begin(chat: ChatPage, server: Server) -> None:
    """The work, done."""
    workflow_id = server.create_workflow()
    server.wait_until_ended(server.invoke("worker", "Repair the cart", workflow_id))
    chat.open(workflow_id)
    chat.expect_end("Succeeded")


def tool_cards(chat: ChatPage, server: Server) -> None:
    begin(chat, server)
    chat.to_the_top()


def tool_cards_open(chat: ChatPage, server: Server) -> None:
    begin(chat, server)
    for text in ("Read 2 files", "Find who rounds", "cart.py +1", "pytest -q"):
        row = chat.log.locator(".row.tool").filter(has_text=text).first
        row.locator("summary").first.click()
        expect(row.locator("details").first).to_have_attribute("open", "")
    chat.tab.wait_for_timeout(400)
    chat.to_the_top()


def chat_menu(chat: ChatPage, server: Server) -> None:
    begin(chat, server)
    chat.menu.click()


def rename(chat: ChatPage, server: Server) -> None:
    begin(chat, server)
    chat.choose("Rename")
    expect(chat.tab.get_by_role("dialog")).to_be_visible()


STATES: tuple[Callable[[ChatPage, Server], None], ...] = (
    tool_cards, tool_cards_open, chat_menu, rename,
)  # fmt: skip
