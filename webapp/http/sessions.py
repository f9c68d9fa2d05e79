"""`/api/sessions`: the list, how many there are, one session, and an end to it."""

from flask import Blueprint, Response, jsonify, request

from webapp.errors import BadRequest
from webapp.http import inputs, session_query
from webapp.http.services import services

blueprint = Blueprint("sessions", __name__, url_prefix="/api/sessions")


@blueprint.get("")
def list_sessions() -> Response:
    """A page of them, newest first unless `sort` says otherwise.

    `?status=…&agent=…&workflowId=…&from=…&to=…&text=…&sort=…&limit=…&cursor=…&include=titles`
    """
    args = request.args.to_dict()
    include = inputs.optional_text(args, "include")
    if include not in (None, "titles"):
        raise BadRequest(f"include is {include!r}, expected titles.", field="include")
    query = session_query.from_args(args)
    return jsonify(session_query.answer(query, has_titles=include is not None))


@blueprint.get("/counts")
def count_sessions() -> Response:
    """`{total, byStatus, byAgent}`: how many there are. `?agent=a,b`"""
    return jsonify(session_query.counts(session_query.from_args(request.args).wanted.agents))


@blueprint.get("/<session_id>")
def get_session(session_id: str) -> Response:
    """One session."""
    return jsonify(services().show(services().look_up(session_id)))


@blueprint.post("/<session_id>/cancel")
def cancel_session(session_id: str) -> tuple[Response, int]:
    """Ask the agent to end (SIGTERM, later SIGKILL): 202. 409 if it has ended."""
    return jsonify(services().show(services().cancel(session_id))), 202
