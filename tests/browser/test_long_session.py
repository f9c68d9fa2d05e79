"""A session of 100,000 events: its end is there at once, and all of it within reach."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chat_page import ChatPage
from tests.server import python_agent, running_server, wait_for

pytestmark = pytest.mark.browser

STEPS = 25_000
MAX_HEAP_BYTES = 200_000_000
ENDLESS_BYTES = 150_000_000
MAX_ENDLESS_HEAP_BYTES = 75_000_000

LONG = python_agent(
    r"""for start in range(0, 25_000, 500):
    print("\n".join(
        '{"type":"message","content":"Step %d: I look at the next file. "}\n'
        '{"type":"tool_call","id":"c%d","name":"read_file","args":{"path":"src/file_%d.py"}}\n'
        '{"type":"tool_result","id":"c%d","ok":true,"result":"def f():\\n    return %d"}\n'
        'line %d of the output' % (n, n, n, n, n, n) for n in range(start, start + 500)))"""
)

ENDLESS = python_agent(
    f"for _ in range({ENDLESS_BYTES // 1_000_000}): sys.stdout.write('x' * 1_000_000)"
)

COVERS = """
() => {
  const box = document.querySelector("[data-scroller]").getBoundingClientRect();
  const rows = [...document.querySelectorAll("[data-rows] > .row")]
    .map((row) => row.getBoundingClientRect());
  let covered = box.top;
  for (const row of rows) if (row.top <= covered + 1) covered = Math.max(covered, row.bottom);
  return rows.length < 200 && covered >= box.bottom;
}
"""
SCROLL = """
(by) => new Promise((drawn) => {
  const scroller = document.querySelector("[data-scroller]");
  scroller.scrollTop = by <= 1 && by >= 0 ? by * scroller.scrollHeight : scroller.scrollTop + by;
  requestAnimationFrame(() => setTimeout(drawn));
})
"""


def is_at_the_beginning(page: Page, chat: ChatPage) -> bool:
    """Scroll to what there is; more comes from before it."""
    page.evaluate(SCROLL, 0)
    return "Step 0: I look at the next file." in (chat.log.text_content() or "")


def heap_bytes(page: Page) -> int:
    """What the page's scripts hold in memory."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("HeapProfiler.collectGarbage")
    return int(devtools.send("Runtime.getHeapUsage")["usedSize"])


def test_a_session_of_100_000_events(page: Page, folder: Path) -> None:
    with running_server(folder, {"long": LONG}) as server:
        session_id = server.invoke("long")
        server.wait_until_ended(session_id)
        chat = ChatPage(page, server.url).open(server.session(session_id)["workflowId"])
        chat.expect_end("Succeeded")
        expect(chat.end).to_be_in_viewport()
        expect(chat.log).to_contain_text(f"line {STEPS - 1} of the output")

        for by in [*[-900] * 25, *[index / 20 for index in range(18, 0, -1)]]:
            page.evaluate(SCROLL, by)
            assert page.evaluate(COVERS), f"a blank after scrolling by {by}"
        wait_for(lambda: is_at_the_beginning(page, chat))
        expect(chat.log).to_contain_text("line 0 of the output")
        expect(chat.jump).to_be_visible()

        assert heap_bytes(page) < MAX_HEAP_BYTES
        chat.jump.click()
        expect(chat.end).to_be_in_viewport()


def test_a_line_without_an_end_leaves_the_page_small(page: Page, folder: Path) -> None:
    settings = {"default_agent": "endless"}
    with running_server(folder, {"endless": ENDLESS}, settings=settings) as server:
        chat = ChatPage(page, server.url).open()
        chat.send("print")
        chat.expect_end("Succeeded")
        expect(chat.texts.last).to_contain_text("x" * 1000)
        assert heap_bytes(page) < MAX_ENDLESS_HEAP_BYTES
