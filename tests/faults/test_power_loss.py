"""A log that was cut anywhere, as a power loss does it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions.machine import Machine, machine, shell
from webapp.log.events import parse_events
from webapp.sessions.reconcile import reconcile
from webapp.store.models import Session

LAST_BYTES = 4096


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Session]]:
    """A session with a log that is longer than what is cut."""
    script = 'seq 1 150; printf \'{"type":"x","n":1}\\n\'; echo oops >&2; printf \'no newline\''
    with machine(tmp_path_factory.mktemp("cut"), shell(script)) as started:
        session = started.wait_until_gone(started.invoke())
        assert len(started.log(session)) > LAST_BYTES
        yield started, session


def live_again(started: Machine, session: Session) -> None:
    """The row as the power loss left it."""
    from tests.store.rows import execute

    execute(started.database, "DROP TRIGGER IF EXISTS an_ended_session_never_changes")
    execute(started.database, "UPDATE sessions SET status = 'running', ended_at = NULL")


def test_log_that_is_cut_at_any_byte_keeps_every_whole_record(
    finished: tuple[Machine, Session], tmp_path: Path
) -> None:
    started, session = finished
    whole = started.log(session)
    events = list(parse_events(whole, 0, is_continuation=False))
    log = started.files(session).log
    for cut in range(len(whole) - LAST_BYTES, len(whole) + 1, 61):
        log.write_bytes(whole[:cut])
        live_again(started, session)
        found = reconcile(started.database, started.var, started.row(session))
        assert found.status == ("succeeded" if cut == len(whole) else "lost")
        kept = [event for event in events if event.offset <= cut]
        now = list(parse_events(started.log(session), 0, is_continuation=False))
        assert now[: len(kept)] == kept
        assert [event.name for event in now].count("done") == 1
        assert now[-1].name == "done"
        assert all('"corrupt"' not in event.data for event in now)
    log.write_bytes(whole)


def test_every_cut_parses(finished: tuple[Machine, Session]) -> None:
    started, session = finished
    whole = started.log(session)
    events = list(parse_events(whole, 0, is_continuation=False))
    for cut in range(len(whole) - LAST_BYTES, len(whole) + 1):
        end = whole.rfind(b"\n", 0, cut) + 1
        found = list(parse_events(whole[:end], 0, is_continuation=False))
        assert found == [event for event in events if event.offset <= end]
