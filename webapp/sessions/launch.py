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
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webapp.agents.profiles import Profile
from webapp.changes import snapshots
from webapp.errors import BadRequest, ServiceUnavailable
from webapp.projects.found import Projects
from webapp.sessions import reconcile
from webapp.sessions.budget import check_budget
from webapp.sessions.environment import agent_environment, current_folder, user_of
from webapp.sessions.folders import Folder, Folders
from webapp.sessions.handover import Handover
from webapp.sessions.layout import new_session_files
from webapp.sessions.new_session import Invocation, NewSession, Resumption, new_message
from webapp.sessions.once import IdempotencyKey, check_free, find_by_key
from webapp.sessions.runners import RunnerRequest, Runners
from webapp.sessions.secrets import TextRedactor, all_secrets
from webapp.settings import Settings
from webapp.store import rebuilding, sessions, workflows
from webapp.store.conversations import ConversationScope
from webapp.store.engine import Database
from webapp.store.ids import new_session_id
from webapp.store.models import Session

_LOOK_SECONDS = 5.0
"""Where there is no room, those who live only by their rows are looked for this often."""

_A_LINE_EACH = (",\n ", ": ")
"""Separators for JSON that reads well; `indent` would leave json's fast encoder."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Inserted:
    """A session whose row is there, and what its runner is asked to run."""

    session: Session
    spec: dict[str, object]


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
        projects = Projects(settings.projects, settings.project_roots)
        self.folders = Folders(database, self.var, current_folder(), projects)
        self.runners = Runners()
        self._look_again_at = 0.0
        self.on_runner_failure = on_runner_failure
        self._secrets = all_secrets(settings, os.environ)
        self._redactor = TextRedactor(self._secrets, keys=settings.redact_keys)

    def redact(self, text: str) -> str:
        """A text from a client as a row may hold it: without secrets."""
        return self._redactor.redact(text)

    def profile(self, name: str | None) -> Profile:
        """The profile of that name, or the default one. BadRequest for an unknown name."""
        name = self.settings.default_agent if name is None else name
        profile = self.settings.agents.get(name)
        if profile is None:
            raise BadRequest(
                f"Unknown agent {name!r}. Available: {', '.join(self.settings.agents)}.",
                field="agent",
            )
        return profile

    def invoke(
        self,
        invocation: Invocation,
        key: IdempotencyKey | None = None,
        *,
        stdin_fd: int | None = None,
        resumption: Resumption | None = None,
        scope: ConversationScope | None = None,
    ) -> Session:
        """Start a session; its row is durable and its runner started when this returns.

        With a key that was used before: the session that it started. `stdin_fd`: what the
        agent reads, where its profile gives it no message to read. `scope`: how far its
        conversation reaches, in which no other session may live. Raises BadRequest,
        NotFound, Conflict (a key used for another request), AlreadyLive, TooManyRequests (as
        many live in the workflow as may, or a budget is used), ServiceUnavailable (too many live
        on the server, a full disk, or a locked database); nothing has been started then.
        """
        if resumption is None:
            message = new_message(invocation, None if key is None else key.key)
            resumption = Resumption(messages=() if message is None else (message,))
        new = self._new(invocation, resumption)
        if new.profile.max_usd_per_day is not None and (
            key is None or self.find_by_key(key) is None
        ):
            check_budget(self.database, new.profile)
        try:
            return self._start(new, key, stdin_fd, scope)
        except (sessions.TooManySessions, sessions.TooManyInWorkflow):
            if time.monotonic() < self._look_again_at:
                raise
            self._look_again_at = time.monotonic() + _LOOK_SECONDS
            ended = reconcile.reconcile_all(self.database, self.var)
            for _session in ended:
                self.on_runner_failure("lost")
            if not ended:
                raise
            return self._start(new, key, stdin_fd, scope)

    def find_by_key(self, key: IdempotencyKey) -> Session | None:
        """The session that a key was used for, as it is now. Conflict: for another request."""
        found = self.database.read_sql(lambda connection: find_by_key(connection, key))
        return None if found is None else self._find(found)

    def _new(self, invocation: Invocation, resumption: Resumption) -> NewSession:
        profile = self.profile(invocation.agent)
        user = user_of(profile)
        session_id = new_session_id()
        folder = self.folders.folder_of(
            invocation.workflow_id, profile, user, invocation.folder, invocation.message
        )
        return NewSession(
            id=session_id,
            invocation=invocation,
            profile=profile,
            user=user,
            files=new_session_files(self.var, session_id),
            cwd=self._cwd(folder, resumption.previous_session),
            project=folder.project,
            program_folder=self.folders.program_folder(profile, invocation.folder),
            resumption=resumption,
        )

    def _start(
        self,
        new: NewSession,
        key: IdempotencyKey | None,
        stdin_fd: int | None,
        scope: ConversationScope | None,
    ) -> Session:
        self._prepare_runners()
        with Handover(new.files) as handover:
            inserted = self.database.write_sql(
                lambda connection: self._insert(connection, new, key, scope)
            )
            if isinstance(inserted, _Inserted):
                handover.is_needed = True
                snapshots.begin(new.files.changes, new.cwd, self.var)
                request = RunnerRequest(
                    directory=str(new.files.directory),
                    spec=json.dumps(inserted.spec, separators=_A_LINE_EACH),
                    message=new.stdin(),
                    environment=agent_environment(
                        new.profile, inserted.session, os.environ, new.user
                    ),
                    secrets=self._secrets,
                )
                return self._spawn(inserted.session, request, handover, stdin_fd)
        return self._find(inserted)

    def _insert(
        self,
        connection: Any,
        new: NewSession,
        key: IdempotencyKey | None,
        scope: ConversationScope | None,
    ) -> _Inserted | str:
        """Insert the row and all that goes with it; or the session that the key started."""
        if key is not None and (found := find_by_key(connection, key)) is not None:
            return found
        workflow_id = new.invocation.workflow_id
        stage = workflows.stage_for_invoke(connection, workflow_id, new.invocation.stage_index)
        check_free(connection, new, scope)
        sessions.check_limits(
            connection,
            workflow_id,
            max_sessions=self.settings.max_sessions,
            max_per_workflow=self.settings.max_sessions_per_workflow,
        )
        argv = new.argv(stage.stage_index)
        session = new.row(argv, stage.stage_index, self.var, self.host, self.redact)
        message = new.invocation.message
        sessions.add_session(connection, session, message and self.redact(message))
        if key is not None:
            sessions.add_idempotency_key(connection, key.key, key.request_hash, session)
        workflow = rebuilding.workflow_facts(connection, workflow_id)
        spec = new.spec(session, argv, stage, workflow, self.settings, self.database.path)
        return _Inserted(session, spec)

    def _find(self, session_id: str) -> Session:
        """The session that a repeated key names, as it is now."""
        with self.database.read() as orm:
            session = sessions.get_session(orm, session_id)
        try:
            return reconcile.reconcile(self.database, self.var, session)
        except (OSError, ServiceUnavailable):
            logger.exception("cannot find out whether %s still runs", session.id)
            return session

    def _cwd(self, folder: Folder, before: Session | None) -> str:
        """The folder that an agent starts in; a conversation goes on where it was."""
        if folder.is_chosen or before is None or before.cwd is None:
            return folder.path
        if before.cwd == self.redact(folder.path):
            return folder.path  # a row does not hold the secrets in a path
        return before.cwd

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
