"""Start a session: log, lock, row, runner, in an order in which nothing can be lost.

1. The directory and the log; the lock is taken on the log.
2. The row, committed. Whoever finds it finds a log that is locked.
3. The runner, which is handed the open log, so that there is no moment without the lock.

A worker that dies in between leaves a row whose lock is free: `reconcile.py` ends it.
"""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from webapp.agents.profiles import MAX_ARGUMENT_BYTES, Profile
from webapp.agents.run_as import AgentUser, agent_user
from webapp.errors import BadRequest, Conflict, ServiceUnavailable, SetupError
from webapp.log.record import MAX_LINE_BYTES
from webapp.sessions import reconcile
from webapp.sessions.handover import Handover
from webapp.sessions.layout import new_session_files
from webapp.sessions.runners import RunnerRequest, Runners
from webapp.sessions.secrets import TextRedactor, all_secrets
from webapp.settings import Settings
from webapp.store import rebuilding, sessions, workflows
from webapp.store.engine import Database
from webapp.store.ids import new_session_id
from webapp.store.models import Session, now

MAX_MESSAGE_BYTES = 1 << 20
BASE_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "TZ")
"""What every agent gets of the server's environment; the rest is named by its profile."""

UNBUFFERED = "PYTHONUNBUFFERED"
"""Set for every agent, so that what a Python program prints is seen at once and not by the
block; a profile that names the variable gets it as the server has it, or not at all."""

_LOOK_SECONDS = 5.0
"""Where there is no room, those who live only by their rows are looked for this often."""

_A_LINE_EACH = (",\n ", ": ")
"""Separators for JSON that reads well; `indent` would leave json's fast encoder."""

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

    def __init__(
        self,
        settings: Settings,
        database: Database,
        on_runner_failure: Callable[[str], None] = lambda reason: None,
    ) -> None:
        """`on_runner_failure` gets the reason: a runner cannot be started (`start`), or is found
        gone (`lost`)."""
        self.settings = settings
        self.database = database
        self.var = settings.var.resolve()
        self.host = socket.gethostname()
        self.cwd = current_folder()
        self.runners = Runners()
        self._look_again_at = 0.0
        self.on_runner_failure = on_runner_failure
        self._secrets = all_secrets(settings, os.environ)
        self._redactor = TextRedactor(self._secrets, keys=settings.redact_keys)

    def redact(self, text: str) -> str:
        """A text from a client as a row may hold it: without secrets."""
        return self._redactor.redact(text)

    def invoke(
        self,
        invocation: Invocation,
        key: IdempotencyKey | None = None,
        *,
        stdin_fd: int | None = None,
    ) -> Session:
        """Start a session; its row is durable and its runner started when this returns.

        With a key that was used before: the session that it started. `stdin_fd`: what the
        agent reads, where its profile gives it no message to read. Raises BadRequest,
        NotFound, Conflict (a key used for another request), TooManyRequests (as many live
        in the workflow as may), ServiceUnavailable (the same for the server, a full disk,
        or a locked database); nothing has been started then.
        """
        try:
            return self._invoke(invocation, key, stdin_fd)
        except (sessions.TooManySessions, sessions.TooManyInWorkflow):
            if time.monotonic() < self._look_again_at:
                raise
            self._look_again_at = time.monotonic() + _LOOK_SECONDS
            ended = reconcile.reconcile_all(self.database, self.var)
            for _session in ended:
                self.on_runner_failure("lost")
            if not ended:
                raise
            return self._invoke(invocation, key, stdin_fd)

    def _invoke(
        self, invocation: Invocation, key: IdempotencyKey | None, stdin_fd: int | None
    ) -> Session:
        profile = self._profile(invocation.agent)
        user = _user_of(profile)
        session_id = new_session_id()
        message = invocation.message
        values = {
            "message": message or "",
            "workflowId": invocation.workflow_id,
            "sessionId": session_id,
        }
        files = new_session_files(self.var, session_id)
        cwd = self._cwd(profile, user)
        self._prepare_runners()
        with Handover(files) as handover:

            def insert(connection: Any) -> tuple[Session, dict[str, object]] | str:
                if key is not None and (found := _find_by_key(connection, key)) is not None:
                    return found
                stage = workflows.stage_for_invoke(
                    connection, invocation.workflow_id, invocation.stage_index
                )
                sessions.check_limits(
                    connection,
                    invocation.workflow_id,
                    max_sessions=self.settings.max_sessions,
                    max_per_workflow=self.settings.max_sessions_per_workflow,
                )
                argv = profile.argv(values | {"stageIndex": str(stage.stage_index)})
                _check_arguments(argv, profile)
                session = Session(
                    id=session_id,
                    workflow_id=invocation.workflow_id,
                    stage_index=stage.stage_index,
                    agent=profile.name,
                    argv=json.dumps([self.redact(arg) for arg in argv], ensure_ascii=False),
                    cwd=self.redact(cwd),
                    takes_input=int(profile.input),
                    host=self.host,
                    log_path=str(files.log.relative_to(self.var)),
                    status="starting",
                    created_at=now(),
                )
                told = None if message is None else self.redact(message)
                sessions.add_session(connection, session, told)
                if key is not None:
                    sessions.add_idempotency_key(connection, key.key, key.request_hash, session)
                workflow = rebuilding.workflow_facts(connection, invocation.workflow_id)
                return session, self._spec(
                    session, profile, user, argv, cwd, workflow, has_agent_gate=stage.has_agent_gate
                )

            inserted = self.database.write_sql(insert)
            if not isinstance(inserted, str):
                session, spec = inserted
                handover.is_needed = True
                return self._spawn(
                    session,
                    RunnerRequest(
                        directory=str(files.directory),
                        spec=json.dumps(spec, separators=_A_LINE_EACH),
                        message=message if profile.message == "stdin" else None,
                        environment=agent_environment(profile, session, os.environ, user),
                        secrets=self._secrets,
                    ),
                    handover,
                    stdin_fd,
                )
        return self._find(inserted)

    def _find(self, session_id: str) -> Session:
        """The session that a repeated key names, as it is now."""
        with self.database.read() as orm:
            session = sessions.get_session(orm, session_id)
        try:
            return reconcile.reconcile(self.database, self.var, session)
        except (OSError, ServiceUnavailable):
            logger.exception("cannot find out whether %s still runs", session.id)
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

    def _cwd(self, profile: Profile, user: AgentUser | None) -> str:
        """The folder that an agent starts in; another user may not enter the server's own."""
        if profile.cwd is None and user is not None:
            return user.home
        return os.path.join(self.cwd, profile.cwd) if profile.cwd else self.cwd

    def _prepare_runners(self) -> None:
        """ServiceUnavailable where no runner could be started: before a row says otherwise."""
        try:
            self.runners.prepare()
        except OSError as error:
            raise ServiceUnavailable(
                f"Cannot start a runner: {error.strerror or error}.", retry_after=30
            ) from error

    def _spawn(
        self,
        session: Session,
        request: RunnerRequest,
        handover: Handover,
        stdin_fd: int | None,
    ) -> Session:
        """Start the runner. If that fails the session has ended, and says why."""
        try:
            self.runners.start(request, handover.log_fd, stdin_fd)
            return session
        except OSError as error:
            logger.exception("cannot start the runner of %s", session.id)
            self.on_runner_failure("start")
            handover.close()  # what still holds the lock then is a runner that did start
            reason = f"cannot start the runner: {error.strerror or error}"
            try:
                return reconcile.reconcile(
                    self.database, self.var, session, status="failed", error=reason
                )
            except OSError:
                logger.exception("%s has ended; its next viewer will find that out", session.id)
                return session

    def _spec(
        self,
        session: Session,
        profile: Profile,
        user: AgentUser | None,
        argv: list[str],
        cwd: str,
        workflow: object,
        *,
        has_agent_gate: bool,
    ) -> dict[str, object]:
        """The content of `run.json`: see webapp/runner/spec.py."""
        return {
            "sessionId": session.id,
            "workflowId": session.workflow_id,
            "stageIndex": session.stage_index,
            "agent": session.agent,
            "dialect": profile.dialect,
            "messages": profile.messages,
            "argv": argv,
            "cwd": cwd,
            "runAs": None if user is None else asdict(user),
            "host": session.host,
            "createdAt": session.created_at,
            "graceSeconds": self.settings.grace_seconds,
            "maxSeconds": profile.max_seconds,
            "maxLogBytes": profile.max_log_bytes,
            "maxLineBytes": MAX_LINE_BYTES,
            "takesInput": profile.input,
            "leaveBackground": profile.leave_background,
            "hasAgentGate": has_agent_gate,
            "database": str(self.database.path.resolve()),
            "redactKeys": self.settings.redact_keys,
            "workflow": workflow,
        }


