"""`GET /api/agent-stream`: watch a session, or start one and watch it, in one request.

Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from flask import Blueprint, Response, request

from webapp.agents.launch import MAX_MESSAGE_BYTES, Invocation
from webapp.agents.places import session_files
from webapp.errors import BadRequest, NotFound
from webapp.http import inputs, security
from webapp.http.services import end_of, services
from webapp.log import lock, reader
from webapp.store import sessions
from webapp.store.models import Session
from webapp.stream.feed import Format
from webapp.stream.viewer import View, stream

_FORMATS = ("envelope",)
_OFFSET_DIGITS = 19
"""Enough to be past the end of any file: off_t has no more."""

blueprint = Blueprint("agent_stream", __name__)


@blueprint.get("/api/agent-stream")
def agent_stream() -> Response:
    """Everything that the session's log holds, then what comes, then `done`."""
    args = request.args.to_dict()
    form = inputs.optional_text(args, "format")
    if form is not None and form not in _FORMATS:
        raise BadRequest(f"format is {form!r}, expected {' or '.join(_FORMATS)}.", field="format")

    last_id = request.headers.get("Last-Event-ID")
    as_envelope = form == "envelope"
    if "sessionId" in args:
        session = services().look_up(inputs.required_text(args, "sessionId"))
        _check_workflow(args, session)
        wanted = args.get("offset") if last_id is None else last_id
        return _respond(session, _offset(wanted), Format(as_envelope))
    if "workflowId" not in args:
        raise BadRequest(
            "sessionId is missing; give it, or workflowId (and message) to start a session.",
            field="sessionId",
        )
    return _start_or_resume(args, last_id, as_envelope)


def _check_workflow(args: dict[str, str], session: Session) -> None:
    workflow_id = args.get("workflowId")
    if workflow_id is not None and workflow_id != session.workflow_id:
        raise BadRequest(
            f"Session {session.id!r} belongs to workflow {session.workflow_id!r}, not to "
            f"{workflow_id!r}.",
            field="workflowId",
        )


def _start_or_resume(args: dict[str, str], last_id: str | None, as_envelope: bool) -> Response:
    workflow_id = inputs.required_text(args, "workflowId")
    if last_id is not None:
        session, offset = _resumed(workflow_id, last_id)
    else:
        security.require_same_site()
        invocation = Invocation(
            workflow_id=workflow_id,
            message=inputs.optional_text(args, "message", most_bytes=MAX_MESSAGE_BYTES),
            stage_index=inputs.optional_digits(args, "stageIndex", least=0, most=10_000),
            agent=inputs.optional_text(args, "agent"),
        )
        if request.method == "HEAD":
            return _headers_only()
        session, offset = services().launcher.invoke(invocation), 0
    return _respond(session, offset, Format(as_envelope, id_prefix=f"{session.id}/"))


def _resumed(workflow_id: str, last_id: str) -> tuple[Session, int | None]:
    """The session that this same request started before, and where it goes on.

    Whatever the id says, a reconnect never starts a session: one that makes no sense gets
    the workflow's newest session from its beginning.
    """
    session_id, _slash, offset = last_id.partition("/")
    with services().database.read() as orm:
        session = sessions.find_session(orm, session_id)
        if session is not None and session.workflow_id == workflow_id:
            asked = _offset(offset)
        else:
            asked, session = None, sessions.newest_session(orm, workflow_id)
    if session is None:
        raise NotFound(
            f"Workflow {workflow_id!r} has no session to resume at {last_id!r}.",
            field="Last-Event-ID",
        )
    return services().as_it_is(session), asked


def _offset(text: str | None) -> int | None:
    """An offset as a client sent it; none sent: 0; None for garbage."""
    if text is None or text == "":
        return 0
    if text.isascii() and text.isdigit():
        return int(text[:_OFFSET_DIGITS])
    return None


def _respond(session: Session, offset: int | None, form: Format) -> Response:
    log = session_files(services().launcher.var, session).log
    if offset and _has_seen_done(session, offset):
        return Response(status=204)
    if request.method == "HEAD":
        return _headers_only()

    def recorded_end() -> dict[str, object] | None:
        now = services_.look_up(session.id)
        return None if now.is_live else end_of(now)

    services_ = services()
    first_id = f"{form.id_prefix}{offset or 0}" if form.id_prefix else None
    view = View(
        session_id=session.id,
        log=log,
        offset=offset,
        form=form,
        first_id=first_id,
        ping_seconds=services_.settings.ping_seconds,
        recorded_end=recorded_end,
    )
    response = _headers_only()
    response.response = stream(services_.hub, view)
    return response


def _has_seen_done(session: Session, offset: int) -> bool:
    try:
        log_fd = lock.open_log(session_files(services().launcher.var, session).log)
    except OSError:
        return False
    try:
        return offset == reader.size(log_fd) and reader.is_complete(log_fd)
    finally:
        lock.close_log(log_fd)


def _headers_only() -> Response:
    response = Response(mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"  # nginx: pass each frame on as it comes
    return response
