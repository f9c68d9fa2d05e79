"""The lines of the topic on replaying a session."""

import json
import os
import subprocess

from tests.docs.blocks import read_blocks
from tests.server import Server


def run(server: Server, line: str, session_id: str) -> str:
    """What a line prints; at this server and on this session."""
    return subprocess.run(
        ["sh", "-ec", line.replace("http://127.0.0.1:8000", server.url)],
        env={**os.environ, "SESSION": session_id},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout


def test_lines_show_a_moment_and_play_from_it(server: Server) -> None:
    (block,) = [block for block in read_blocks() if block.topic == "replay"]
    moment, replay, _command = block.text.splitlines()
    session_id = server.invoke("demo", "count 3")
    server.wait_until_ended(session_id)
    day = server.session(session_id)["createdAt"][:10]

    def of_today(line: str) -> str:
        return line.replace("2026-11-23T21:04:00Z", f"{day}T00:00:00Z")

    assert json.loads(run(server, of_today(moment), session_id))["events"] == []
    late = moment.replace("2026-11-23T21:04:00Z", "2100-01-01T00:00:00Z")
    assert json.loads(run(server, late, session_id))["events"][0]["event"] == "done"
    played = run(server, of_today(replay), session_id)
    assert played.count("event: message") == 3
    assert "event: done" in played
