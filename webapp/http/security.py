"""Who may ask: by default nobody, and each request is asked before anything else runs."""

import hmac
from urllib.parse import urlsplit

from flask import Flask, Response, request

from webapp.errors import Forbidden, MisdirectedRequest, Unauthorized, UnsupportedMediaType
from webapp.http.services import services
from webapp.settings import is_loopback

_OPEN_ENDPOINTS = {"ops.healthz", "ops.readyz"}
"""Answer without a token: they tell nothing and start nothing."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def check_request() -> None:
    """Raise unless this request may go on."""
    _check_host()
    _check_token()
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        require_same_site()
        if request.mimetype != "application/json":
            raise UnsupportedMediaType(
                f"Content-Type is {request.mimetype or 'missing'!r}, expected 'application/json'."
            )


def _check_host() -> None:
    """Against DNS rebinding: a foreign name that resolves to us is not our name."""
    host = _host_name(request.host)
    settings = services().settings
    if is_loopback(host) or host == settings.host or host in settings.allowed_hosts:
        return
    raise MisdirectedRequest(
        f"This server does not answer for {host!r}; AGENT_STREAM_ALLOWED_HOSTS names the hosts "
        "that it answers for.",
        field="Host",
    )


def _check_token() -> None:
    token = services().settings.token
    if token is None or request.endpoint in _OPEN_ENDPOINTS:
        return
    scheme, _space, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.encode(), token.encode()):
        raise Unauthorized("This server wants a token: send Authorization: Bearer <token>.")


def require_same_site() -> None:
    """Refuse what another web site makes a browser send: it could start agents. Forbidden."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("Another web site may not do this.", field="Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if origin is not None and origin.partition("://")[2] != request.host:
        raise Forbidden(f"Origin {origin!r} may not do this.", field="Origin")


def _host_name(host: str) -> str:
    """A Host header's name, less its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def add_headers(response: Response) -> Response:
    """What keeps a browser from being turned against us."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def register(app: Flask) -> None:
    """Guard every route of the app."""
    app.before_request(check_request)
    app.after_request(add_headers)
