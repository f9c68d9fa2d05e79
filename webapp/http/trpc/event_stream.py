"""A subscription as Server-Sent Events, as `httpSubscriptionLink` reads them.

`connected` comes first, with what the client should do; then each thing that is yielded,
with its id; `ping` in between. `serialized-error` is an error: the client tries again for
those that pass, and gives up for the others. A stream that just ends is a break, after
which the client comes back with the last id.
"""

import random
from collections.abc import Iterator

from webapp.errors import AgentStreamError
from webapp.http.errors import as_known_error, error_body
from webapp.http.trpc.json_text import to_json
from webapp.http.trpc.procedure import Ping, Tracked
from webapp.stream.view import RETRY_MS

SILENT_PINGS = 3
"""How many pings may be missing before the client takes the line for dead."""

_PING = b"event: ping\ndata: \n\n"


def encode(yielded: Iterator[Tracked | Ping], path: str, ping_seconds: float) -> Iterator[bytes]:
    """The body of a subscription's response."""
    options = {"reconnectAfterInactivityMs": int(ping_seconds * 1000 * SILENT_PINGS)}
    yield b"retry: %d\nevent: connected\ndata: %s\n\n" % (
        random.randint(*RETRY_MS),
        to_json(options),
    )
    try:
        for item in yielded:
            yield _PING if isinstance(item, Ping) else _encode_tracked(item)
    except Exception as exception:
        yield _encode_error(as_known_error(exception), path)


def encode_refusal(error: AgentStreamError, path: str) -> Iterator[bytes]:
    """The body for a subscription that did not come about."""
    yield b"retry: %d\n\n" % random.randint(*RETRY_MS)
    yield _encode_error(error, path)


def _encode_tracked(item: Tracked) -> bytes:
    return b"id: %s\ndata: %s\n\n" % (item.id.encode(), to_json(item.data))


def _encode_error(error: AgentStreamError, path: str) -> bytes:
    shape = error_body(error, path)["error"]
    return b"event: serialized-error\ndata: %s\n\n" % to_json(shape)
