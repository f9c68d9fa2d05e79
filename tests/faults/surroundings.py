"""Faults that need the machine's help: small disks, processes of a session, rows."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pysqlite3
import pytest

from tests.server import HTTP, Server, wait_for
from tests.sessions.machine import processes_of

IN_CI = "CI" in os.environ
needs_root = pytest.mark.skipif(
    os.getuid() != 0 and not IN_CI, reason="mounts a file system or changes its user: needs root"
)


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[None]:
    """A tmpfs of this size, mounted on a folder."""
    place.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Filler:
    """A file that takes all the room of a disk, until it is removed."""

    def __init__(self, disk: Path) -> None:
        self.path = disk / "filler"

    def fill(self) -> None:
        """Leave no block free."""
        with open(self.path, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    def shrink(self, size: int) -> None:
        """Make room for so many bytes."""
        os.truncate(self.path, self.path.stat().st_size - size)

    def remove(self) -> None:
        """Make room."""
        self.path.unlink()


def row(server: Server, session_id: str) -> dict[str, Any]:
    """A session's row as the sqlite3 shell shows it: nobody is asked to look after it."""
    connection = pysqlite3.connect(f"file:{server.var}/agent-stream.db?mode=ro", uri=True)
    connection.row_factory = pysqlite3.Row
    try:
        found = connection.execute("SELECT * FROM sessions WHERE id = ?", (session_id,)).fetchone()
        return dict(found)
    finally:
        connection.close()


def row_count(server: Server) -> int:
    """How many sessions there are."""
    connection = pysqlite3.connect(f"file:{server.var}/agent-stream.db?mode=ro", uri=True)
    try:
        return int(connection.execute("SELECT count(*) FROM sessions").fetchone()[0])
    finally:
        connection.close()


def folders(server: Server) -> list[Path]:
    """The session folders on disk."""
    return list((server.var / "sessions").glob("*/*"))


def is_anything_left(session_id: str) -> bool:
    """Whether a process of this session still runs."""
    return bool(processes_of([session_id]))


def wait_for_all_workers(server: Server) -> None:
    """Until each worker has answered: one that still begins takes no viewers, and more files."""
    answered: set[int] = set()

    def have_all() -> bool:
        with contextlib.suppress(httpx.TransportError):
            answer = HTTP.get(server.url + "/healthz", headers={"Connection": "close"})
            answered.add(int(answer.headers["X-Worker-Pid"]))
        return answered >= server.worker_pids()

    wait_for(have_all)
