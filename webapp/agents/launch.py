"""Start a session: log, lock, row, runner, in an order in which nothing can be lost.

1. The directory, the log and the control socket; the lock is taken on the log.
2. The row, committed. Whoever finds it finds a log that is locked.
3. The runner, which is handed the open log, so that there is no moment without the lock.

A worker that dies in between leaves a row whose lock is free: `reconcile.py` ends it.
"""

import contextlib
import json
import logging
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session as OrmSession

from webapp.agents import reconcile
from webapp.agents.places import SessionFiles, new_session_files
from webapp.agents.profiles import MAX_ARGUMENT_BYTES, Profile
from webapp.agents.runners import Runners
from webapp.errors import BadRequest, Conflict, ServiceUnavailable
from webapp.log import lock
from webapp.log.record import MAX_LINE_BYTES
from webapp.settings import Settings
from webapp.store import models, sessions, workflows
from webapp.store.engine import Database
from webapp.store.ids import new_session_id
from webapp.store.models import Session, now

MAX_MESSAGE_BYTES = 1 << 20
BASE_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "TZ")
"""What every agent gets of the server's environment; the rest is named by its profile."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Invocation:
    """A request to start an agent, as a client makes it."""

    workflow_id: str
    message: str | None = None
    stage_index: int | None = None
    agent: str | None = None


@dataclass(frozen=True)
class IdempotencyKey:
    """A client's key and what it was used for: the same key never starts two sessions."""

    key: str
    request_hash: str


