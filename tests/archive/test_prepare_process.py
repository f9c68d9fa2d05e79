"""The keeper of a real server prepares frames, and a killed one leaves nothing that is served."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.archive.prepare import LEAST_LOG_BYTES
from webapp.stream.kept_folder import NEVER_USED_NS, PART_SUFFIX, folder_in

WIDE = "x" * 10_000
"""Of lines that take the agent and the encoder little time."""


def agent(log_bytes: int) -> dict[str, object]:
    """A profile: its log takes about so much."""
    lines = log_bytes // len(WIDE)
    return python_agent(f"for n in range({lines}): print(n, 'x' * {len(WIDE)})")


HUGE_LINES = (100 << 20) // len(WIDE)
AGENTS = {
    "large": agent(LEAST_LOG_BYTES + (1 << 20)),
    "small": agent(LEAST_LOG_BYTES - (1 << 20)),
    "huge": agent(100 << 20),
}


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """Nothing else is to be done there."""
    off = {"search": False, "compress_after_days": 0}
    with running_server(folder, AGENTS, settings=off) as running:
        yield running


def run(server: Server, name: str) -> str:
    """A session of this agent, once it has ended."""
    session_id = server.invoke(name)
    server.wait_until_ended(session_id)
    return session_id


def files(server: Server, session_id: str) -> list[Path]:
    """What is kept of a session, parts included."""
    return list(folder_in(server.var).glob(f"{session_id}.*"))


def whole(server: Server, session_id: str) -> Path | None:
    """Its kept frames, once they have their name."""
    found = [path for path in files(server, session_id) if path.suffix != PART_SUFFIX]
    return found[0] if found else None


def replay(server: Server, session_id: str) -> bytes:
    """Its stream, after the prelude."""
    answer = HTTP.get(f"{server.url}/api/agent-stream?sessionId={session_id}").raise_for_status()
    return answer.content.partition(b"\n\n")[2]


def test_large_session_is_prepared_and_a_small_one_is_not(server: Server) -> None:
    small, large = run(server, "small"), run(server, "large")
    path = wait_for(lambda: whole(server, large))
    assert path is not None
    assert path.stat().st_mtime_ns == NEVER_USED_NS
    assert files(server, small) == []
    frames = path.read_bytes()
    first = replay(server, large)
    assert frames.startswith(first)
    assert len(frames) - len(first) < 100
    assert path.stat().st_mtime_ns != NEVER_USED_NS  # it was sent from there
    path.unlink()
    assert replay(server, large) == first


def keeper_of(part: Path) -> int:
    """The pid of the keeper that writes it, from its name."""
    return int(part.name.split(".")[-2].split("-")[0])


def part_in_the_making(server: Server, session_id: str) -> Path:
    """A file that the keeper is just writing."""
    found = wait_for(lambda: [path for path in files(server, session_id) if _has_begun(path)])
    return found[0]


def _has_begun(path: Path) -> bool:
    try:
        return path.suffix == PART_SUFFIX and path.stat().st_size > 0
    except FileNotFoundError:
        return False


def test_keeper_that_is_killed_in_the_middle_leaves_nothing_that_is_served(
    server: Server,
) -> None:
    huge = run(server, "huge")
    part = part_in_the_making(server, huge)
    os.kill(keeper_of(part), signal.SIGKILL)
    assert whole(server, huge) is None
    first = replay(server, huge)
    assert first.count(b"\n\n") == HUGE_LINES + 2
    path = wait_for(lambda: whole(server, huge))
    assert path is not None
    assert path.read_bytes().startswith(first)
    assert part.exists()


def test_keeper_that_is_let_go_in_the_middle_leaves_nothing(server: Server) -> None:
    huge = run(server, "huge")
    keeper = keeper_of(part_in_the_making(server, huge))
    os.kill(keeper, signal.SIGSTOP)  # else it could be done before the worker's end
    try:
        assert whole(server, huge) is None
        server.stop()
    finally:
        os.kill(keeper, signal.SIGCONT)
    wait_for(lambda: not files(server, huge))
