"""`/api/sessions`: the list, how many there are, one session, and an end to it."""

from typing import Literal

from flask import Blueprint, Response, jsonify, request

from webapp.http import session_query
from webapp.http.inputs import Input, convert_args
from webapp.http.services import services

blueprint = Blueprint("sessions", __name__, url_prefix="/api/sessions")


class _Include(Input):
    include: Literal["titles"] | None = None


@blueprint.get("")
def list_sessions() -> Response:
    """A page of them, newest first unless `sort` says otherwise.

    `?status=…&agent=…&workflowId=…&from=…&to=…&text=…&sort=…&limit=…&cursor=…&include=titles`
    """
    has_titles = convert_args(request.args, _Include).include is not None
    query = session_query.from_args(request.args)
    return jsonify(session_query.answer(query, has_titles=has_titles))


@blueprint.get("/counts")
def count_sessions() -> Response:
    """`{total, byStatus, byAgent}`: how many there are. `?agent=a,b`"""
    return jsonify(session_query.counts(session_query.from_args(request.args).wanted.agents))


@blueprint.get("/<session_id>")
def get_session(session_id: str) -> Response:
    """One session."""
    return jsonify(services().show_with_cost(services().look_up(session_id)))


@blueprint.post("/<session_id>/cancel")
def cancel_session(session_id: str) -> tuple[Response, int]:
    """Ask the agent to end (SIGTERM, later SIGKILL): 202. 409 if it has ended."""
    return jsonify(services().show(services().cancel(session_id))), 202
