"""`/api/trpc/<procedure>[,<procedure>…]`: tRPC 11 over HTTP.

https://trpc.io/docs/rpc
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from flask import Blueprint, Response, g, request

from webapp.agents.launch import MAX_MESSAGE_BYTES, IdempotencyKey, Invocation
from webapp.errors import BadRequest, MethodNotAllowed, NotFound
from webapp.http import inputs
from webapp.http.errors import as_known_error, error_body
from webapp.http.services import services
from webapp.store import shapes, workflows

MAX_BATCH = 100

blueprint = Blueprint("trpc", __name__, url_prefix="/api/trpc")


@dataclass(frozen=True)
class Procedure:
    """One procedure of the router; `call` takes its input and returns its data."""

    kind: Literal["query", "mutation"]
    call: Callable[[Any], object]


@blueprint.route("/<path:paths>", methods=["GET", "POST"])
def call(paths: str) -> Response:
    """One call, or with `?batch=1` several, separated by commas."""
    if request.args.get("batch") == "1":
        return _call_batch(paths.split(","))
    status, body = _call_one(paths, _json_input)
    return _respond(status, body)


def _call_batch(names: list[str]) -> Response:
    try:
        if len(names) > MAX_BATCH:
            raise BadRequest(f"{len(names)} calls in a batch, expected at most {MAX_BATCH}.")
        given = _json_input()
        given = inputs.check_object({} if given is None else given, "input", _indexes(names))
    except Exception as exception:
        error = as_known_error(exception)
        failed = [error_body(error, name) for name in names[:MAX_BATCH]]
        return _respond(error.status, failed)
    answers = []
    for index, name in enumerate(names):
        g.call_index = index
        answers.append(_call_one(name, partial(given.get, str(index))))
    statuses = {status for status, _body in answers}
    return _respond(
        statuses.pop() if len(statuses) == 1 else 207, [body for _status, body in answers]
    )


def _indexes(names: list[str]) -> tuple[str, ...]:
    return tuple(str(index) for index in range(len(names)))


def _call_one(name: str, read_input: Callable[[], object]) -> tuple[int, dict[str, object]]:
    try:
        procedure = PROCEDURES.get(name)
        if procedure is None:
            raise NotFound(f'No procedure found on path "{name}".')
        if (request.method == "POST") != (procedure.kind == "mutation"):
            verb = "POST" if procedure.kind == "mutation" else "GET"
            raise MethodNotAllowed(f"{name} is a {procedure.kind}: call it with {verb}.")
        return 200, {"result": {"data": procedure.call(read_input())}}
    except Exception as exception:
        error = as_known_error(exception)
        if error.retry_after is not None:
            g.retry_after = error.retry_after
        return error.status, error_body(error, name)


def _json_input() -> object:
    """The input of the request: its body for a mutation, `?input=` for a query."""
    if request.method == "POST":
        text: str | bytes = request.get_data(cache=False)
        where = "The body"
    else:
        text = request.args.get("input", "")
        where = "input"
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{where} is not valid JSON: {error}.", field="input") from None


def _respond(status: int, body: object) -> Response:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    content = text.encode("utf-8", "backslashreplace")  # half a surrogate: \\ud800, valid JSON
    response = Response(content, status, mimetype="application/json")
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return response


# --- procedures -----------------------------------------------------------------------


def create_workflow(value: object) -> object:
    """`workflow.create {requestId?, template?, initialMessage?}` → the workflow."""
    known = ("requestId", "template", "initialMessage")
    given = inputs.check_object({} if value is None else value, "input", known)
    template = inputs.optional_text(given, "template") or "chat"
    request_id = inputs.optional_text(given, "requestId")
    message = inputs.optional_text(given, "initialMessage", most_bytes=MAX_MESSAGE_BYTES)
    return services().database.write(
        lambda orm: shapes.workflow(
            workflows.create_workflow(
                orm, template=template, request_id=request_id, initial_message=message
            )
        )
    )


def get_workflow(value: object) -> object:
    """`workflow.get` with a plain id → the workflow."""
    workflow_id = inputs.required_text({"workflowId": value}, "workflowId")
    with services().database.read() as orm:
        return shapes.workflow(workflows.get_workflow(orm, workflow_id))


def list_workflows(value: object) -> object:
    """`workflow.list {status?, limit?, cursor?}` → `{workflows, nextCursor}`, newest first."""
    known = ("status", "limit", "cursor")
    given = inputs.check_object({} if value is None else value, "input", known)
    limit = inputs.optional_number(given, "limit", least=1, most=200) or 50
    with services().database.read() as orm:
        found = workflows.list_workflows(
            orm,
            status=inputs.optional_text(given, "status"),
            limit=limit + 1,
            cursor=inputs.optional_text(given, "cursor"),
        )
        rows = [shapes.workflow(workflow) for workflow in found[:limit]]
    return {
        "workflows": rows,
        "nextCursor": found[limit - 1].id if len(found) > limit else None,
    }


def invoke_agent(value: object) -> object:
    """`workflow.invokeAgent {workflowId, message?, stageIndex?, agent?}` → the new session."""
    known = ("workflowId", "message", "stageIndex", "agent")
    given = inputs.check_object(value, "input", known)
    invocation = Invocation(
        workflow_id=inputs.required_text(given, "workflowId"),
        message=inputs.optional_text(given, "message", most_bytes=MAX_MESSAGE_BYTES),
        stage_index=inputs.optional_number(given, "stageIndex", least=0, most=10_000),
        agent=inputs.optional_text(given, "agent"),
    )
    session = services().launcher.invoke(invocation, _idempotency_key(given))
    return {
        "sessionId": session.id,
        "workflowId": session.workflow_id,
        "stageIndex": session.stage_index,
        "status": "running",
    }


def _idempotency_key(given: dict[str, object]) -> IdempotencyKey | None:
    key = inputs.optional_text(
        {"Idempotency-Key": request.headers.get("Idempotency-Key")}, "Idempotency-Key"
    )
    if not key:
        return None
    if g.get("call_index"):
        key = f"{key}#{g.call_index}"  # a batch has one header for all of its calls
    content = json.dumps(given, sort_keys=True).encode()
    return IdempotencyKey(key, hashlib.sha256(content).hexdigest())


PROCEDURES = {
    "workflow.create": Procedure("mutation", create_workflow),
    "workflow.get": Procedure("query", get_workflow),
    "workflow.list": Procedure("query", list_workflows),
    "workflow.invokeAgent": Procedure("mutation", invoke_agent),
}
