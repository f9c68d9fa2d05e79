"""The panel of a large change in Chromium: how soon it is there, and how it scrolls."""

import json
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.bench.report import Figure, median
from tests.bench.sessions import bench_server
from tests.browser.conftest import ARGUMENTS
from tests.changes.agents import agents
from tests.projects.repository import make_repository
from tests.server import Server, wait_for

FILES, LINES = 500, 100
LONG_LINES = 5_000
"""Of one file more, which is scrolled through too."""
ROUNDS = 3

MAKE = f"""
python3 - <<'END'
import pathlib
for number in range({FILES}):
    folder = pathlib.Path(f"src/part{{number % 20:02}}")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"def total_{{n}}(items, rate={{n}}):  # of part {{number}}" for n in range({LINES})]
    (folder / f"module{{number:03}}.py").write_text("\\n".join(lines) + "\\n")
lines = [f"    value_{{n}} = compute('text {{n}}', {{n}})" for n in range({LONG_LINES})]
pathlib.Path("a_long_one.py").write_text("def all():\\n" + "\\n".join(lines) + "\\n")
END
"""
# From a click to the frame in which an element is drawn that was not there.
CLICK = """
([button, wanted]) => new Promise((resolve) => {
  const start = performance.now();
  const look = () => {
    if (document.querySelector(wanted) === null) requestAnimationFrame(look);
    else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  };
  document.querySelector(button).click();
  look();
})
"""
SCROLL = """
() => new Promise((resolve) => {
  const scroller = document.querySelector("[data-changes-scroller]");
  scroller.scrollTop = 0;
  let frames = 0;
  const step = () => {
    scroller.scrollTop += 400;
    frames += 1;
    const isAtEnd = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
    if (isAtEnd || frames > 600) resolve(frames);
    else requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})
"""


def measure(folder: Path, runs: int) -> list[Figure]:
    """The panel in a page that has been loaded, then a file, then all that it holds scrolled by."""
    shop = make_repository(folder / "shop")
    with bench_server(folder, agents(shop)) as server, sync_playwright() as playwright:
        session_id = server.invoke("shell", MAKE)
        wait_for(lambda: server.session(session_id)["state"] == "idle")
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        measured = [_measure_page(server, browser.new_page(), session_id) for _ in range(runs)]
        browser.close()
    group = "a change of 500 files, 55,000 lines"
    columns = list(zip(*measured, strict=True))
    return [
        Figure(group, "panel after the click", median(list(columns[0])), "ms", 300),
        Figure(group, "a file's diff after the click", median(list(columns[1])), "ms", 300),
        Figure(group, "the longest frame while scrolling", max(columns[2]), "ms", 50),
        Figure(group, f"heap after {ROUNDS} rounds more", max(columns[3]), "MB more", 5),
    ]


def _measure_page(server: Server, page: Page, session_id: str) -> tuple[float, float, float, float]:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{server.url}/#workflow={server.session(session_id)['workflowId']}")
    page.wait_for_selector("[data-changes-button]:visible")
    page.wait_for_timeout(500)
    panel_ms = page.evaluate(CLICK, ["[data-changes-button]", ".file-head"])
    page.wait_for_selector(".lines")  # the first file is open
    first = page.locator(".file-head").first
    first.click()  # it is longer than the screen
    second = ".changes-rows > .file-head:nth-of-type(2)"
    page.wait_for_selector(second)
    diff_ms = page.evaluate(CLICK, [second, ".lines[data-path^='src/']"])
    first.click()
    page.wait_for_selector(".lines[data-path='a_long_one.py']")
    protocol = page.context.new_cdp_session(page)
    longest_ms = _longest_frame_ms(protocol, page)
    heap = _heap_mb(protocol)
    for _ in range(ROUNDS):
        page.evaluate(SCROLL)
    grown = _heap_mb(protocol) - heap
    page.close()
    return float(panel_ms), float(diff_ms), longest_ms, grown


def _longest_frame_ms(protocol: CDPSession, page: Page) -> float:
    """The longest task of the page's main thread, by the trace of a scroll through everything."""
    events: list[dict[str, Any]] = []
    protocol.on("Tracing.dataCollected", lambda found: events.extend(found["value"]))
    done: list[object] = []
    protocol.on("Tracing.tracingComplete", lambda found: done.append(found))
    protocol.send(
        "Tracing.start",
        {"categories": "toplevel,devtools.timeline", "transferMode": "ReportEvents"},
    )
    page.evaluate(SCROLL)
    protocol.send("Tracing.end")
    while not done:
        page.wait_for_timeout(50)
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] in ("FireAnimationFrame", "UpdateLayoutTree")
    }
    tasks = [
        event["dur"] / 1000
        for event in events
        if event["name"] in ("RunTask", "ThreadControllerImpl::RunTask")
        and (event["pid"], event["tid"]) in main
        and "dur" in event
    ]
    assert tasks, json.dumps(sorted({event["name"] for event in events}))
    return float(max(tasks))


def _heap_mb(protocol: CDPSession) -> float:
    protocol.send("HeapProfiler.collectGarbage")
    used = protocol.send("Runtime.getHeapUsage")["usedSize"]
    return float(used) / 1e6
