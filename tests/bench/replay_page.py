"""A session's page in Chromium: the rhythm of its replay, and how soon a scrub is shown."""

import random
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.bench.report import Figure, median, percentile
from tests.bench.sessions import BLOCK_EVENTS, add_finished, bench_server
from tests.browser.conftest import ARGUMENTS
from tests.browser.operator_pages import SessionPage
from tests.server import HTTP, Server, python_agent

BLOCKS = 10
SCRUBS = 12
LINES = 60

RHYTHM = python_agent(
    "import random\nchance = random.Random(3)\n"
    f"for n in range({LINES}):\n    print('line', n)\n    time.sleep(chance.uniform(0.01, 0.15))"
)
SEEN = f"""
new Promise((resolve) => {{
  const seen = [];
  document.querySelector("[data-play]").click();
  const look = () => {{
    const text = document.querySelector(".row.output [data-text]")?.textContent ?? "";
    const lines = text.match(/line \\d+/g)?.length ?? 0;
    while (seen.length < lines) seen.push(performance.now());
    if (seen.length < {LINES}) requestAnimationFrame(look);
    else resolve(seen);
  }};
  requestAnimationFrame(look);
}})
"""
SCRUB = """
(share) => new Promise((resolve) => {
  const slider = document.querySelector("[data-slider]");
  const box = slider.getBoundingClientRect();
  const [clientX, clientY] = [box.left + box.width * share, box.top + 9];
  const at = { clientX, clientY, pointerId: 1, button: 0 };
  const start = performance.now();
  const drawn = new MutationObserver(() => {
    drawn.disconnect();
    requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
  });
  drawn.observe(document.querySelector("[data-rows]"), { childList: true });
  slider.setPointerCapture = () => {};
  slider.dispatchEvent(new PointerEvent("pointerdown", at));
})
"""


def measure(folder: Path, runs: int) -> list[Figure]:
    """On one page for each session; the log beside the replay is shown too."""
    with bench_server(folder, {"rhythm": RHYTHM}) as server, sync_playwright() as playwright:
        path = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        errors_ms = [error for _ in range(runs) for error in _rhythm_errors_ms(server, page)]
        scrubs_ms = _scrubs_ms(server, page, runs)
        browser.close()
    group = "a session's page"
    return [
        Figure(group, "off the rhythm at speed 1, p50", median(errors_ms), "ms", 20),
        Figure(group, "off the rhythm at speed 1, p95", percentile(errors_ms, 0.95), "ms"),
        Figure(
            group,
            f"scrub among {BLOCKS * BLOCK_EVENTS:,} events, p50",
            median(scrubs_ms),
            "ms",
        ),
        Figure(group, "the slowest", max(scrubs_ms), "ms", 300),
    ]


def _rhythm_errors_ms(server: Server, page: Page) -> list[float]:
    """How far each event lies from where it lay after the first one, as it was recorded."""
    session_id = server.invoke("rhythm")
    server.wait_until_ended(session_id)
    events: list[dict[str, Any]] = HTTP.get(
        f"{server.url}/api/sessions/{session_id}/events?limit=1000"
    ).json()["events"]
    printed = [_unix_ms(event["time"]) for event in events if event["event"] == "message"]
    SessionPage(page, server.url).open(session_id)
    page.wait_for_selector(".replay-foot:visible")
    seen: list[float] = page.evaluate(SEEN)
    return [
        abs((shown - seen[0]) - (time - printed[0]))
        for shown, time in zip(seen, printed, strict=True)
    ][1:]


def _unix_ms(time: str) -> float:
    return datetime.fromisoformat(f"{time[:26]}+00:00").timestamp() * 1000


def _scrubs_ms(server: Server, page: Page, runs: int) -> list[float]:
    """From the press of the pointer to when the rows of that moment are drawn."""
    chance = random.Random(5)
    session_id = add_finished(server, BLOCKS)
    SessionPage(page, server.url).open(session_id)
    page.wait_for_selector("[data-timeline]:not([data-loading])")
    page.wait_for_timeout(500)
    measured = []
    for _ in range(SCRUBS * runs):
        measured.append(float(page.evaluate(SCRUB, chance.uniform(0.01, 0.99))))
        page.wait_for_timeout(150)
    return measured
