"""One session: its timeline, its replay, the log beside it."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.bench.sessions import add_finished
from tests.browser.operator_pages import WORKING, SessionPage, worked
from tests.browser.test_layout import BEYOND_THE_EDGE
from tests.server import HTTP, Server, python_agent, running_server

pytestmark = pytest.mark.browser

TOLD = {
    "type": "assistant",
    "message": {
        "content": [
            {"type": "text", "text": "Let me look"},
            {"type": "tool_use", "id": "1", "name": "Bash", "input": {"command": "ls"}},
        ]
    },
}
AGENTS = {
    "told": python_agent(f"print({json.dumps(TOLD)!r})", dialect="claude"),
    "working": WORKING,
    "steps": python_agent(
        "for n in range(6):\n    print(f'step {n}')\n    time.sleep(0.3)\nsys.exit(4)"
    ),
    "waiting": python_agent("for line in sys.stdin: print('heard', line)", input=True),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("replay"), AGENTS) as running:
        yield running


@pytest.fixture(scope="module")
def working(server: Server) -> str:
    return worked(server)


@pytest.fixture(scope="module")
def steps(server: Server) -> str:
    session_id = server.invoke("steps", "Go")
    server.wait_until_ended(session_id)
    return session_id


@pytest.fixture
def replay(page: Page, server: Server) -> SessionPage:
    return SessionPage(page, server.url)


def test_ended_session_shows_how_it_ended(replay: SessionPage, working: str) -> None:
    replay.open(working)
    expect(replay.title).to_have_text("Make the tests pass")
    expect(replay.end).to_contain_text("exit code 0")
    expect(replay.cards).to_have_count(12)
    expect(replay.play).to_have_text("Play from the start")
    for kind in ("stdout", "stderr", "tools", "errors"):
        expect(replay.tab.locator(f"[data-{kind}-path]")).to_have_attribute("d", re.compile("^M"))


def test_replay_plays_from_the_start_to_the_end(replay: SessionPage, steps: str) -> None:
    replay.open(steps)
    expect(replay.end).to_contain_text("exit code 4")
    replay.play.click()
    expect(replay.shown).to_contain_text("step 0")
    expect(replay.shown).not_to_contain_text("step 5")
    expect(replay.play).to_have_text("Pause")
    expect(replay.end).to_contain_text("exit code 4")
    expect(replay.shown).to_contain_text("step 5")
    expect(replay.play).to_have_text("Play from the start")


def test_replay_pauses_where_it_is_and_goes_on_from_there(replay: SessionPage, steps: str) -> None:
    replay.open(steps)
    expect(replay.end).to_be_visible()
    replay.tab.get_by_label("Speed").select_option("0.5")
    replay.play.click()
    expect(replay.shown).to_contain_text("step 1")
    replay.play.click()
    expect(replay.play).to_have_text("Play")
    expect(replay.tab).to_have_url(re.compile(r"\?at=\d+$"))
    expect(replay.end).to_be_hidden()
    replay.tab.get_by_label("Speed").select_option("16")
    replay.play.click()
    expect(replay.end).to_contain_text("exit code 4")
    assert replay.shown.locator(".row.output").all_inner_texts() == [
        "\n".join(f"step {n}" for n in range(6))
    ]
    replay.scrub(0.1)
    replay.tab.get_by_label("Speed").select_option("Infinity")
    replay.play.click()
    expect(replay.end).to_contain_text("exit code 4")


def test_timeline_is_scrubbed_by_pointer_and_by_keyboard(replay: SessionPage, steps: str) -> None:
    replay.open(steps)
    expect(replay.end).to_be_visible()
    expect(replay.elapsed).not_to_have_text("0:00.0")
    replay.slider.hover()
    expect(replay.tab.locator("[data-hover]")).to_have_text(re.compile(r"^0:00\.[89]|0:01\.0"))
    replay.scrub(0.5)
    expect(replay.shown).to_contain_text("step 1")
    expect(replay.shown).not_to_contain_text("step 5")
    expect(replay.end).to_be_hidden()
    replay.slider.press("End")
    expect(replay.end).to_contain_text("exit code 4")
    replay.slider.press("Home")
    expect(replay.shown).not_to_contain_text("step 1")
    expect(replay.elapsed).to_have_text("0:00.0")
    for _ in range(3):
        replay.slider.press("PageUp")
    expect(replay.shown).to_contain_text("step 0")
    expect(replay.slider).to_have_attribute("aria-valuetext", re.compile(r"^0:00\.[45] of 0:01\."))


def test_jumps_lead_to_each_error_and_tool_call(replay: SessionPage, working: str) -> None:
    replay.open(working)
    expect(replay.end).to_be_visible()
    replay.tab.get_by_role("button", name="Last error before").click()
    expect(replay.shown).to_contain_text("a slow test")
    expect(replay.cards).to_have_count(9)
    replay.tab.get_by_role("button", name="Last error before").click()
    expect(replay.cards).to_have_count(6)
    expect(replay.cards.last).to_contain_text("Failed")
    replay.tab.get_by_role("button", name="Next tool call").click()
    expect(replay.cards).to_have_count(7)
    replay.slider.press("Home")
    expect(replay.cards).to_have_count(0)
    replay.tab.get_by_role("button", name="Last error before").click()
    expect(replay.said).to_have_text("No earlier error")
    replay.slider.press("t")
    expect(replay.cards).to_have_count(1)


@pytest.mark.parametrize("kind", ["id", "time"])
def test_link_opens_at_its_moment(
    replay: SessionPage, server: Server, steps: str, kind: str
) -> None:
    events = HTTP.get(f"{server.url}/api/sessions/{steps}/events").json()["events"]
    third = next(event for event in events if event["data"] == {"content": "step 2"})
    replay.open(steps, f"?at={third[kind]}")
    expect(replay.shown).to_contain_text("step 2")
    expect(replay.shown).not_to_contain_text("step 3")
    expect(replay.current_line).to_contain_text("step 2")
    expect(replay.play).to_have_text("Play")


def test_moment_inside_of_a_record_can_be_shown(replay: SessionPage, server: Server) -> None:
    session_id = server.invoke("told")
    server.wait_until_ended(session_id)
    events = HTTP.get(f"{server.url}/api/sessions/{session_id}/events").json()["events"]
    inner = next(event["id"] for event in events if "." in event["id"])
    replay.open(session_id, f"?at={inner}")
    expect(replay.shown).to_contain_text("Let me look")
    expect(replay.cards).to_have_count(0)
    expect(replay.current_line).to_contain_text("tool_use")
    replay.tab.get_by_role("button", name="Next tool call").click()
    expect(replay.cards).to_have_count(1)


def test_raw_log_is_beside_and_leads_to_its_moments(
    replay: SessionPage, server: Server, steps: str
) -> None:
    replay.open(steps)
    expect(replay.current_line).to_contain_text('{"type":"done"')
    lines = server.log_path(steps).read_text().splitlines()
    expect(replay.log_lines).to_have_count(len(lines))
    replay.log_lines.filter(has_text="step 3").click()
    expect(replay.current_line).to_contain_text("step 3")
    expect(replay.shown).to_contain_text("step 3")
    expect(replay.shown).not_to_contain_text("step 4")


def test_facts_stand_beside_each_to_copy(replay: SessionPage, steps: str) -> None:
    replay.open(steps)
    replay.tab_of("Facts").click()
    expect(replay.facts.filter(has_text=re.compile(r"^\s*Session"))).to_contain_text(steps)
    expect(replay.facts.filter(has_text="Exit code").get_by_role("button")).to_be_visible()
    expect(replay.log_lines.first).to_be_hidden()
    replay.tab_of("Facts").press("ArrowLeft")
    expect(replay.log_lines.first).to_be_visible()


def test_live_session_is_followed_paused_and_stopped(replay: SessionPage, server: Server) -> None:
    session_id = server.invoke("waiting", "one")
    replay.open(session_id)
    expect(replay.follow).to_have_attribute("aria-pressed", "true")
    server.call("session.sendInput", {"sessionId": session_id, "content": "two"})
    expect(replay.shown).to_contain_text("heard two")
    replay.play.click()
    server.call("session.sendInput", {"sessionId": session_id, "content": "three"})
    expect(replay.follow).to_have_attribute("aria-pressed", "false")
    replay.follow.click()
    expect(replay.shown).to_contain_text("heard three")
    replay.tab.get_by_role("button", name="Stop").click()
    expect(replay.end).to_contain_text("Cancelled")
    expect(replay.follow).to_be_hidden()


def test_long_session_is_scrubbed_to_any_point(replay: SessionPage, server: Server) -> None:
    session_id = add_finished(server, 1)
    replay.open(session_id)
    expect(replay.end).to_be_visible()
    expect(replay.elapsed).to_have_text("0:10.0")
    replay.scrub(0.5)
    expect(replay.shown).to_contain_text(re.compile(r"step (49|50)\d\d9 of the work"))
    expect(replay.current_line).to_contain_text(re.compile(r"step (49|50)\d\d\d of the work"))
    assert replay.log_lines.count() < 2_000
    replay.tab.locator("[data-log-scroller]").evaluate("e => e.scrollTo(0, 0)")
    expect(replay.log_lines.first).not_to_be_in_viewport()


def test_unknown_session_is_a_page_of_its_own(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/sessions/session-1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_nothing_is_wider_than_a_phone(replay: SessionPage, working: str) -> None:
    replay.tab.set_viewport_size({"width": 360, "height": 740})
    replay.open(working)
    expect(replay.end).to_be_visible()
    for name in ("Raw log", "Facts", "Replay"):
        replay.tab_of(name).click()
        assert replay.tab.evaluate(BEYOND_THE_EDGE) == []
        assert replay.tab.evaluate("document.documentElement.scrollWidth") == 360
