"""`/api/approvals`: what concerns a person; and the answer to what waits for one."""

from typing import Any

from flask import Blueprint, Response, jsonify

from webapp.http.inputs import convert
from webapp.http.services import services, who
from webapp.http.trpc.call_input import read_input
from webapp.http.trpc.structs import AnswerText
from webapp.server_log import context
from webapp.sessions import approvals

blueprint = Blueprint("approvals", __name__, url_prefix="/api")


@blueprint.get("/approvals")
def list_approvals() -> Response:
    """All that waits for a person, oldest session first, and all notices, newest first."""
    return jsonify(list_open())


@blueprint.post("/sessions/<session_id>/approvals/<approval_id>")
def answer_approval(session_id: str, approval_id: str) -> Response:
    """`{option, message?, input?, answers?, by?}` → the resolved approval. The first one counts."""
    return jsonify(answer(session_id, approval_id, convert(read_input(), AnswerText)))


def list_open() -> dict[str, list[dict[str, object]]]:
    """`{approvals: [{sessionId, workflowId, …}], notices: [{key, kind, …}]}`."""
    return services().approvals_board.read()


def answer(session_id: str, approval_id: str, given: AnswerText) -> dict[str, Any]:
    """Answer an approval; its resolution."""
    context.session_id.set(session_id)
    values = {
        "option": given.option,
        "message": given.message,
        "input": given.input,
        "answers": given.answers,
        "by": who(given.by),
    }
    said = {name: value for name, value in values.items() if value is not None}
    launcher = services().launcher
    found = approvals.answer(services().database, launcher.var, session_id, approval_id, said)
    return {"sessionId": session_id, **found}
