"""`/api/sessions`: the list, one session, and an end to it."""

from flask import Blueprint, Response, jsonify, request

from webapp.agents import control
from webapp.agents.places import session_files
from webapp.errors import Conflict
from webapp.http import inputs
from webapp.http.services import services
from webapp.store import sessions, shapes
from webapp.store.models import Session

blueprint = Blueprint("sessions", __name__, url_prefix="/api/sessions")


@blueprint.get("")
def list_sessions() -> Response:
    """Newest first. `?status=a,b&workflowId=…&limit=…&cursor=…`"""
    args = request.args.to_dict()
    limit = inputs.optional_digits(args, "limit", least=1, most=500) or 50
    statuses = inputs.optional_text(args, "status") or ""
    with services().database.read() as orm:
        found = sessions.list_sessions(
            orm,
            statuses=[status for status in statuses.split(",") if status],
            workflow_id=inputs.optional_text(args, "workflowId"),
            limit=limit + 1,
            cursor=inputs.optional_text(args, "cursor"),
        )
    rows = [_show(services().as_it_is(session)) for session in found[:limit]]
    next_cursor = found[limit - 1].id if len(found) > limit else None
    return jsonify({"sessions": rows, "nextCursor": next_cursor})


@blueprint.get("/<session_id>")
def get_session(session_id: str) -> Response:
    """One session."""
    return jsonify(_show(services().look_up(session_id)))


@blueprint.post("/<session_id>/cancel")
def cancel_session(session_id: str) -> tuple[Response, int]:
    """Ask the agent to end (SIGTERM, later SIGKILL): 202. 409 if it has ended."""
    session = services().look_up(session_id)
    if session.is_live:
        try:
            control.cancel(session_files(services().launcher.var, session))
        except control.RunnerGone:
            session = services().look_up(session_id)
        else:
            return jsonify(_show(session)), 202
    if session.is_live:
        raise Conflict(f"Session {session_id!r} is just ending.", field="sessionId", retry_after=1)
    raise Conflict(f"Session {session_id!r} has ended: it is {session.status}.", field="sessionId")


def _show(session: Session) -> dict[str, object]:
    return shapes.session(session, _log_bytes(session) if session.is_live else None)


def _log_bytes(session: Session) -> int | None:
    try:
        return session_files(services().launcher.var, session).log.stat().st_size
    except OSError:
        return None
