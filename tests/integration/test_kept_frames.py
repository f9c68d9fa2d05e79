"""A long session that has ended, replayed by several workers that share its kept frames."""

import stat
from pathlib import Path

import httpx

from tests.server import HTTP, Server, python_agent, running_server, wait_for

LINES = 15_000
AGENT = python_agent(f"for n in range({LINES}): print(f'line {{n}} {'x' * 40}')")


def replay(server: Server, session_id: str) -> tuple[str, str]:
    """The events of a session as bytes came, and the worker that sent them."""
    url = f"{server.url}/api/agent-stream?sessionId={session_id}"
    answer: httpx.Response = HTTP.get(url).raise_for_status()
    return answer.text.partition("\n\n")[2], answer.headers["X-Worker-Pid"]


def whole_file(server: Server) -> Path | None:
    """The one file of kept frames, once it has its name."""
    found = list((server.var / "cache" / "frames").glob("*"))
    return found[0] if len(found) == 1 and found[0].suffix != ".part" else None


def test_each_worker_tells_the_same_from_what_one_has_kept(folder: Path) -> None:
    with running_server(folder, {"long": AGENT}, workers=2) as server:
        session_id = server.invoke("long")
        server.wait_until_ended(session_id)
        first, _worker = replay(server, session_id)
        path = wait_for(lambda: whole_file(server))
        seen: dict[str, str] = {}

        def both_have_told() -> bool:
            body, worker = replay(server, session_id)
            seen[worker] = body
            return len(seen) == 2

        wait_for(both_have_told)
        assert path is not None
        assert set(seen.values()) == {first}
        assert first.count("\n\n") == LINES + 2
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.unlink()
        assert replay(server, session_id)[0] == first


def test_nothing_is_kept_where_that_is_switched_off(folder: Path) -> None:
    off = {"frame_cache_bytes": 0}
    with running_server(folder, {"long": AGENT}, workers=1, settings=off) as server:
        session_id = server.invoke("long")
        server.wait_until_ended(session_id)
        assert replay(server, session_id)[0] == replay(server, session_id)[0]
        assert not (server.var / "cache").exists()
