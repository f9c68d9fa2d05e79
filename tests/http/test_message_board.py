"""Histories that are followed while other processes add to them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server import wait_for
from tests.store.fresh_var import make_var
from webapp.http import message_board
from webapp.http.message_board import HistoryPlace, MessageBoard
from webapp.store import progress, workflows
from webapp.store.engine import Database, open_migrated
from webapp.stream.watch import Watch

PING_SECONDS = 60.0


class Follower:
    """Collects what a board tells, in a thread."""

    def __init__(self, board: MessageBoard, place: HistoryPlace, ping_seconds: float) -> None:
        self.heard: list[str | None] = []
        self._followed = board.follow(place, ping_seconds)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        for message in self._followed:
            self.heard.append(None if message is None else str(message["content"]))


class Desk:
    """A board, and a second process's way to the same database."""

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

    def follow(self, last_id: object = "", ping_seconds: float = PING_SECONDS) -> Follower:
        """Follow the workflow."""
        return Follower(self.board, HistoryPlace(self.workflow_id, str(last_id)), ping_seconds)


def _create(orm: object) -> str:
    return workflows.create_workflow(
        orm,  # type: ignore[arg-type]
        template="chat",
        request_id=None,
        initial_message=None,
    ).id


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose followers are gone at the end."""
    with open_desk(tmp_path) as opened:
        yield opened


@contextmanager
def open_desk(folder: Path) -> Iterator[Desk]:
    """A desk in a new `var` folder."""
    desk = Desk(make_var(folder))
    try:
        yield desk
    finally:
        desk.stopped = True
        wait_for(lambda: not _board_threads())
        desk.database.close()
        desk.elsewhere.close()


def _board_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "message-board"]


def test_follower_gets_what_is_there_and_what_comes(desk: Desk) -> None:
    desk.say("before")
    follower = desk.follow()
    wait_for(lambda: follower.heard == ["before"])
    for number in range(5):
        desk.say(str(number))
        wait_for(lambda n=number: follower.heard[-1] == str(n))  # type: ignore[misc]
    assert follower.heard == ["before", "0", "1", "2", "3", "4"]


def test_follower_goes_on_after_the_last_id(desk: Desk) -> None:
    ids = [desk.say(content) for content in "abc"]
    follower = desk.follow(ids[1])
    wait_for(lambda: follower.heard == ["c"])


@pytest.mark.parametrize("last_id", ["x", "-1", "99", "1.5", "9" * 40, "٣", "0"])
def test_id_that_is_none_begins_at_the_first_message(desk: Desk, last_id: str) -> None:
    desk.say("a")
    follower = desk.follow(last_id)
    wait_for(lambda: follower.heard == ["a"])


def test_id_of_another_workflow_begins_at_the_first_message(desk: Desk) -> None:
    desk.say("a")
    other = desk.elsewhere.write(_create)
    follower = desk.follow(desk.say("theirs", other))
    wait_for(lambda: follower.heard == ["a"])


def test_long_history_comes_whole(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_board, "PAGE", 3)
    contents = [str(number) for number in range(10)]
    for content in contents:
        desk.say(content)
    follower = desk.follow()
    wait_for(lambda: follower.heard == contents)


def test_silence_is_told_now_and_then(desk: Desk) -> None:
    follower = desk.follow(ping_seconds=0.05)
    wait_for(lambda: follower.heard[:2] == [None, None])
    desk.say("a")
    wait_for(lambda: "a" in follower.heard)


def test_follower_is_told_though_inotify_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for watch in (lambda *_arguments: None, _deaf_watch):
        monkeypatch.setattr(message_board, "watch_file", watch)
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        with open_desk(folder) as desk:
            follower = desk.follow()
            wait_for(lambda: len(_board_threads()) == 1)
            desk.say("a")
            wait_for(lambda f=follower: f.heard == ["a"])  # type: ignore[misc]


def _deaf_watch(_path: Path, _on_change: Callable[[], None]) -> Watch:
    return Watch(lambda: None)


def test_followers_end_when_the_worker_stops(desk: Desk) -> None:
    follower = desk.follow()
    wait_for(_board_threads)
    desk.stopped = True
    follower.thread.join(10)
    assert not follower.thread.is_alive()


def test_nothing_is_asked_when_nobody_follows(desk: Desk) -> None:
    follower = desk.board.follow(HistoryPlace(desk.workflow_id, ""), 0.01)
    assert next(follower) is None
    assert _board_threads()
    follower.close()  # type: ignore[attr-defined]
    wait_for(lambda: not _board_threads())
    later = desk.follow()
    desk.say("a")
    wait_for(lambda: later.heard == ["a"])


def test_no_database_session_is_held_while_a_follower_waits(desk: Desk) -> None:
    desk.say("a")
    follower = desk.board.follow(HistoryPlace(desk.workflow_id, ""), 0.01)
    assert next(follower) is not None
    assert _checked_out(desk.database) == 0
    assert next(follower) is None
    follower.close()  # type: ignore[attr-defined]


def _checked_out(database: Database) -> int:
    return int(database._reader.pool.checkedout())  # type: ignore[attr-defined]
