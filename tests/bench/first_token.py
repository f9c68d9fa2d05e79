"""How soon a person sees something: an agent's write until Chromium has painted it, and a click on
Send until the first word of the demo agent is there.

The page draws in animation frames: a task after what was drawn runs when that frame is painted.
Beside the page a viewer in C watches the same agent: what it waits too is the way to the browser,
the rest is the page's own.
"""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright

from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import bench_server, stream_path
from tests.bench.viewers import live_viewers
from tests.browser.chat_page import ChatPage
from tests.browser.conftest import ARGUMENTS
from tests.server import HTTP, Server, python_agent, wait_for

WORDS = 60
MAX_RUNS = 5
CLICKS = 5

SPEAKER = python_agent(
    "import random\nchance = random.Random(3)\nsys.stdin.readline()\n"
    f"for _ in range({WORDS}):\n"
    "    n = time.time_ns()\n"
    '    print(f\'{{"type":"message_delta","content":"t{n}. ","n":{n}}}\')\n'
    "    time.sleep(chance.uniform(0.05, 0.15))\n"
    "time.sleep(600)",
    input=True,
)
WATCH_WORDS = f"""
() => void (window.waited = new Promise((resolve) => {{
  const painted = new Map();
  const log = document.querySelector("[role=log]");
  const look = () => {{
    const words = log.textContent.match(/t\\d{{19}}\\./g) ?? [];
    const fresh = words.filter((word) => !painted.has(word));
    if (fresh.length === 0) return;
    for (const word of fresh) painted.set(word, null);
    setTimeout(() => {{
      const now = performance.timeOrigin + performance.now();
      for (const word of fresh) painted.set(word, now - Number(word.slice(1, -1)) / 1e6);
      const waited = [...painted.values()];
      if (waited.length >= {WORDS} && !waited.includes(null)) resolve(waited);
    }});
  }};
  const all = {{ childList: true, characterData: true, subtree: true }};
  new MutationObserver(look).observe(log, all);
}}))
"""
CLICK = """
() => new Promise((resolve) => {
  performance.clearResourceTimings();
  const log = document.querySelector("[role=log]");
  const start = performance.now();
  const observer = new MutationObserver(() => {
    const texts = [...log.querySelectorAll(".row.text")];
    if (texts.every((row) => row.textContent.trim() === "")) return;
    observer.disconnect();
    setTimeout(() => {
      const calls = performance.getEntriesByType("resource")
        .filter(({ name }) => /workflow\\.(create|invokeAgent)/.test(name))
        .map(({ name, startTime, responseEnd }) => [name.split("/").pop(), startTime, responseEnd]);
      resolve({ total: performance.now() - start, calls, at: performance.timeOrigin + start });
    });
  });
  observer.observe(log, { childList: true, characterData: true, subtree: true });
  document.querySelector("[data-send]").click();
})
"""


def measure(folder: Path, runs: int) -> list[Figure]:
    """On one page of the chat; it takes less than a minute."""
    with (
        bench_server(folder, {"speaker": SPEAKER}, workers=2) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        figures = _paint(server, page) + _click(server, page, CLICKS * min(runs, MAX_RUNS))
        browser.close()
    return figures


def _paint(server: Server, page: Page) -> list[Figure]:
    """The agent begins to speak when everybody watches."""
    workflow_id = server.create_workflow()
    session_id = server.invoke("speaker", workflow_id=workflow_id)
    ChatPage(page, server.url).open(workflow_id)
    page.wait_for_selector(".row.foot:visible")
    with live_viewers(server.port, 1, [stream_path(session_id)]) as live:
        live.begin()
        page.evaluate(WATCH_WORDS)
        go = {"sessionId": session_id, "content": "go\n"}
        server.call("session.sendInput", go).raise_for_status()
        painted: list[float] = page.evaluate("window.waited")
        beside = live.end()
    group = "from an agent's write to the paint in Chromium"
    return [
        Figure(group, "p50", median(painted), "ms"),
        Figure(group, "p99", percentile(painted, 0.99), "ms"),
        Figure(group, "a viewer in C, p50", beside.p50_ms, "ms"),
        Figure(group, "a viewer in C, p99", beside.p99_ms, "ms"),
        Figure(group, "the page's own, p50", median(painted) - beside.p50_ms, "ms"),
    ]


def _click(server: Server, page: Page, clicks: int) -> list[Figure]:
    """In a new conversation each time."""
    found = [_first_word(server, page) for _ in range(clicks)]
    group = "from a click on Send to the demo agent's first word"
    names = {
        "create": "the workflow is created",
        "invoke": "the session is started",
        "agent": "the agent's first line, after its session's record",
        "shown": "from there to the paint",
    }
    totals = [each["total"] for each in found]
    return [
        Figure(group, "p50", median(totals), "ms"),
        Figure(group, "p99", percentile(totals, 0.99), "ms"),
        *[
            Figure(group, name, median([each[key] for each in found]), "ms")
            for key, name in names.items()
        ],
    ]


def _first_word(server: Server, page: Page) -> dict[str, float]:
    """How long each step took, in milliseconds."""
    chat = ChatPage(page, server.url)
    page.goto("about:blank")
    chat.open()
    chat.message.fill("Good morning")
    expect(chat.send_button).to_be_enabled()
    page.wait_for_timeout(500)  # what the page loads by itself is there
    shown: dict[str, Any] = page.evaluate(CLICK)
    calls = {name.partition("?")[0]: (start, end) for name, start, end in shown["calls"]}
    create, invoke = calls["workflow.create"], calls["workflow.invokeAgent"]
    workflow_id = chat.workflow_id()
    query = f"{server.url}/api/sessions?workflowId={workflow_id}"
    session_id = HTTP.get(query).raise_for_status().json()["sessions"][0]["sessionId"]
    events = wait_for(lambda: _first_events(server, session_id))
    began, spoke = (_unix_ms(event["time"]) for event in events)
    return {
        "total": shown["total"],
        "create": create[1] - create[0],
        "invoke": invoke[1] - invoke[0],
        "agent": spoke - began,
        "shown": shown["at"] + shown["total"] - spoke,
    }


def _first_events(server: Server, session_id: str) -> list[dict[str, Any]]:
    """Its session's record, and what the agent said first; nothing before it has."""
    url = f"{server.url}/api/sessions/{session_id}/events?limit=50"
    events = HTTP.get(url).raise_for_status().json()["events"]
    said = [event for event in events if event["event"].startswith("message")]
    return [events[0], said[0]] if said else []


def _unix_ms(time: str) -> float:
    return datetime.fromisoformat(f"{time[:26]}+00:00").timestamp() * 1000
