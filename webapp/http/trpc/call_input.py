"""The input of a request, as tRPC's links send it."""

import hashlib
import json

from flask import g, request

from webapp.compat.gunicorn import BadBody
from webapp.errors import BadRequest
from webapp.http import budgets, connection, inputs
from webapp.sessions.once import IdempotencyKey

MAX_BYTES_BESIDE_TEXTS = 64 * 1024


def read_input() -> object:
    """The body of a POST, `?input=` of a GET; None where there is none. BadRequest."""
    if request.method == "POST":
        text: str | bytes = _read_body()
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


def _read_body() -> bytes:
    try:
        body = request.get_data(cache=False)
    except BadBody as error:
        raise BadRequest(f"The body's chunks are malformed: {error}.") from None
    connection.body_was_read()
    budgets.count_bytes(len(body))
    _check_shape(body)
    return body


def _check_shape(body: bytes) -> None:
    """Refuse what would keep everybody waiting while it is parsed: a text may be long, a
    million small values may not."""
    if len(body) <= MAX_BYTES_BESIDE_TEXTS:
        return
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    parts = unescaped.split(b'"', 2 * MAX_BYTES_BESIDE_TEXTS)  # outside a text, inside, outside …
    if sum(map(len, parts[::2])) > MAX_BYTES_BESIDE_TEXTS:
        raise BadRequest(
            f"The body has more than {MAX_BYTES_BESIDE_TEXTS} bytes beside its texts.",
            field="input",
        )


def read_subscription_input() -> object:
    """As `read_input`, with the id of the last event that the client had as `lastEventId`.

    An EventSource that reconnects sends it as a header, beside the input that it had at
    first.
    """
    value = read_input()
    args = request.args
    last_id = request.headers.get(
        "Last-Event-ID", args.get("lastEventId", args.get("Last-Event-Id"))
    )
    if not last_id:
        return value
    if value is None:
        return {"lastEventId": last_id}
    return value | {"lastEventId": last_id} if isinstance(value, dict) else value


def idempotency_key(own: str | None) -> str | None:
    """The key of this call: its own, or the request's `Idempotency-Key`."""
    if own:
        return own
    header = "Idempotency-Key"
    key = inputs.check_text(header, request.headers.get(header, ""))
    if key and g.get("call_index"):
        return f"{key}#{g.call_index}"  # a batch has one header for all of its calls
    return key or None


def hashed_key(own: str | None, value: object) -> IdempotencyKey | None:
    """The key of this call together with its input, for which the key is used."""
    key = idempotency_key(own)
    if key is None:
        return None
    content = json.dumps(value, sort_keys=True).encode()
    return IdempotencyKey(key, hashlib.sha256(content).hexdigest())
