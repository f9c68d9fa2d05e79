"""A session as one HTML file: opened from the disk, with no network at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import PATIENCE_MS, WATCH_POLICY
from tests.browser.test_accessibility import FINDINGS, RULES, axe
from tests.cli.command import run

pytestmark = pytest.mark.browser

HOSTILE = "</pre></script><script>window.pwned = 1</script><img src=x onerror='window.pwned=1'>"
AGENT = f"""
import json, sys, time
def say(**told): print(json.dumps(told), flush=True)
say(type="message", content="I will look first.\\n")
time.sleep(0.3)
say(type="tool_call", name="read_file", args={{"path": "a.py"}})
say(type="tool_result", name="read_file", result="x = 1 " * 60)
print({HOSTILE!r}, flush=True)
time.sleep(0.3)
print("warning: no lockfile", file=sys.stderr, flush=True)
time.sleep(0.3)
print("\\x1b[31mred\\x1b[0m and the end", flush=True)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    (folder / "agent.py").write_text(AGENT)
    run(folder, "run", "--name", "reviewer <b>", "--", "python3", "agent.py")
    file = folder / "session.html"
    output = run(folder, "export", "last", "--format", "html", "-o", str(file))
    assert output.returncode == 0, output.stderr
    return file


@pytest.fixture
def offline(browser: Browser, exported: Path) -> Iterator[Page]:
    """The file in a browser without a network; the test fails if anything was asked for."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    context.add_init_script(WATCH_POLICY)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    requests: list[str] = []
    complaints: list[str] = []

    def note(request: Request) -> None:
        requests.append(request.url.partition("#")[0])

    page.on("request", note)
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(exported.as_uri())
    yield page
    assert set(requests) == {exported.as_uri()}
    assert complaints == []
    assert page.evaluate("window.policyViolations") == []
    assert page.evaluate("window.pwned") is None
    context.close()


def moment_of(page: Page, kind: str) -> str:
    """When the first block of a kind was printed, in seconds."""
    return page.locator(f"#session {kind}").first.get_attribute("data-t") or ""


def test_it_opens_from_the_file_and_shows_the_session(offline: Page) -> None:
    expect(offline.get_by_role("heading", level=1)).to_have_text("reviewer <b> failed, exit 3")
    session = offline.locator("#session")

    expect(session).to_contain_text("I will look first.")
    expect(session).to_contain_text(HOSTILE)
    expect(session.locator(".stderr pre")).to_have_text("warning: no lockfile\n")
    expect(session).to_contain_text("red and the end")
    expect(session.locator(".call li")).to_have_text("read_file path: a.py")
    expect(session.locator(".error li")).to_have_text("done: failed, exit code 3")
    session.locator("summary").click()
    expect(session.locator("details pre")).to_contain_text('"result": "x = 1 x = 1')


def test_the_scrubber_shows_what_was_there_at_a_moment(offline: Page) -> None:
    session = offline.locator("#session")
    offline.locator("#scrubber").fill(moment_of(offline, ".call"))

    expect(session.locator(".call")).to_be_visible()
    expect(session.locator(".stderr")).to_be_hidden()
    offline.get_by_role("button", name="Next error").click()
    expect(session.locator(".stderr")).to_be_visible()
    expect(session.get_by_text("red and the end")).to_be_hidden()
    offline.get_by_role("button", name="Show all").click()
    expect(session.get_by_text("red and the end")).to_be_visible()
    expect(offline.get_by_role("button", name="Next tool call")).to_be_disabled()


def test_it_plays_from_the_beginning_to_the_end(offline: Page) -> None:
    end = offline.locator("#session").get_by_text("red and the end")
    offline.get_by_label("Speed").select_option("0.5")
    offline.get_by_role("button", name="Play").click()
    expect(end).to_be_hidden()
    offline.get_by_label("Speed").select_option("16")
    expect(end).to_be_visible()
    expect(offline.get_by_role("button", name="Play")).to_be_visible()


def test_a_link_opens_it_at_a_moment(offline: Page, exported: Path) -> None:
    offline.goto(f"{exported.as_uri()}#t={moment_of(offline, '.stdout')}")

    expect(offline.locator("#session .stdout").first).to_be_visible()
    expect(offline.locator("#session .call")).to_be_hidden()


def test_it_fits_and_has_no_violation_light_and_dark(browser: Browser, exported: Path) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(exported.as_uri())
    page.evaluate(axe())
    for scheme, width in (("light", 360), ("dark", 360), ("light", 768), ("dark", 1920)):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(FINDINGS, RULES) == []
    context.close()
