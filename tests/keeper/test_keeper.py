"""The keeper works alone, goes on after an error, and ends with its leash."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.search.stored_sessions import StoredSessions
from webapp.errors import ServiceUnavailable
from webapp.keeper import process as keeper
from webapp.keeper import retention
from webapp.keeper.lock import KeeperLock
from webapp.keeper.process import Leash, Over, keep
from webapp.keeper.retention import Limits
from webapp.settings import Settings
from webapp.store.ended_logs import EndedLog
from webapp.store.engine import Database

Steps = Iterator[object]


@pytest.fixture
def leash() -> Iterator[tuple[Leash, Callable[[], None]]]:
    """A leash, and how to let go of it."""
    read_fd, write_fd = os.pipe()
    open_fds = [write_fd]

    def let_go() -> None:
        while open_fds:
            os.close(open_fds.pop())

    yield Leash(read_fd), let_go
    let_go()
    os.close(read_fd)


def refuse(_var: object) -> object:
    """In the place of what must not be opened."""
    raise AssertionError("it was opened")


@pytest.mark.parametrize("error", [ValueError("a bug"), ServiceUnavailable("Busy.")])
def test_error_of_one_round_costs_no_other(
    stored: StoredSessions,
    leash: tuple[Leash, Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    rounds: list[object] = []
    pauses: list[object] = []
    niceness: list[int] = []

    def compress(*given: Any) -> Steps:
        rounds.append(given)
        if len(rounds) == 1:
            raise error
        try:
            given[-1]()
        finally:
            leash[1]()
        with pytest.raises(Over):
            given[-1]()
        pauses.append(given[-1])
        return iter(())

    monkeypatch.setattr(retention, "compress_old", compress)
    monkeypatch.setattr(keeper, "RETENTION_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "SearchIndex", refuse)
    monkeypatch.setattr(os, "nice", niceness.append)
    keep(Settings(var=stored.var, search=False), leash[0])
    assert (len(rounds), len(pauses)) == (2, 1)
    assert niceness == [19]
    assert str(error) in caplog.text


def test_what_is_off_is_not_done_and_what_is_on_is(
    stored: StoredSessions, leash: tuple[Leash, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [stored.add(*["line"] * 300) for _ in range(2)]
    size = stored.files(ids[1]).log.stat().st_size
    compressed: list[object] = []
    choose = retention.choose

    def choose_and_let_go(database: Database, limits: Limits) -> Iterator[EndedLog]:
        yield from choose(database, limits)
        leash[1]()

    def compress(*given: object) -> Steps:
        compressed.append(given)
        return iter(())

    monkeypatch.setattr(retention, "choose", choose_and_let_go)
    monkeypatch.setattr(retention, "compress_old", compress)
    monkeypatch.setattr(os, "nice", lambda _niceness: None)
    settings = Settings(var=stored.var, search=False, compress_after_days=0, max_kept_bytes=size)
    keep(settings, leash[0])
    assert [stored.files(one).log.exists() for one in ids] == [False, True]
    assert compressed == []


def test_second_keeper_does_nothing(
    stored: StoredSessions, leash: tuple[Leash, Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "open_migrated", refuse)
    monkeypatch.setattr(os, "nice", lambda _niceness: None)
    first = KeeperLock(stored.var)
    assert first.acquire()
    keep(Settings(var=stored.var), leash[0])
    first.release()


def test_only_one_has_the_lock_until_it_gives_it_back(stored: StoredSessions) -> None:
    first, second = KeeperLock(stored.var), KeeperLock(stored.var)
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
