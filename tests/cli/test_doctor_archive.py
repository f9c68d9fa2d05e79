"""What `doctor` says of the search index, of retention and of the keeper."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import run
from tests.cli.test_doctor import findings_of
from tests.search.stored_sessions import StoredSessions, open_stored
from tests.server import Server, wait_for
from webapp.commands.checks.archive import check_index, check_keeper, check_retention
from webapp.commands.checks.finding import Finding
from webapp.keeper.lock import KeeperLock
from webapp.search.index import FILE_NAME
from webapp.settings import Settings
from webapp.store import in_use


def index_of(folder: Path, **settings: Any) -> Finding:
    """The only thing to say of its index."""
    (finding,) = check_index(Settings(var=folder / "var", **settings))
    return finding


def keeper_of(folder: Path) -> Finding:
    """The only thing to say of its keeper."""
    (finding,) = check_keeper(Settings(var=folder / "var"))
    return finding


def test_index_that_has_everything_is_fine(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        stored.add("word")
        stored.fill()
        before = sorted(path.name for path in stored.var.iterdir())
        finding = index_of(tmp_path)
        assert sorted(path.name for path in stored.var.iterdir()) == before
    assert finding.mark == "ok"
    assert "1 session(s) in it" in finding.message


def test_index_that_lags_behind_says_by_how_many(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        stored.add("word")
        stored.fill()
        for _ in range(2):
            stored.add("word")
        stored.add("word", status="running")
        finding = index_of(tmp_path)
    assert finding.mark == "hint"
    assert "2 session(s) that have ended are not in it" in finding.message


def damage(stored: StoredSessions) -> None:
    """Write over the pages behind the first."""
    stored.index.close()
    path = stored.var / FILE_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))


def lose_a_word(stored: StoredSessions) -> None:
    """Forget what only FTS5 misses."""
    stored.index._connection.execute("DELETE FROM words_data WHERE id > 10")


def replace(stored: StoredSessions) -> None:
    """Put something else in its place."""
    stored.index.close()
    (stored.var / FILE_NAME).write_bytes(b"no database at all" * 500)


def age(stored: StoredSessions) -> None:
    """Let it be another version's."""
    stored.index._connection.execute("PRAGMA user_version = 0")


@pytest.mark.parametrize("harm", [damage, lose_a_word, replace, age])
def test_index_that_cannot_be_used_is_to_be_made_anew(
    tmp_path: Path, harm: Callable[[StoredSessions], None]
) -> None:
    with open_stored(tmp_path) as stored:
        stored.add(*["word"] * 500)
        stored.fill()
        harm(stored)
        finding = index_of(tmp_path)
    assert finding.mark == "warn"
    assert "search --rebuild" in finding.advice


def test_index_that_nobody_uses_may_go(tmp_path: Path) -> None:
    with open_stored(tmp_path):
        finding = index_of(tmp_path, search=False)
    assert finding.mark == "hint"
    assert "for nothing" in finding.message


@pytest.mark.parametrize(
    ("settings", "expected", "words"),
    [
        ({}, ["ok"], "compressed after 7 days"),
        ({"compress_after_days": 0}, ["ok"], "kept for ever as they are"),
        ({"delete_after_days": 30}, ["ok"], "compressed after 7 days, deleted after 30 days"),
        ({"delete_after_days": 7}, ["warn", "ok"], "before they would be compressed"),
        ({"compress_after_days": 0, "delete_after_days": 7}, ["ok"], "deleted after 7 days"),
        ({"max_kept_bytes": 20_000_000}, ["ok"], "the oldest deleted beyond 20.0 MB"),
        ({"max_kept_bytes": 1 << 58}, ["warn", "ok"], "more than the disk has"),
    ],
)
def test_limits_that_make_no_sense_together_are_named(
    tmp_path: Path, settings: dict[str, Any], expected: list[str], words: str
) -> None:
    found = list(check_retention(Settings(var=tmp_path / "not" / "there", **settings)))
    assert [finding.mark for finding in found] == expected
    assert words in found[0].message


def test_keeper_is_missed_only_where_a_server_runs(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        assert "no server runs here" in keeper_of(tmp_path).message
        fd = in_use.hold(stored.var)
        assert keeper_of(tmp_path).mark == "warn"
        lock = KeeperLock(stored.var)
        assert lock.acquire()
        assert "is at work" in keeper_of(tmp_path).message
        lock.release()
        os.close(fd)
        assert keeper_of(tmp_path).mark == "ok"


def test_keeper_of_a_server_is_seen_at_work(place: Server) -> None:
    def says() -> bool:
        found = findings_of(run(place, "doctor", "--json"))
        return found["keeper"][0]["message"] == "one is at work"

    wait_for(says)
