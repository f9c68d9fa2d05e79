"""Where a session lies on disk: `var/sessions/<yyyy-mm-dd>/<session id>/`.

Paths are made from ids that were matched; no client's text becomes part of one.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from webapp.store.ids import SESSION_ID
from webapp.store.models import Session


@dataclass(frozen=True)
class SessionFiles:
    """The files of one session."""

    directory: Path

    @property
    def session_id(self) -> str:
        """Whose they are."""
        return self.directory.name

    @property
    def log(self) -> Path:
        """All that the agent printed."""
        return self.directory / "output.log"

    @property
    def control_socket(self) -> Path:
        """Where its runner listens while it lives."""
        return self.directory / "control.sock"

    @property
    def changes(self) -> Path:
        """What a repository's files were, where it works in one; see webapp/changes."""
        return self.directory / "changes"

    @property
    def spec(self) -> Path:
        """What the runner was asked to run."""
        return self.directory / "run.json"


def new_session_files(var: Path, session_id: str) -> SessionFiles:
    """The place of a session that is about to start, by the day that its id names."""
    if not SESSION_ID.fullmatch(session_id):
        raise ValueError(f"no session id: {session_id!r}")
    milliseconds = int(session_id.split("-")[1])
    day = datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d")
    return SessionFiles(var / "sessions" / day / session_id)


def session_files(var: Path, session: Session) -> SessionFiles:
    """The place that a session's row names."""
    log_path = session.log_path.replace("\0", "\ufffd")  # a row may be edited by hand
    return SessionFiles((var / log_path).parent)
