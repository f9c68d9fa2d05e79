"""Which sessions the keeper prepares: large ones that have just ended, each once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.search.shelf import Shelf
from webapp.archive import prepare
from webapp.archive.prepare import Preparer
from webapp.archive.retention import delete_log
from webapp.store import kept_logs
from webapp.stream.kept_folder import folder_in

GIGABYTE = 1 << 30
LARGE_LOG_BYTES = 1_100_000
LINE = "x" * 10_000


@pytest.fixture(autouse=True)
def _smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "LEAST_LOG_BYTES", LARGE_LOG_BYTES)


@pytest.fixture
def preparer(shelf: Shelf) -> Preparer:
    """One that has just been started."""
    return Preparer(shelf.database, shelf.var, GIGABYTE)


def ago(seconds: float) -> str:
    """A time as rows hold it."""
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def add(shelf: Shelf, ended_at: str, lines: int = 110) -> str:
    """A session that ended then, large unless told."""
    return shelf.add(*[LINE] * lines, ended_at=ended_at)


def kept(shelf: Shelf) -> list[str]:
    """The sessions whose frames are kept."""
    folder = folder_in(shelf.var)
    return sorted(path.name.partition(".")[0] for path in folder.glob("*"))


def test_large_sessions_of_the_last_hour_are_prepared(shelf: Shelf, preparer: Preparer) -> None:
    old, new = add(shelf, ago(3700)), add(shelf, ago(3500))
    small, live = add(shelf, ago(1), lines=108), shelf.add(*[LINE] * 110, status="running")
    sum(preparer.steps())
    assert kept(shelf) == [new]
    assert {old, small, live}.isdisjoint(kept(shelf))


def test_session_that_ends_later_is_found_at_the_next_look(
    shelf: Shelf, preparer: Preparer
) -> None:
    sum(preparer.steps())
    late = add(shelf, ago(30))
    sum(preparer.steps())
    assert kept(shelf) == [late]


def test_session_is_prepared_once(shelf: Shelf, preparer: Preparer) -> None:
    add(shelf, ago(1))
    assert sum(preparer.steps()) > LARGE_LOG_BYTES
    (path,) = folder_in(shelf.var).iterdir()
    path.unlink()
    assert list(preparer.steps()) == []
    assert list(preparer.steps()) == []
    assert kept(shelf) == []


def test_of_many_the_newest_that_fit_together_are_prepared(shelf: Shelf) -> None:
    sessions = [add(shelf, ago(100 - number)) for number in range(4)]
    assert sum(Preparer(shelf.database, shelf.var, 2_600_000).steps()) < 2_600_000
    assert kept(shelf) == sessions[2:]


def test_deleted_session_is_left_alone(shelf: Shelf, preparer: Preparer) -> None:
    delete_log(shelf.database, shelf.var, add(shelf, ago(1)))
    assert list(preparer.steps()) == []


def test_session_that_is_deleted_meanwhile_leaves_nothing_and_keeps_none_from_it(
    shelf: Shelf,
    preparer: Preparer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("webapp.stream.prepare_frames.STEP_BYTES", 1)
    first, second = add(shelf, ago(2)), add(shelf, ago(1))
    work = preparer.steps()
    next(work)
    assert [name == first for name in kept(shelf)] == [True]
    assert delete_log(shelf.database, shelf.var, first)
    sum(work)
    assert kept(shelf) == [second]
    assert caplog.text == ""


def test_trouble_with_one_session_keeps_none_from_it(
    shelf: Shelf, preparer: Preparer, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = add(shelf, ago(2)), add(shelf, ago(1))
    log = shelf.files(bad).log
    log.rename(log.with_name("elsewhere"))
    log.symlink_to(log.with_name("elsewhere"))
    sum(preparer.steps())
    assert kept(shelf) == [good]
    assert bad in caplog.text


def test_look_reads_only_the_sessions_that_have_just_ended(shelf: Shelf) -> None:
    statements: list[str] = []
    with shelf.database.read() as orm:
        connection: Any = orm.connection().connection.dbapi_connection
        connection.set_trace_callback(statements.append)
        kept_logs.large_logs(orm, ago(60), prepare.LEAST_LOG_BYTES, 1000)
        connection.set_trace_callback(None)
        (query,) = [statement for statement in statements if statement.startswith("SELECT")]
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
    assert plan == ["SEARCH sessions USING INDEX ended_sessions_with_a_log (ended_at>?)"]
