"""Who may ask: by default nobody, and each request is asked before anything else runs."""

from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

from webapp.connections.security_headers import SECURITY_HEADERS
from webapp.errors import (
    Forbidden,
    LengthRequired,
    MisdirectedRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from webapp.http import budgets, connection, login
from webapp.http.services import services
from webapp.sessions.new_session import MAX_MESSAGE_BYTES
from webapp.settings import Settings, is_loopback

_OPEN_ENDPOINTS = {
    "ops.healthz",
    "ops.readyz",
    "login.login_page",
    "login.log_in",
    "login.log_out",
}
"""Answer without a token: they tell nothing and start nothing."""
_OPEN_FILES = {
    *(f"css/{name}.css" for name in ("tokens", "base", "controls", "login")),
    "js/login.js",
    "favicon.svg",
}
"""What the login page is made of."""

_SPECULATION_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
"""Sent with what nobody has asked for yet; the older names are those of other browsers.

https://fetch.spec.whatwg.org/#sec-purpose-header
"""

_FORM = "application/x-www-form-urlencoded"
_READING = ("GET", "HEAD", "OPTIONS")

_CALLS = ("trpc.answer", "approvals.answer_approval", "colours.colours")
MAX_CALL_BYTES = 6 * MAX_MESSAGE_BYTES + 64 * 1024
"""Of the body of a call: a message each byte of which JSON escapes (`\\u001b`), and the rest."""
MAX_OTHER_BYTES = 4 * 1024
"""Of any other body, such as that of a form."""


def check_request() -> None:
    """Raise unless this request may go on."""
    check_sender(services().settings, request)
    if not _is_open():
        login.require_login()
        connection.let_in()
    _check_body()
    if request.method not in _READING:
        budgets.count_changes()


def check_sender(settings: Settings, request: Request) -> None:
    """Raise unless a request is for this server, and not from another web site or a guess."""
    _check_host(settings, request)
    _check_site(request)
    _check_purpose(request)


def _check_host(settings: Settings, request: Request) -> None:
    """Against DNS rebinding: a foreign name that resolves to us is not our name."""
    host = _host_name(request.host)
    if is_loopback(host) or host == settings.host or host in settings.allowed_hosts:
        return
    raise MisdirectedRequest(
        f"This server does not answer for {host!r}; AGENT_STREAM_ALLOWED_HOSTS names the hosts "
        "that it answers for.",
        field="Host",
    )


def _check_site(request: Request) -> None:
    """Refuse what another web site makes a browser send, but for a link that is followed.

    https://web.dev/articles/fetch-metadata
    """
    is_link = (
        request.method in ("GET", "HEAD")
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
        and "Origin" not in request.headers
    )
    if is_link:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("Another web site may not do this.", field="Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise Forbidden(f"Origin {origin!r} may not do this.", field="Origin")


def _check_purpose(request: Request) -> None:
    """Refuse what a browser prefetches or prerenders, which looks as if a person had typed it.

    Any web site can make a browser do so: https://wicg.github.io/nav-speculation/
    """
    if request.endpoint == "static":
        return
    for name in _SPECULATION_HEADERS:
        if name in request.headers:
            raise Forbidden("Only static files are prefetched or prerendered.", field=name)


def require_script() -> None:
    """Refuse an address that a browser opens as a page, a frame or a picture. Forbidden.

    Browsers send Sec-Fetch-* only to HTTPS and loopback servers. Everywhere, they accept XHTML
    where a page is wanted, and only there:
    https://developer.mozilla.org/docs/Web/HTTP/Guides/Content_negotiation/List_of_default_Accept_values
    """
    headers = request.headers
    if (
        headers.get("Sec-Fetch-Mode") == "navigate"
        or headers.get("Sec-Fetch-Dest", "empty") != "empty"
        or "application/xhtml+xml" in headers.get("Accept", "")
    ):
        raise Forbidden(
            "Opening this address as a page starts no agent; ask by EventSource, fetch() or curl.",
            field="workflowId",
        )
    if login.current_login() is not None and "Sec-Fetch-Site" not in headers:
        _check_referer()


def _check_referer() -> None:
    """Refuse a GET that carries our cookie but comes from no page of ours. Forbidden.

    Without TLS a page of a host beside ours, or of another port, may send one: its address is of
    the same site, so the cookie goes with it, and neither Sec-Fetch-Site nor Origin does.
    """
    if urlsplit(request.headers.get("Referer", "")).netloc != request.host:
        raise Forbidden(
            "A login starts agents from pages of this server only; a script sends "
            "Authorization: Bearer <token>.",
            field="Referer",
        )


def _is_open() -> bool:
    if request.endpoint == "static":
        return (request.view_args or {}).get("filename") in _OPEN_FILES
    return request.endpoint in _OPEN_ENDPOINTS


def _check_body() -> None:
    """A body is JSON, which no page of another site can send unasked; and not too long."""
    length, is_call = request.content_length, request.endpoint in _CALLS
    request.max_content_length = MAX_CALL_BYTES if is_call else MAX_OTHER_BYTES
    if request.method in _READING and not connection.has_body():
        return
    is_form = request.endpoint in ("login.log_in", "login.log_out") and request.mimetype == _FORM
    if request.mimetype != "application/json" and not is_form:
        raise UnsupportedMediaType(
            f"Content-Type is {request.mimetype or 'missing'!r}, expected 'application/json'."
        )
    if length is None and connection.has_body() and not is_call:
        raise LengthRequired("The request has no Content-Length.", field="Content-Length")
    if length is not None and length > request.max_content_length:
        raise PayloadTooLarge(
            f"The request's body has {length} bytes, expected at most {request.max_content_length}."
        )


@lru_cache(maxsize=256)
def _host_name(host: str) -> str:
    """A Host header's name, less its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def add_headers(response: Response) -> Response:
    """What keeps a browser from being turned against us."""
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def register(app: Flask) -> None:
    """Guard every route of the app."""
    app.before_request(check_request)
    app.after_request(add_headers)
    app.after_request(connection.end_request)
