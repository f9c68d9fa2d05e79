"""Where a session lies on disk."""

from pathlib import Path

import pytest

from webapp.sessions.layout import new_session_files, session_files
from webapp.store.models import Session

VAR = Path("/var")


def test_folder_is_named_by_the_day_in_the_id() -> None:
    files = new_session_files(VAR, "session-1795467840123-0123456789ab")
    assert files.directory == VAR / "sessions/2026-11-23/session-1795467840123-0123456789ab"
    assert files.log == files.directory / "output.log"


@pytest.mark.parametrize(
    ("milliseconds", "day"),
    [("1795478399999", "2026-11-23"), ("1795478400000", "2026-11-24"), ("0000000000000", "1970")],
)
def test_day_is_utc(milliseconds: str, day: str) -> None:
    files = new_session_files(VAR, f"session-{milliseconds}-0123456789ab")
    assert files.directory.parent.name.startswith(day)


@pytest.mark.parametrize(
    "session_id",
    [
        "",
        "..",
        "session-1795467840123-../../../../x",
        "session-1795467840123-0123456789ab/x",
        "session-1795467840123-0123456789ab\n",
        "session-1795467840123-0123456789AB",
        "session-179546784012-0123456789ab",
        "session-\u0661795467840123-0123456789ab",
        "workflow-1795467840123-0123456789ab",
    ],
)
def test_nothing_but_an_id_becomes_a_path(session_id: str) -> None:
    with pytest.raises(ValueError, match="no session id"):
        new_session_files(VAR, session_id)


def test_folder_of_a_session_is_the_one_in_its_row() -> None:
    session = Session(id="s", log_path="sessions/2026-11-23/s/output.log")
    assert session_files(VAR, session).log == VAR / session.log_path
