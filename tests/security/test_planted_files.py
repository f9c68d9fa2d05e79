"""Links and FIFOs that an agent puts anywhere in a session's path: refused, and in nobody's way.

Each test plants one in the path of one session, and then has the server, its keeper and the
commands work on all of them. A FIFO that was opened as a file is would block for ever.
"""

import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.command import run
from tests.search.stored_sessions import StoredSessions, open_stored
from tests.server import HTTP, Server, python_agent, running_server, wait_for
from tests.sessions.machine import machine
from tests.store.rows import execute, rows
from webapp.errors import ServiceUnavailable
from webapp.keeper.retention import Limits, choose, compress_old, delete_log
from webapp.log.compressed import ENTRY, FOOTER, HEADER, SEEKABLE_MAGIC, SKIPPABLE_MAGIC
from webapp.log.opened import PlainLog
from webapp.log.seek import find_time
from webapp.log.timeline import read_timeline
from webapp.sessions.rebuild import rebuild
from webapp.sessions.reconcile import reconcile_all

SECRET = b"2026-11-23T21:04:00.123456789Z stdout F planted not-for-everybody\n"
AGENTS = {
    "hello": python_agent("print('hello planted')"),
    "forever": python_agent("print('up')\nwhile True: time.sleep(1)"),
}
LATER = "2100-01-01T00:00:00.000Z"
PATIENCE_SECONDS = 30.0
DAY = 86_400

Plant = Callable[[Path, Path], None]


def link(place: Path, elsewhere: Path) -> None:
    """A symbolic link to something of the same kind."""
    is_folder = place.is_dir()
    if is_folder:
        place.rename(elsewhere / place.name)
        place.symlink_to(elsewhere / place.name)
    else:
        place.unlink(missing_ok=True)
        (elsewhere / "secret").write_bytes(SECRET)
        place.symlink_to(elsewhere / "secret")


def fifo(place: Path, _elsewhere: Path) -> None:
    """A FIFO."""
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    os.mkfifo(place)