class Launcher:
    """Starts sessions for one server's settings and store."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.var = settings.var.resolve()
        self.host = socket.gethostname()
        self.runners = Runners()

    def invoke(self, invocation: Invocation, key: IdempotencyKey | None = None) -> Session:
        """Start a session; its row is durable and its runner started when this returns.

        With a key that was used before: the session that it started. Raises BadRequest,
        NotFound, Conflict (a key used for another request), ServiceUnavailable (no room,
        or a locked database; nothing has been started then).
        """
        profile = self._profile(invocation.agent)
        session_id = new_session_id()
        message = invocation.message
        values = {
            "message": message or "",
            "workflowId": invocation.workflow_id,
            "sessionId": session_id,
        }
        files = new_session_files(self.var, session_id)
        with _Handover(files) as handover:

            def insert(orm: OrmSession) -> Session:
                if key is not None and (found := _find_by_key(orm, key)) is not None:
                    return found
                stage_index = workflows.stage_for_invoke(
                    orm, invocation.workflow_id, invocation.stage_index
                )
                argv = profile.argv(values | {"stageIndex": str(stage_index)})
                _check_arguments(argv, profile)
                session = Session(
                    id=session_id,
                    workflow_id=invocation.workflow_id,
                    stage_index=stage_index,
                    agent=profile.name,
                    argv=json.dumps(argv, ensure_ascii=False),
                    cwd=profile.cwd,
                    host=self.host,
                    log_path=str(files.log.relative_to(self.var)),
                    status="starting",
                    created_at=now(),
                )
                sessions.add_session(orm, session, message, _key_row(key, session))
                return session

            session = self.database.write(insert)
            if session.id == session_id:
                self._spawn(session, profile, files, handover, message)
        return session

    def _profile(self, name: str | None) -> Profile:
        name = self.settings.default_agent if name is None else name
        profile = self.settings.agents.get(name)
        if profile is None:
            raise BadRequest(
                f"Unknown agent {name!r}; there are: {', '.join(self.settings.agents)}.",
                field="agent",
            )
        return profile

    def _spawn(
        self,
        session: Session,
        profile: Profile,
        files: SessionFiles,
        handover: "_Handover",
        message: str | None,
    ) -> None:
        """Start the runner. If that fails the session has ended, and says why."""
        assert handover.control is not None
        handover.is_needed = True
        try:
            if profile.message == "stdin":
                _write_file(files.message, (message or "").encode())
            spec = self._spec(session, profile)
            _write_file(files.spec, json.dumps(spec, indent=1, ensure_ascii=False).encode())
            self.runners.start(
                files.directory,
                agent_environment(profile, session, os.environ),
                handover.log_fd,
                handover.control.fileno(),
            )
        except OSError as error:
            logger.exception("cannot start the runner of %s", session.id)
            reason = f"cannot start the runner: {error.strerror or error}"
            reconcile.record_failure(self.database, session, handover.log_fd, reason)

    def _spec(self, session: Session, profile: Profile) -> dict[str, object]:
        """The content of `run.json`: see webapp/runner/spec.py."""
        return {
            "sessionId": session.id,
            "workflowId": session.workflow_id,
            "stageIndex": session.stage_index,
            "agent": session.agent,
            "argv": json.loads(session.argv),
            "cwd": session.cwd,
            "host": session.host,
            "createdAt": session.created_at,
            "hasMessage": profile.message == "stdin",
            "graceSeconds": self.settings.grace_seconds,
            "maxSeconds": profile.max_seconds,
            "maxLogBytes": profile.max_log_bytes,
            "maxLineBytes": MAX_LINE_BYTES,
            "database": str(self.database.path.resolve()),
        }


class _Handover:
    """The open, locked log and the listening socket on their way to the runner."""

    def __init__(self, files: SessionFiles) -> None:
        self.files = files
        self.is_needed = False
        """Set once the row stands: from then on the files stay, whatever happens."""
        self.log_fd = -1
        self.control: socket.socket | None = None

    def __enter__(self) -> "_Handover":
        directory = self.files.directory
        try:
            _make_directory(directory)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
            self.log_fd = os.open(self.files.log, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            if not lock.acquire(self.log_fd):
                raise OSError(f"somebody else holds the lock on {self.files.log}")
            self.control = self._listen()
        except OSError as error:
            self._close()
            raise ServiceUnavailable(
                f"Cannot write the session's files: {error.strerror or error}.", retry_after=30
            ) from error
        return self

    def _listen(self) -> socket.socket:
        """Bind by way of the directory's descriptor: a socket's path holds 107 bytes only."""
        directory_fd = os.open(self.files.directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            path = f"/proc/self/fd/{directory_fd}/{self.files.control_socket.name}"
            control.bind(path)
            os.chmod(path, 0o600)
            control.listen(16)
        except OSError:
            control.close()
            raise
        finally:
            os.close(directory_fd)
        return control

    def __exit__(self, *_exception: object) -> None:
        self._close()

    def _close(self) -> None:
        if self.control is not None:
            self.control.close()
        if self.log_fd >= 0:
            os.close(self.log_fd)
        if not self.is_needed:
            shutil.rmtree(self.files.directory, ignore_errors=True)


def agent_environment(
    profile: Profile, session: Session, environ: Mapping[str, str]
) -> dict[str, str]:
    """All that an agent sees of the environment: an allow-list, and who it is."""
    names = (*BASE_ENVIRONMENT, *profile.env)
    allowed = {name: environ[name] for name in names if name in environ}
    return allowed | {
        "AGENT_STREAM_SESSION_ID": session.id,
        "AGENT_STREAM_WORKFLOW_ID": session.workflow_id,
        "AGENT_STREAM_STAGE_INDEX": str(session.stage_index),
    }


def _find_by_key(orm: OrmSession, key: IdempotencyKey) -> Session | None:
    used = sessions.find_idempotency_key(orm, key.key)
    if used is None:
        return None
    if used.request_hash != key.request_hash:
        raise Conflict(
            f"Idempotency-Key {key.key!r} was used for another request, which started "
            f"{used.session_id!r}.",
            field="Idempotency-Key",
        )
    return sessions.get_session(orm, used.session_id)


def _key_row(key: IdempotencyKey | None, session: Session) -> models.IdempotencyKey | None:
    if key is None:
        return None
    return models.IdempotencyKey(
        key=key.key,
        request_hash=key.request_hash,
        session_id=session.id,
        created_at=session.created_at,
    )


def _check_arguments(argv: list[str], profile: Profile) -> None:
    for argument in argv:
        if "\0" in argument:
            raise BadRequest(
                f"Agent {profile.name!r} takes the message on its command line, which cannot "
                "hold a NUL character.",
                field="message",
            )
        if len(argument.encode()) > MAX_ARGUMENT_BYTES:
            raise BadRequest(
                f"Agent {profile.name!r} takes the message on its command line, which holds at "
                f"most {MAX_ARGUMENT_BYTES} bytes an argument; this one has "
                f"{len(argument.encode())}.",
                field="message",
            )


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700)
    except FileNotFoundError:
        for parent in (directory.parent.parent, directory.parent):
            parent.mkdir(mode=0o700, exist_ok=True)
        directory.mkdir(mode=0o700)


def _write_file(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, 0o600)
    with contextlib.closing(os.fdopen(fd, "wb")) as file:
        file.write(content)
