"""`/api/trpc/<procedure>[,<procedure>…]`: one call, several in a batch, or a subscription.

https://trpc.io/docs/rpc, and what @trpc/server answers where that does not say.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import takewhile

from flask import Blueprint, Response, g, request, stream_with_context

from webapp.errors import AgentStreamError, BadRequest, MethodNotAllowed, NotFound
from webapp.http import budgets, inputs
from webapp.http.errors import as_known_error, error_body
from webapp.http.login import current_login
from webapp.http.services import services
from webapp.http.trpc import batch_stream, event_stream
from webapp.http.trpc.call_input import read_input, read_subscription_input
from webapp.http.trpc.json_text import to_json
from webapp.http.trpc.procedure import Procedure, Subscription
from webapp.http.trpc.router import PROCEDURES

MAX_BATCH = 100

blueprint = Blueprint("trpc", __name__, url_prefix="/api/trpc")


@blueprint.route("/<path:paths>", methods=["GET", "POST"])
def answer(paths: str) -> Response:
    """One call, or with `?batch=1` several, separated by commas."""
    if request.method == "HEAD":
        return Response(status=204)
    is_batch, is_stream = request.args.get("batch") == "1", batch_stream.is_wanted()
    names = paths.split(",") if is_batch else [paths]
    if is_stream and not is_batch:
        raise BadRequest("Streaming requests must be batched (you can do a batch of 1).")
    if len(names) > MAX_BATCH:
        raise BadRequest(f"{len(names)} calls in a batch, expected at most {MAX_BATCH}.")
    if request.method == "POST" and len(names) > 1:
        budgets.count_changes(len(names) - 1)  # the request was counted as one

    procedure = PROCEDURES.get(paths)
    if isinstance(procedure, Subscription) and not is_batch:
        return _subscribe(paths, procedure)
    if not is_batch:
        status, body = _call(paths, read_input)
        return _respond(status, body)
    if is_stream:
        lines = batch_stream.encode(len(names), (body for _status, body in _call_each(names)))
        return _vary(Response(stream_with_context(lines), mimetype="application/json"))
    answers = list(_call_each(names))
    statuses = {status for status, _body in answers}
    status = statuses.pop() if len(statuses) == 1 else 207
    return _respond(status, [body for _status, body in answers])


def _call_each(names: list[str]) -> Iterator[tuple[int, dict[str, object]]]:
    """The answers of a batch, one after the other; a call that fails fails alone."""
    known = tuple(str(index) for index in range(len(names)))
    try:
        given = read_input()
        given = inputs.check_object({} if given is None else given, known)
    except Exception as exception:
        error = _known_error(exception)
        for name in names:
            yield error.status, error_body(error, name)
        return
    for index, name in enumerate(names):
        g.call_index = index
        yield _call(name, partial(given.get, str(index)))


def _call(name: str, read: Callable[[], object]) -> tuple[int, dict[str, object]]:
    try:
        procedure = _find(name)
        if isinstance(procedure, Subscription):
            raise BadRequest("Cannot batch subscription calls.")
        if (request.method == "POST") != (procedure.kind == "mutation"):
            verb = "POST" if procedure.kind == "mutation" else "GET"
            raise MethodNotAllowed(f"{name} is a {procedure.kind}: call it with {verb}.")
        return 200, {"result": {"data": procedure.call(read())}}
    except Exception as exception:
        error = _known_error(exception)
        return error.status, error_body(error, name)


def _known_error(exception: Exception) -> AgentStreamError:
    """As `as_known_error`; when to try again goes into the answer's header."""
    error = as_known_error(exception)
    if error.retry_after is not None:
        g.retry_after = error.retry_after
    return error


def _find(name: str) -> Procedure | Subscription:
    procedure = PROCEDURES.get(name)
    if procedure is None:
        raise NotFound(f'No procedure found on path "{name}".')
    return procedure


def _subscribe(name: str, procedure: Subscription) -> Response:
    """An error goes into the stream: an EventSource shows its page no other."""
    try:
        if request.method != "GET":
            raise MethodNotAllowed(f"{name} is a subscription: call it with GET.")
        yielded = procedure.call(read_subscription_input())
    except Exception as exception:
        stream = event_stream.encode_refusal(as_known_error(exception), name)
    else:
        services_, login = services(), current_login()
        until_logged_out = takewhile(lambda _item: services_.streams.may_go_on(login), yielded)
        stream = event_stream.encode(until_logged_out, name, services_.settings.ping_seconds)
    response = Response(stream_with_context(stream), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-cache, no-transform"
    response.headers["X-Accel-Buffering"] = "no"  # nginx: pass each frame on as it comes
    return _vary(response)


def _respond(status: int, body: object) -> Response:
    response = Response(to_json(body), status, mimetype="application/json")
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    return _vary(response)


def _vary(response: Response) -> Response:
    response.vary.update(("trpc-accept", "accept"))
    return response
