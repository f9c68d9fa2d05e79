"""Where a session lies on disk: `var/sessions/<yyyy-mm-dd>/<session id>/`.

Paths are made from ids that were matched; no client's text becomes part of one.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from webapp.errors import ServiceUnavailable
from webapp.log import folder
from webapp.store.ids import SESSION_ID, WORKFLOW_ID, created_ms
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
    return SessionFiles(var / "sessions" / _day(session_id) / session_id)


def work_folder(var: Path, workflow_id: str) -> Path:
    """Where the agents of a workflow work that has no project."""
    if not WORKFLOW_ID.fullmatch(workflow_id):
        raise ValueError(f"no workflow id: {workflow_id!r}")
    return var / "work" / _day(workflow_id) / workflow_id


def worktree_folder(var: Path, workflow_id: str) -> Path:
    """Where the git worktree of a workflow is, if it has one."""
    if not WORKFLOW_ID.fullmatch(workflow_id):
        raise ValueError(f"no workflow id: {workflow_id!r}")
    return var / "worktrees" / workflow_id


def make_folder(var: Path, path: Path) -> None:
    """Make a folder below var that only the server's user may enter, and those above it.

    ServiceUnavailable where that is not possible.
    """
    parts = len(path.relative_to(var).parts)
    try:
        os.close(folder.open_folder(path, parts=parts, make=True))
    except OSError as error:
        raise ServiceUnavailable(
            f"Cannot make the folder {path}: {error.strerror or error}.", retry_after=30
        ) from None


def _day(any_id: str) -> str:
    """The day on which an id was made."""
    return datetime.fromtimestamp(created_ms(any_id) / 1000, UTC).strftime("%Y-%m-%d")


def session_files(var: Path, session: Session) -> SessionFiles:
    """The place that a session's row names."""
    log_path = session.log_path.replace("\0", "\ufffd")  # a row may be edited by hand
    return SessionFiles((var / log_path).parent)
