"""What the blueprints work with: the parts of this worker."""

import logging
import time
from dataclasses import dataclass
from typing import cast

from flask import current_app, request

from webapp.errors import BadRequest, Conflict, Gone, NotFound, ServiceUnavailable
from webapp.http.approval_board import ApprovalBoard
from webapp.http.client_name import client_name
from webapp.http.message_board import MessageBoard
from webapp.http.rates import Rates
from webapp.log.folder import NotRegular, file_size
from webapp.log.opened import OpenLog, open_log
from webapp.metrics.meter import Meter
from webapp.server_log import context
from webapp.sessions import cancel as stopping
from webapp.sessions import conversations
from webapp.sessions.conversations import Sent
from webapp.sessions.launch import Launcher
from webapp.sessions.layout import session_files
from webapp.sessions.new_session import Invocation
from webapp.sessions.once import IdempotencyKey
from webapp.sessions.reconcile import complete_log, reconcile
from webapp.settings import Settings
from webapp.store import costs, sessions, shapes
from webapp.store.engine import Database
from webapp.store.logins import Logins
from webapp.store.models import Session
from webapp.stream.streams import Streams

EXTENSION = "agent-stream"
BY_RULE = "rule"
"""Who has answered where the operator's rules have: see webapp/runner/talk/approvals.py."""
_RETRY_AFTER_SECONDS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Services:
    """Settings, store, launcher, streams, and what is followed in this process."""

    settings: Settings
    database: Database
    launcher: Launcher
    streams: Streams
    board: MessageBoard
    approvals_board: ApprovalBoard
    rates: Rates
    meter: Meter
    logins: Logins | None
    """None where no token is asked for."""

    def admit_stream(self) -> None:
        """Raise ServiceUnavailable if this worker has as many streams as it may have."""
        most = self.settings.max_streams_of_worker
        count = self.streams.viewers + self.board.followers + self.approvals_board.followers
        if count >= most:
            raise ServiceUnavailable(
                f"This worker has {count} streams open and may have {most} "
                "(AGENT_STREAM_MAX_STREAMS); try again in a moment.",
                retry_after=_RETRY_AFTER_SECONDS,
            )

    def publish_streams(self) -> None:
        """Let the other workers know how many streams are open here."""
        self.meter.publish(
            {
                "session": self.streams.viewers,
                "history": self.board.followers + self.approvals_board.followers,
            }
        )

    def look_up(self, session_id: str) -> Session:
        """A session as it is now: one that lost its runner is ended first. NotFound."""
        session = self.database.read_sql(
            lambda connection: sessions.look_up(connection, session_id)
        )
        context.session_id.set(session.id)
        return self.as_it_is(session)

    def as_it_is(self, session: Session) -> Session:
        """The same session, ended if its runner is gone.

        Where that cannot be found out or written down now, what the row says must do.
        """
        try:
            return _reconcile(self.database, self.launcher, session)
        except (OSError, ServiceUnavailable):
            logger.exception("cannot find out whether %s still runs", session.id)
            return session

    def invoke(self, invocation: Invocation, key: IdempotencyKey | None = None) -> Sent:
        """Start a session, or go on with a conversation; see `conversations.invoke`."""
        began_at = time.perf_counter()
        sent = conversations.invoke(self.launcher, invocation, key)
        context.session_id.set(sent.session.id)
        self.meter.count_invoke(time.perf_counter() - began_at)
        return sent

    def cancel(self, session_id: str) -> Session:
        """Have a session's agent terminated. NotFound; Conflict if it has ended."""
        session = self.look_up(session_id)
        session = stopping.cancel_session(self.database, self.launcher.var, session)
        if not session.is_live:
            raise Conflict(
                f"Session {session_id!r} has ended: it is {session.status}.", field="sessionId"
            )
        return session

    def show(self, session: Session) -> dict[str, object]:
        """A session as JSON; of a live one with the bytes that its log has now."""
        return shapes.session(session, self.log_bytes(session) if session.is_live else None)

    def show_with_cost(self, session: Session) -> dict[str, object]:
        """The same, with what it cost by now, and its whole conversation."""
        with self.database.read() as orm:
            spent = costs.as_json(orm, session)
        return self.show(session) | spent

    def log_bytes(self, session: Session) -> int | None:
        """The bytes that a session's log has now; None if it is gone."""
        try:
            return file_size(session_files(self.launcher.var, session).log)
        except OSError:
            return None

    def open_log(self, session: Session) -> OpenLog:
        """A session's log, for the caller to close. NotFound if it is gone, Gone if deleted."""
        try:
            return open_log(session_files(self.launcher.var, session).log)
        except FileNotFoundError:
            if session.log_deleted_at is not None:
                raise Gone(
                    f"The log of {session.id!r} was deleted at {session.log_deleted_at}.",
                    field="sessionId",
                ) from None
            raise NotFound(f"The log of {session.id!r} is gone.", field="sessionId") from None
        except NotRegular as error:
            raise NotFound(
                f"The log of {session.id!r} cannot be read: {error.strerror}.", field="sessionId"
            ) from None


def end_abandoned(
    database: Database, launcher: Launcher, session_id: str
) -> dict[str, object] | None:
    """Write off a session that lost its runner; its end by its row, None while it is live."""
    with database.read() as orm:
        session = sessions.get_session(orm, session_id)
    if session.is_live:
        session = _reconcile(database, launcher, session)
    else:
        complete_log(database, launcher.var, session)
    return None if session.is_live else end_of(session)


def _reconcile(database: Database, launcher: Launcher, session: Session) -> Session:
    found = reconcile(database, launcher.var, session)
    if session.is_live and found.status == "lost":
        launcher.on_runner_failure("lost")
    return found


def end_of(session: Session) -> dict[str, object]:
    """The data of a `done` event, from the row."""
    return {
        "exitCode": session.exit_code,
        "signal": session.exit_signal,
        "status": session.status,
    }


def services() -> Services:
    """The services of the app that answers this request."""
    return cast(Services, current_app.extensions[EXTENSION])


def who(by: str | None) -> str | None:
    """Who asks, by the client's own word, without secrets; else what the client is called.

    BadRequest for what means no person.
    """
    if by == BY_RULE:
        raise BadRequest(
            f"by is {by!r}, which stands for the rules of this server, expected another name.",
            field="by",
        )
    return services().launcher.redact(by) if by else asking_client()


def asking_client() -> str | None:
    """What the client of this request is called."""
    name = client_name(request.headers.get("User-Agent", ""))
    return None if name == BY_RULE else name
