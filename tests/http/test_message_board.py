"""Histories that are followed while other processes add to them."""

import errno
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.server import wait_for
from tests.store.fresh_var import make_var
from webapp.http.message_board import MessageBoard
from webapp.store import progress, workflows
from webapp.store.engine import Database, open_migrated

PING_SECONDS = 60.0


class Follower:
    """Collects the messages of a workflow, in a thread."""

    def __init__(
        self, board: MessageBoard, workflow_id: str, after: str, ping_seconds: float
    ) -> None:
        self.received: list[str | None] = []
        self._followed = board.follow(workflow_id, after, ping_seconds)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for message in self._followed:
            self.received.append(None if message is None else str(message["content"]))


class TwoWorkers:
    """A board, and another connection to the same database, as another worker has it."""

    def __init__(self, var: Path) -> None:
        self.database, self.elsewhere = open_migrated(var), open_migrated(var)
        self.stopped = False
        self.board = MessageBoard(self.database, lambda: self.stopped)
        self.workflow_id = self.elsewhere.write(_create)

    def say(self, content: str, workflow_id: str | None = None) -> int:
        """Add a message in another process; its id."""
        return self.elsewhere.write(
            lambda orm: progress.say(orm, workflow_id or self.workflow_id, content, None).id
        )

    def follow(self, after: object = "", ping_seconds: float = PING_SECONDS) -> Follower:
        """Follow the workflow."""
        return Follower(self.board, self.workflow_id, str(after), ping_seconds)


def _create(orm: object) -> str:
    return workflows.create_workflow(
        orm,  # type: ignore[arg-type]
        template="chat",
        request_id=None,
        initial_message=None,
    ).id


@pytest.fixture
def two(tmp_path: Path) -> Iterator[TwoWorkers]:
    """One whose followers are gone at the end."""
    two = TwoWorkers(make_var(tmp_path))
    try:
        yield two
    finally:
        two.stopped = True
        wait_for(lambda: not _board_threads())
        two.database.close()
        two.elsewhere.close()


def _board_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "message-board"]


def test_follower_gets_what_is_there_and_what_comes(two: TwoWorkers) -> None:
    two.say("before")
    follower = two.follow()
    wait_for(lambda: follower.received == ["before"])
    for number in range(5):
        two.say(str(number))
        wait_for(lambda n=number: follower.received[-1] == str(n))  # type: ignore[misc]
    assert follower.received == ["before", "0", "1", "2", "3", "4"]


def test_follower_goes_on_after_the_last_id(two: TwoWorkers) -> None:
    ids = [two.say(content) for content in "abc"]
    follower = two.follow(ids[1])
    wait_for(lambda: follower.received == ["c"])


@pytest.mark.parametrize("last_id", ["x", "-1", "99", "1.5", "9" * 40, "٣", "0"])
def test_id_that_is_none_begins_at_the_first_message(two: TwoWorkers, last_id: str) -> None:
    two.say("a")
    follower = two.follow(last_id)
    wait_for(lambda: follower.received == ["a"])


def test_id_of_another_workflow_begins_at_the_first_message(two: TwoWorkers) -> None:
    two.say("a")
    other = two.elsewhere.write(_create)
    follower = two.follow(two.say("theirs", other))
    wait_for(lambda: follower.received == ["a"])


def test_long_history_comes_whole(two: TwoWorkers) -> None:
    contents = [str(number) for number in range(250)]
    two.elsewhere.write(lambda orm: [progress.say(orm, two.workflow_id, c, None) for c in contents])
    follower = two.follow()
    wait_for(lambda: follower.received == contents)


def test_silence_is_a_ping_now_and_then(two: TwoWorkers) -> None:
    follower = two.follow(ping_seconds=0.05)
    wait_for(lambda: follower.received[:2] == [None, None])
    two.say("a")
    wait_for(lambda: "a" in follower.received)


def test_message_is_there_within_a_tenth_of_a_second(two: TwoWorkers) -> None:
    follower = two.follow()
    two.say("first")
    wait_for(lambda: follower.received == ["first"])
    delays = []
    for number in range(11):
        began_at = time.monotonic()
        two.say(str(number))
        wait_for(lambda n=number: follower.received[-1] == str(n))  # type: ignore[misc]
        delays.append(time.monotonic() - began_at)
    assert sorted(delays)[5] < 0.1  # the median, for a machine that is busy


def test_follower_gets_what_this_worker_adds(two: TwoWorkers) -> None:
    follower = two.follow()
    two.database.write(lambda orm: progress.say(orm, two.workflow_id, "ours", None))
    wait_for(lambda: follower.received == ["ours"])


class OutOfFiles(Database):
    """A database that cannot open one more connection as long as `is_broken`."""

    is_broken = True

    def connect(self) -> Any:
        if self.is_broken:
            raise OSError(errno.EMFILE, "Too many open files")
        return super().connect()


def test_followers_go_on_after_the_database_could_not_be_asked(
    two: TwoWorkers, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(OutOfFiles(two.database.path)) as database:
        two.board = MessageBoard(database, lambda: two.stopped)
        follower = two.follow()
        wait_for(lambda: "Too many open files" in caplog.text)
        database.is_broken = False
        for text in ("a", "b"):
            two.say(text)
            wait_for(lambda text=text: follower.received[-1:] == [text])  # type: ignore[misc]
        two.stopped = True
        follower.thread.join(10)


def test_followers_end_when_the_worker_stops(two: TwoWorkers) -> None:
    follower = two.follow()
    wait_for(_board_threads)
    two.stopped = True
    follower.thread.join(10)
    assert not follower.thread.is_alive()


def test_nothing_is_asked_when_nobody_follows(two: TwoWorkers) -> None:
    follower = two.board.follow(two.workflow_id, "", 0.01)
    assert next(follower) is None
    assert _board_threads()
    follower.close()  # type: ignore[attr-defined]
    wait_for(lambda: not _board_threads())
    later = two.follow()
    two.say("a")
    wait_for(lambda: later.received == ["a"])


def test_follower_who_waits_holds_no_snapshot_of_the_database(two: TwoWorkers) -> None:
    """One that is held keeps the WAL from being cut: https://sqlite.org/wal.html#ckpt"""
    follower = two.follow()
    two.say("a")
    wait_for(lambda: follower.received == ["a"])
    with two.elsewhere.read() as orm:
        connection: Any = orm.connection().connection.dbapi_connection
        connection.execute("COMMIT")

        def is_cut() -> bool:
            (row,) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return bool(row == (0, 0, 0))

        wait_for(is_cut)
