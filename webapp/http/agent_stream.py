"""`GET /api/agent-stream`: watch a session, or start one and watch it, in one request.

Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from pathlib import Path

from flask import Blueprint, Response, request

from webapp.errors import BadRequest, NotFound
from webapp.http import budgets, security, view_options
from webapp.http.inputs import convert_args
from webapp.http.login import current_login
from webapp.http.services import end_of, services, who
from webapp.http.trpc.structs import InvokeAgent, OneSession, OneWorkflow
from webapp.http.view_options import Beginning
from webapp.log import reader
from webapp.log.event_id import BEGINNING, EventId
from webapp.log.opened import open_log
from webapp.sessions.layout import session_files
from webapp.sessions.new_session import Invocation
from webapp.store import sessions
from webapp.store.models import Session
from webapp.stream.format import Format
from webapp.stream.view import Pace, View

blueprint = Blueprint("agent_stream", __name__)


PATH = "/api/agent-stream"
STREAM_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",  # nginx: pass each frame on as it comes
}


@blueprint.get(PATH)
def agent_stream() -> Response:
    """Everything that the session's log holds, then what comes, then `done`.

    `?sessionId=…[&offset=…|&tail=…|&from=…][&speed=…[&maxGap=…]][&format=envelope|raw]`, or
    `?workflowId=…&message=…[&stageIndex=…][&agent=…]` to start a session first.
    """
    services().streams.yield_to_live()  # a burst of new viewers must not stall live ones
    args = request.args.to_dict()
    asked = convert_args(args, view_options.ViewArgs)
    form = Format(as_envelope=asked.format == "envelope", is_raw=asked.format == "raw")
    pace = view_options.pace(asked)
    last_id = request.headers.get("Last-Event-ID")
    if "sessionId" in args:
        session = services().look_up(convert_args(args, OneSession).session_id)
        _check_workflow(args, session)
        beginning = view_options.beginning(args, last_id)
        services().streams.yield_to_live()
        return _respond(session, beginning, form, pace)
    if "workflowId" not in args:
        raise BadRequest(
            "sessionId is missing; give it, or workflowId (and message) to start a session.",
            field="sessionId",
        )
    return _start_or_resume(args, last_id, form, pace)


def _check_workflow(args: dict[str, str], session: Session) -> None:
    workflow_id = args.get("workflowId")
    if workflow_id is not None and workflow_id != session.workflow_id:
        raise BadRequest(
            f"Session {session.id!r} belongs to workflow {session.workflow_id!r}, not to "
            f"{workflow_id!r}.",
            field="workflowId",
        )


def _start_or_resume(
    args: dict[str, str], last_id: str | None, form: Format, pace: Pace | None
) -> Response:
    if last_id is not None:
        session, beginning = _resumed(convert_args(args, OneWorkflow).workflow_id, last_id)
    else:
        security.require_script()
        given = convert_args(args, InvokeAgent)
        invocation = Invocation(
            workflow_id=given.workflow_id,
            message=given.message,
            stage_index=given.stage_index,
            agent=given.agent,
            by=who(given.by),
        )
        if request.method == "HEAD":
            return headers_only()
        budgets.count_changes()
        budgets.count_bytes(len(request.query_string))
        services().admit_stream()
        sent = services().invoke(invocation)
        session = sent.session
        beginning = Beginning(EventId(sent.offset, 0)) if sent.offset else Beginning()
    return _respond(session, beginning, form._replace(id_prefix=f"{session.id}/"), pace)


def _resumed(workflow_id: str, last_id: str) -> tuple[Session, Beginning]:
    """The session that this same request started before, and where it goes on.

    Whatever the id says, a reconnect never starts a session: one that makes no sense gets
    the workflow's newest session from its beginning.
    """
    session_id, _slash, event_id = last_id.partition("/")
    with services().database.read() as orm:
        session = sessions.find_session(orm, session_id)
        if session is not None and session.workflow_id == workflow_id:
            asked = view_options.read_id(event_id)
        else:
            asked, session = None, sessions.newest_session(orm, workflow_id)
    if session is None:
        raise NotFound(
            f"Workflow {workflow_id!r} has no session to resume at {last_id!r}.",
            field="Last-Event-ID",
        )
    return services().as_it_is(session), Beginning(asked)


def _respond(session: Session, beginning: Beginning, form: Format, pace: Pace | None) -> Response:
    log = session_files(services().launcher.var, session).log
    after = beginning.after
    if after is not None and after > BEGINNING and _has_seen_done(log, after, session):
        return Response(status=204)
    if request.method == "HEAD":
        return headers_only()
    services_ = services()
    services_.admit_stream()

    def recorded_end() -> dict[str, object] | None:
        now = services_.look_up(session.id)
        return None if now.is_live else end_of(now)

    view = View(
        session_id=session.id,
        log=log,
        form=form,
        ping_seconds=services_.settings.ping_seconds,
        recorded_end=recorded_end,
        end_offset=session.log_bytes,
        deleted_at=session.log_deleted_at,
        after=after,
        last_events=beginning.last_events,
        time=beginning.time,
        pace=pace,
        login=current_login(),
        first_id=f"{form.id_prefix}{after or 0}" if form.id_prefix else None,
    )
    response = headers_only()
    response.response = services_.streams.respond(view, request.environ)
    return response


def _has_seen_done(log: Path, after: EventId, session: Session) -> bool:
    try:
        opened = open_log(log)
    except FileNotFoundError:
        return not session.is_live and after == (session.log_bytes, 0)
    except OSError:
        return False
    try:
        return after == (opened.size(), 0) and reader.is_complete(opened)
    finally:
        opened.close()


def headers_only() -> Response:
    """A response with the headers of a stream, and nothing else."""
    return Response(headers=STREAM_HEADERS)
