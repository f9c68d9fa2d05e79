"""The `var` folder that a command reads: its sessions, as they are now."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import exc

from webapp.commands.terminal import plain
from webapp.errors import NotFound, ServiceUnavailable, SetupError
from webapp.log.folder import file_size
from webapp.log.opened import OpenLog, open_log
from webapp.server_settings import with_readable_secrets
from webapp.sessions.layout import session_files
from webapp.sessions.reconcile import complete_log, reconcile
from webapp.settings import Settings, settings_of_a_reader
from webapp.store import in_use, sessions
from webapp.store.engine import FILE_NAME, Database, open_migrated
from webapp.store.migrate import migrate
from webapp.store.models import Session

LAST = "last"
MIN_LETTERS = 4
"""A shorter piece of an id is refused: a slip of the finger should not cancel a session."""
MAX_CANDIDATES = 10

logger = logging.getLogger(__name__)


class Ambiguous(NotFound):
    """A piece of an id that several sessions have."""


class VarFolder:
    """The sessions of one `var` folder, whether or not a server runs on it."""

    def __init__(self, var: Path, database: Database) -> None:
        self.var = var
        self.database = database

    def find(self, text: str) -> Session:
        """The session that a person means by an id, a piece of one, or `last`.

        NotFound; Ambiguous, whose message lists the candidates.
        """
        with self.database.read() as orm:
            session = sessions.find_session(orm, text)
            if session is None and text == LAST:
                session = sessions.newest_of_all(orm)
                if session is None:
                    raise NotFound("There are no sessions yet.")
            if session is None:
                session = sessions.get_session(orm, self._only_match(text))
        return self.as_it_is(session)

    def _only_match(self, text: str) -> str:
        if len(text) < MIN_LETTERS:
            raise NotFound(
                f"There is no session {text!r}; a piece of an id has at least {MIN_LETTERS} "
                "letters."
            )
        with self.database.read() as orm:
            found = sessions.ids_like(orm, text, MAX_CANDIDATES + 1)
        if not found:
            raise NotFound(f"There is no session {text!r}, and no id begins or ends like that.")
        if len(found) > 1:
            shown = [*found[:MAX_CANDIDATES], *(["…"] if found[MAX_CANDIDATES:] else [])]
            raise Ambiguous(f"{text!r} may be each of these:\n  " + "\n  ".join(shown))
        return found[0]

    def look_up(self, session_id: str) -> Session:
        """A session as it is now, by its id."""
        with self.database.read() as orm:
            session = sessions.get_session(orm, session_id)
        return self.as_it_is(session)

    def as_it_is(self, session: Session) -> Session:
        """The same session, ended in log and row if its runner is gone.

        If that cannot be written, it is as its row has it, and a warning is logged.
        """
        try:
            return reconcile(self.database, self.var, session)
        except (OSError, ServiceUnavailable) as error:
            logger.warning("cannot see whether %s still runs: %s", session.id, error)
            return session

    def settle(self, session_id: str) -> Session:
        """As `look_up`; also repairs a log that has lost its end."""
        session = self.look_up(session_id)
        if not session.is_live:
            complete_log(self.database, self.var, session)
        return session

    def log(self, session: Session) -> Path:
        """The path of a session's log."""
        return session_files(self.var, session).log

    @contextmanager
    def reading(self, session: Session) -> Iterator[OpenLog]:
        """A session's log, open. NotFound where it cannot be read."""
        try:
            log = open_log(self.log(session))
        except OSError as error:
            raise NotFound(
                f"The log of {session.id} cannot be read ({error.strerror}): "
                f"{self.log(session)}. Its row says that it is {session.status}."
            ) from None
        try:
            yield log
        finally:
            log.close()

    def log_bytes(self, session: Session) -> int | None:
        """The size of a session's log; None if there is none."""
        if session.log_bytes is not None:
            return session.log_bytes
        try:
            return file_size(self.log(session))
        except OSError:
            return None


@contextmanager
def open_var_folder() -> Iterator[VarFolder]:
    """The folder that the settings name. SetupError, also for a database that is broken."""
    var = settings_of_a_reader().var.resolve()
    try:
        database = open_migrated(var)
        try:
            yield VarFolder(var, database)
        finally:
            database.close()
    except PermissionError as error:
        raise SetupError(
            f"Cannot look into {var}: {error.strerror}. Be the user that runs the server."
        ) from None
    except exc.DatabaseError as error:
        raise SetupError(f"The database in {var} cannot be used: {error.orig}.") from error


def settings_of_a_writer() -> Settings:
    """For a command that writes to the place what may hold secrets: it knows those in files, too.

    SetupError. A file that it may not read is a warning on stderr.
    """

    def warn(text: str) -> None:
        click.echo(f"agent-stream: {plain(text)}", err=True)

    return with_readable_secrets(settings_of_a_reader(), os.environ, warn)


@contextmanager
def open_or_make_var_folder() -> Iterator[VarFolder]:
    """As `open_var_folder`, for commands that add to it: makes what is missing. SetupError."""
    var = settings_of_a_reader().var.resolve()
    if not os.path.exists(var / FILE_NAME):
        migrate(var)
    in_use_fd = in_use.hold(var)
    try:
        with open_var_folder() as var_folder:
            yield var_folder
    finally:
        os.close(in_use_fd)
