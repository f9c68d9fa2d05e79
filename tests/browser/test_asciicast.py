"""asciicast v3 in the web player of those who made the format: no program on PyPI plays it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.cli.command import run
from tests.server import ROOT

pytestmark = pytest.mark.browser

PLAYER = ROOT / "tests/node_modules/asciinema-player/dist/bundle"
PLAY = """
(cast) => new Promise((resolve) => {
  const player = AsciinemaPlayer.create(
    { data: cast }, document.getElementById("player"), { autoPlay: true, speed: 20 });
  player.addEventListener("ended", resolve);
})
"""
AGENT = (
    "echo out; echo warning >&2; sleep 0.4; "
    """echo '{"type":"tool_call","name":"read","args":{"path":"a.py"}}'; exit 3"""
)


def test_the_web_player_plays_version_3(page: Page, tmp_path: Path) -> None:
    run(tmp_path, "run", "--", "sh", "-c", AGENT)
    cast = run(tmp_path, "export", "last", "--format", "asciicast").stdout
    page.set_content("<!doctype html><title>player</title><div id=player></div>")
    page.add_style_tag(path=PLAYER / "asciinema-player.css")
    page.add_script_tag(path=PLAYER / "asciinema-player.min.js")
    page.evaluate(PLAY, cast)
    screen = page.locator(".ap-term-text")

    for line in ("out", "! warning", "-> read path: a.py", "-- done: failed, exit code 3"):
        expect(screen).to_contain_text(line)
    expect(page.locator(".ap-marker")).to_have_count(1)
