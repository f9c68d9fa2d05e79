"""One process beside the workers indexes, compresses and deletes; a real server."""

import os
import signal
from pathlib import Path

import httpx

from tests.server import HTTP, Server, python_agent, running_server, wait_for
from webapp.keeper.lock import KeeperLock

AGENTS = {"say": python_agent("print('needle'); print('line\\n' * 2000)")}
INSTANT_DAYS = "0.000001"


def keepers(server: Server) -> list[int]:
    """The keepers that work for a server's folder."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        is_ours = f"AGENT_STREAM_VAR={server.var}".encode() in environment
        if b"webapp.keeper" in command and is_ours:
            found.append(int(process.name))
    return found


def the_keeper(server: Server) -> int:
    """The only one, once there is one."""
    return wait_for(lambda: keepers(server) if len(keepers(server)) == 1 else [])[0]


def stream(server: Server, session_id: str, offset: int) -> bytes:
    """A stream after its prelude."""
    url = f"{server.url}/api/agent-stream?sessionId={session_id}&offset={offset}"
    return HTTP.get(url).content.partition(b"\n")[2]


def search(server: Server) -> httpx.Response:
    """What is found of the needle."""
    return HTTP.get(f"{server.url}/api/search?q=needle").raise_for_status()


def test_session_is_found_compressed_and_streamed_as_before(folder: Path) -> None:
    with running_server(folder, AGENTS, AGENT_STREAM_COMPRESS_AFTER_DAYS=INSTANT_DAYS) as server:
        session_id = server.invoke("say")
        server.wait_until_ended(session_id)
        log = server.var / "sessions" / server.session(session_id)["logPath"].split("/", 1)[1]
        ids = [0, log.read_bytes().find(b"\n") + 1, 5000, log.stat().st_size - 9]
        before = [stream(server, session_id, offset) for offset in ids]
        keeper = the_keeper(server)
        wait_for(lambda: search(server).json()["results"])
        wait_for(lambda: server.session(session_id)["logPath"].endswith(".zst"))
        assert not log.exists()
        assert [stream(server, session_id, offset) for offset in ids] == before

        os.kill(keeper, signal.SIGKILL)
        wait_for(lambda: keeper not in keepers(server))
        the_keeper(server)
    wait_for(lambda: not keepers(server))
    lock = KeeperLock(server.var)
    assert lock.acquire()
    lock.release()


def test_server_deletes_what_is_too_old(folder: Path) -> None:
    with running_server(folder, AGENTS, AGENT_STREAM_DELETE_AFTER_DAYS=INSTANT_DAYS) as server:
        session_id = server.invoke("say")
        server.wait_until_ended(session_id)
        wait_for(lambda: "logDeletedAt" in server.session(session_id))
        assert b"was deleted at" in stream(server, session_id, 0)
        assert search(server).json()["results"] == []
        live = HTTP.get(f"{server.url}/readyz")
        assert live.status_code == 200


def test_server_without_anything_to_keep_has_no_keeper(folder: Path) -> None:
    off = {"search": False, "compress_after_days": 0}
    with running_server(folder, AGENTS, settings=off) as server:
        answer = HTTP.get(f"{server.url}/api/search?q=needle")
        assert answer.status_code == 503
        assert not (server.var / "keeper.lock").exists()