def unix_socket(place: Path, _elsewhere: Path) -> None:
    """A socket on which nobody answers."""
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    folder = os.open(place.parent, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(f"/proc/self/fd/{folder}/{place.name}")
    os.close(folder)


def hole(place: Path, _elsewhere: Path) -> None:
    """A log that its agent has made longer than any disk."""
    os.truncate(place, 1 << 40)


def table_of_a_hole(place: Path, _elsewhere: Path) -> None:
    """A compressed log with more frames than there is memory for."""
    count = 100_000_000
    size = HEADER.size + count * ENTRY.size + FOOTER.size
    place.unlink()
    with open(place.with_name("output.log.zst"), "wb") as log:
        log.write(HEADER.pack(SKIPPABLE_MAGIC, size - HEADER.size))
        log.truncate(size)
        log.seek(size - FOOTER.size)
        log.write(FOOTER.pack(count, 0, SEEKABLE_MAGIC))


PLANTS = pytest.mark.parametrize("plant", [link, fifo, unix_socket])
PLACES = ("output.log", "output.log.zst", "run.json", "control.sock")


def spoil(directory: Path, place: str, plant: Plant, elsewhere: Path) -> None:
    """Put something else in a place of a session's path; `.` is its folder, `..` its day's."""
    if place == "output.log.zst":
        (directory / "output.log").unlink(missing_ok=True)
    plant({"..": directory.parent, ".": directory}.get(place, directory / place), elsewhere)


def in_time(work: Callable[[], None]) -> None:
    """Fail, and do not hang, where the work waits for a FIFO."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive(), "it waits for what was planted"
    if errors:
        raise errors[0]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredSessions]:
    with open_stored(tmp_path) as opened:
        yield opened


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@PLANTS
@pytest.mark.parametrize("place", ["..", ".", *PLACES])
@pytest.mark.parametrize("status", ["succeeded", "running"])
def test_keeper_goes_on_for_the_other_sessions(
    stored: StoredSessions, elsewhere: Path, place: str, plant: Plant, status: str
) -> None:
    good = [stored.add("planted"), stored.add("planted")]
    stored.count += 2 * DAY
    bad = stored.add("planted", status=status)
    stored.count += 2 * DAY
    good.append(stored.add("planted"))
    spoil(stored.files(bad).directory, place, plant, elsewhere)
    before = {path: path.read_bytes() for path in elsewhere.rglob("*") if path.is_file()}

    def work() -> None:
        reconcile_all(stored.database, stored.var)
        stored.fill()
        assert set(stored.sessions("planted")) >= set(good)
        assert stored.sessions("everybody") == []
        for _saved in compress_old(stored.database, stored.var, LATER):
            pass
        for log in choose(stored.database, Limits(all_but_kept=True)):
            delete_log(stored.database, stored.var, log.session_id)

    in_time(work)
    assert not any(stored.files(session_id).directory.exists() for session_id in good)
    assert {path: path.read_bytes() for path in before} == before


@PLANTS
@pytest.mark.parametrize("place", ["..", ".", *PLACES])
def test_rebuild_goes_on_for_the_other_sessions(
    stored: StoredSessions, elsewhere: Path, place: str, plant: Plant
) -> None:
    good = stored.add("planted")
    stored.count += 2 * DAY
    bad = stored.add("planted")
    for session_id in (good, bad):
        stored.files(session_id).log.write_bytes(b"")
        spec = (
            f'{{"sessionId":"{session_id}","workflowId":"{stored.workflow_id}","stageIndex":0,'
            '"agent":"demo","argv":["x"],"host":"here"}'
        )
        (stored.files(session_id).directory / "run.json").write_text(spec)
    spoil(stored.files(bad).directory, place, plant, elsewhere)
    execute(stored.database, "DELETE FROM sessions")
    in_time(lambda: _is_found(stored, good))


def _is_found(stored: StoredSessions, session_id: str) -> None:
    rebuild(stored.database, stored.var)
    found = [row["id"] for row in rows(stored.database, "SELECT id FROM sessions")]
    assert session_id in found


@PLANTS
def test_no_session_is_made_through_what_is_planted(
    tmp_path: Path, elsewhere: Path, plant: Plant
) -> None:
    with machine(tmp_path, ("true",)) as started:
        session = started.wait_until_gone(started.invoke())
        day = started.files(session).directory.parent
        spoil(started.files(session).directory, "..", plant, elsewhere)
        before = sorted(elsewhere.rglob("*"))
        with pytest.raises(ServiceUnavailable):
            started.invoke()
        assert sorted(elsewhere.rglob("*")) == before
        day.unlink()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("planted"), AGENTS) as started:
        yield started


@PLANTS
@pytest.mark.parametrize("place", [".", *PLACES])
def test_workers_answer_for_it_and_for_others(
    server: Server, tmp_path: Path, place: str, plant: Plant
) -> None:
    bad, good = server.invoke("hello"), server.invoke("hello")
    for session_id in (bad, good):
        server.wait_until_ended(session_id)
        wait_for((server.log_path(session_id).parent / "run.json").exists)
    spoil(server.log_path(bad).parent, place, plant, tmp_path)

    for path in (
        f"/api/sessions/{bad}",
        f"/api/sessions/{bad}/log",
        f"/api/sessions/{bad}/log?stream=stdout",
        f"/api/sessions/{bad}/events",
        f"/api/sessions/{bad}/timeline",
        f"/sessions/{bad}",
    ):
        answer = HTTP.get(server.url + path, timeout=PATIENCE_SECONDS)
        assert answer.status_code < 500, path
        assert "not-for-everybody" not in answer.text, path
    assert HTTP.get(f"{server.url}/api/sessions?limit=500").status_code == 200
    assert "hello" in HTTP.get(f"{server.url}/api/sessions/{good}/log").text


@pytest.mark.parametrize("plant", [hole, table_of_a_hole])
def test_log_that_an_agent_has_made_longer_costs_little(
    server: Server, tmp_path: Path, plant: Plant
) -> None:
    session_id = server.invoke("hello")
    server.wait_until_ended(session_id)
    plant(server.log_path(session_id), tmp_path)
    workers = server.worker_pids()
    before = peak_mb(workers)

    api = f"{server.url}/api/sessions/{session_id}"
    for url in (
        api,
        f"{api}/log?stream=stdout",
        f"{api}/events",
        f"{api}/events?order=desc",
        f"{api}/events?order=desc&at=2100-01-01T00:00:00Z",
        f"{api}/timeline",
        f"{api}/moments?kind=error",
        f"{server.url}/api/agent-stream?sessionId={session_id}&tail=3",
    ):
        try:
            answer = HTTP.get(url, timeout=PATIENCE_SECONDS)
        except httpx.RemoteProtocolError:
            continue  # a body that breaks off
        assert answer.status_code < 500, url
    assert server.worker_pids() == workers
    assert peak_mb(workers) < before + 500  # each may read records of 64 MB


def peak_mb(pids: set[int]) -> int:
    """The most memory that each of these processes has had, together: proc(5)."""
    status = "".join(Path(f"/proc/{pid}/status").read_text() for pid in pids)
    return sum(int(kb) for kb in re.findall(r"VmHWM:\s*(\d+) kB", status)) // 1024


@PLANTS
def test_request_to_a_runner_goes_to_no_other_socket(
    server: Server, tmp_path: Path, plant: Plant
) -> None:
    bad, good = server.invoke("forever"), server.invoke("forever")
    for session_id in (bad, good):
        wait_for(lambda s=session_id: server.session(s)["status"] == "running")  # type: ignore[misc]
    place = server.log_path(bad).parent / "control.sock"
    runner = place.rename(place.with_name("runner.sock"))
    if plant is link:
        place.symlink_to(server.log_path(good).parent / "control.sock")
    else:
        plant(place, tmp_path)
    answer = HTTP.post(f"{server.url}/api/sessions/{bad}/cancel", json={}, timeout=20)
    assert answer.status_code in (503, 409)
    assert server.session(good)["status"] == "running"
    place.unlink()
    runner.rename(place)


@pytest.mark.parametrize("place", ["output.log", "run.json"])
def test_commands_do_not_wait_for_it(server: Server, tmp_path: Path, place: str) -> None:
    bad = server.invoke("hello")
    server.wait_until_ended(bad)
    wait_for((server.log_path(bad).parent / "run.json").exists)
    spoil(server.log_path(bad).parent, place, fifo, tmp_path)
    for command in (("export", bad, "--format", "jsonl"), ("show", bad), ("ls",)):
        assert "Traceback" not in run(server, *command).stderr


class CountedLog(PlainLog):
    """A log that counts how often it is read."""

    reads = 0

    def read(self, count: int, offset: int) -> bytes:
        self.reads += 1
        return super().read(count, offset)


@pytest.mark.parametrize(
    "search",
    [
        lambda log: read_timeline(log, 10),
        lambda log: find_time(log, b"2100-01-01T00:00:00.000000000Z"),
    ],
)
def test_lines_without_a_time_are_not_all_looked_at(
    tmp_path: Path, search: Callable[[CountedLog], object]
) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(SECRET + b"\n" * 100_000)
    log = CountedLog(os.open(path, os.O_RDONLY))
    search(log)
    log.close()
    assert log.reads < 50_000
