"""`/api/sessions`: the list, one session, and an end to it."""

from flask import Blueprint, Response, jsonify, request

from webapp.http import inputs
from webapp.http.services import services
from webapp.store import sessions

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
    rows = [services().show(services().as_it_is(session)) for session in found[:limit]]
    next_cursor = found[limit - 1].id if len(found) > limit else None
    return jsonify({"sessions": rows, "nextCursor": next_cursor})


@blueprint.get("/<session_id>")
def get_session(session_id: str) -> Response:
    """One session."""
    return jsonify(services().show(services().look_up(session_id)))


@blueprint.post("/<session_id>/cancel")
def cancel_session(session_id: str) -> tuple[Response, int]:
    """Ask the agent to end (SIGTERM, later SIGKILL): 202. 409 if it has ended."""
    return jsonify(services().show(services().cancel(session_id))), 202
