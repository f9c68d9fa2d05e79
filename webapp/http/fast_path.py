"""The fast path to a stream: a viewer joins a log that is watched in this worker already.

After a deploy all viewers come back in the same second. What Flask, the database and a greenlet
do for each would take seconds of the processor, and is the same for nearly all of them. Here the
same checks are made by the same code, the log is the one that is open, and its first frames are
those that the others got. Whatever is not quite ordinary goes the whole way: see `agent_stream`.
"""

import os
import time
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from flask import Request

from webapp.compat.gunicorn import SERVER_NAME
from webapp.connections.security_headers import SECURITY_HEADERS
from webapp.connections.simple_head import read_head
from webapp.errors import AgentStreamError
from webapp.http import login, request_log, security, view_options
from webapp.http.agent_stream import PATH, STREAM_HEADERS
from webapp.http.inputs import convert_args
from webapp.http.proxies import behind_proxies
from webapp.http.services import Services
from webapp.http.trpc.structs import OneSession
from webapp.log.event_id import EventId
from webapp.server_log import context
from webapp.stream.feed import Feed
from webapp.stream.format import Format
from webapp.stream.streams import Joined
from webapp.stream.view import View

_PARAMETERS = {"sessionId", "offset", "format"}


class _Asked(NamedTuple):
    session_id: str
    offset: EventId | None
    form: Format


@lru_cache(maxsize=1024)
def _read_query(query: str) -> _Asked | None:
    """What an ordinary viewer asks for; None where it is something else, or not right."""
    pairs = parse_qsl(query, keep_blank_values=True)
    args = dict(pairs)
    if "sessionId" not in args or len(args) < len(pairs) or not _PARAMETERS.issuperset(args):
        return None
    try:
        asked = convert_args(args, view_options.ViewArgs)
        session_id = convert_args(args, OneSession).session_id
    except AgentStreamError:
        return None
    form = Format(as_envelope=asked.format == "envelope", is_raw=asked.format == "raw")
    return _Asked(session_id, view_options.read_id(args.get("offset")), form)


class FastPath:
    """Of one worker."""

    def __init__(self, parts: Services) -> None:
        settings = parts.settings
        self._parts = parts
        self._starts = tuple(f"GET {prefix}{PATH}?".encode() for prefix in {"", settings.prefix})
        self._as_sent = behind_proxies(settings, lambda environ, _start: environ)
        headers = SECURITY_HEADERS | STREAM_HEADERS
        if settings.debug_headers:
            headers["X-Worker-Pid"] = str(os.getpid())
        self._fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()

    def try_serve(self, connection: Any, address: Any, data: bytes) -> bool:
        """Whether a client that has just connected, and sent this, is a viewer who is served now.

        `connection` is a plain socket from which nothing has been read yet.
        """
        if not data.startswith(self._starts) or not isinstance(address, tuple):
            return False
        began_at = time.perf_counter()
        try:
            request = self._read_request(data, address[0])
            if request is None or not self._join(connection, request, len(data)):
                return False
        except AgentStreamError:
            return False  # it is refused with all that belongs to a refusal
        self._parts.meter.count_request("GET", PATH, 200)
        request_log.log_request(request, 200, began_at)
        return True

    def _read_request(self, data: bytes, address: str) -> Request | None:
        environ = read_head(data)
        if environ is None:
            return None
        environ["REMOTE_ADDR"] = address
        if not self._parts.settings.proxies and "HTTP_X_FORWARDED_PROTO" in environ:
            return None  # the server believes it of some clients
        return Request(self._as_sent(environ, None))

    def _join(self, connection: Any, request: Request, size: int) -> bool:
        """Serve the viewer if somebody watches that log here. AgentStreamError."""
        asked = _read_query(request.environ["QUERY_STRING"])
        if asked is None:
            return False
        security.check_sender(self._parts.settings, request)
        current_login = login.find_login(self._parts, request)
        self._parts.admit_stream()
        request_id = context.begin_request(request.headers.get(request_log.HEADER))
        context.session_id.set(asked.session_id)

        def make(feed: Feed) -> Joined | None:
            last_id = request.headers.get("Last-Event-ID")
            after = asked.offset if last_id is None else view_options.read_id(last_id)
            if after is None or (after.offset >= feed.size() and feed.is_complete()):
                return None  # it may have had the `done`
            connection.recv(size)
            return Joined(self._head(request_id), self._view(asked, feed, after, current_login))

        return self._parts.streams.join(connection, asked.session_id, make)

    def _view(self, asked: _Asked, feed: Feed, after: EventId, current_login: str | None) -> View:
        return View(
            session_id=asked.session_id,
            log=feed.path,
            form=asked.form,
            ping_seconds=self._parts.settings.ping_seconds,
            recorded_end=lambda: feed.end_by_row,
            after=after,
            login=current_login,
        )

    def _head(self, request_id: str) -> bytes:
        """As the server would write it, in front of a chunked body."""
        head = _server_head(int(time.time())) + self._fields
        return head + f"{request_log.HEADER}: {request_id}\r\n\r\n".encode()


@lru_cache(maxsize=1)
def _server_head(now: int) -> bytes:
    """The status line, and the headers that the server adds."""
    return (
        f"HTTP/1.1 200 OK\r\nServer: {SERVER_NAME}\r\nDate: {formatdate(now, usegmt=True)}\r\n"
        "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"
    ).encode()