def _user_of(profile: Profile) -> AgentUser | None:
    """ServiceUnavailable where this process cannot start the agent as its user."""
    try:
        return agent_user(profile)
    except SetupError as error:
        raise ServiceUnavailable(error.message, retry_after=300) from None


def agent_environment(
    profile: Profile,
    session: Session,
    environ: Mapping[str, str],
    user: AgentUser | None = None,
) -> dict[str, str]:
    """All that an agent sees of the environment: an allow-list, and who it is."""
    names = {*BASE_ENVIRONMENT, *profile.env}
    if user is not None and "TMPDIR" not in profile.env:
        names.remove("TMPDIR")  # the server's own may be closed to others
    allowed = {name: environ[name] for name in names if name in environ}
    allowed |= profile.file_env
    if user is not None:
        allowed |= {"HOME": user.home, "USER": user.name}
    if UNBUFFERED not in profile.env:
        allowed[UNBUFFERED] = "1"
    return allowed | {
        "AGENT_STREAM_SESSION_ID": session.id,
        "AGENT_STREAM_WORKFLOW_ID": session.workflow_id,
        "AGENT_STREAM_STAGE_INDEX": str(session.stage_index),
    }


def current_folder() -> str:
    """Where agents run that have no folder of their own. SetupError if it was deleted."""
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise SetupError(
            "The current folder has been deleted, so no agent can run in it. "
            "Change to a folder that exists."
        ) from None


def _find_by_key(connection: Any, key: IdempotencyKey) -> str | None:
    """The session that this key started. Conflict if that was for another request."""
    used = sessions.find_idempotency_key(connection, key.key)
    if used is None:
        return None
    request_hash, session_id = used
    if request_hash != key.request_hash:
        raise Conflict(
            f"Idempotency-Key {key.key!r} was used for another request, which started "
            f"{session_id!r}.",
            field="Idempotency-Key",
        )
    return session_id


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
