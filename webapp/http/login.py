"""`/login` and `/logout`: a person shows the token once, and gets a cookie for it."""

import hashlib
import hmac
from typing import cast

from flask import Blueprint, Request, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.connections.address import LOOPBACK
from webapp.errors import BadRequest, TooManyRequests, Unauthorized
from webapp.http.client_address import client_address
from webapp.http.rates import Rate
from webapp.http.services import Services, services
from webapp.store.logins import LIFE_SECONDS, end_all

REFUSED_TOKENS = Rate("refused token", per_minute=10)
"""Wrong tokens from one address. A right one waits too: else it could still be guessed."""
_LOOPBACK_GROUPS = 4096
"""On loopback, and behind a proxy that is not in `proxies`, everybody has one address. There a
wrong token delays only the tokens of its own group, which a hash picks: a program that goes on
trying the same wrong token delays nobody, and guesses are limited all the same."""
MAX_COOKIES = 400
"""More than this many of our name do not fit into one header field."""

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def login_page() -> AnyResponse:
    """The form; for whoever is logged in, the way out."""
    if services().settings.token is None:
        return redirect(url_for("pages.index"), 303)
    return make_response(render_login(_next_path(request.args.get("next"))))


@blueprint.post("/login")
def log_in() -> AnyResponse:
    """The token of the form for a new cookie: 303. The form again with 401 or 429."""
    next_path = _next_path(request.form.get("next"))
    if services().settings.token is None:
        return redirect(next_path, 303)
    try:
        check_token(request.form.get("token", ""))
    except (Unauthorized, TooManyRequests) as error:
        refusal = make_response(render_login(next_path, error.message), error.status)
        if error.retry_after is not None:
            refusal.headers["Retry-After"] = str(error.retry_after)
        return refusal
    response = redirect(next_path, 303)
    _set_cookie(response)
    _end_logins()  # the new one is in their place
    return response


@blueprint.post("/logout")
def log_out() -> AnyResponse:
    """End this browser's login, or with `everywhere=1` all logins: 303. Unauthorized."""
    everywhere = request.values.get("everywhere")
    if everywhere not in (None, "1"):
        raise BadRequest(f"everywhere is {everywhere!r}, expected 1.", field="everywhere")
    if everywhere is not None:
        require_login()
        end_all(services().settings.var)
    _end_logins()
    response = redirect(url_for("login.login_page"), 303)
    response.delete_cookie(
        _cookie_name(services(), request),
        path=request.script_root or "/",
        secure=request.is_secure,
        httponly=True,
    )
    return response


def render_login(next_path: str, problem: str | None = None) -> str:
    """The page with the form."""
    return render_template(
        "login.html",
        next_path=next_path,
        problem=problem,
        is_logged_in=bool(_live_cookies(services(), request)),
    )


def check_token(given: str) -> None:
    """Unauthorized if it is not the server's token, TooManyRequests after too many of those."""
    client = client_address(request)
    try:
        _judge_token(services(), given, client)
    except Unauthorized:
        services().rates.take(REFUSED_TOKENS, _guesser(given, client))
        raise


def _judge_token(parts: Services, given: str, client: str) -> None:
    """As `check_token`, without counting it."""
    assert parts.settings.token is not None
    wait = parts.rates.wait_seconds(REFUSED_TOKENS, _guesser(given, client))
    if wait > 0:
        raise TooManyRequests(
            "Too many wrong tokens came from your address; try again in a minute.",
            retry_after=int(wait) + 1,
        )
    if not hmac.compare_digest(given.encode(errors="replace"), parts.settings.token.encode()):
        raise Unauthorized("That is not the token of this server.")


def _guesser(given: str, client: str) -> str:
    """Whose wrong tokens are counted together with this one."""
    if client != LOOPBACK:
        return client
    digest = hashlib.blake2b(given.encode(errors="replace"), digest_size=8).digest()
    return f"{client} {int.from_bytes(digest) % _LOOPBACK_GROUPS}"


def require_login() -> None:
    """A script shows the token with each request, a person's browser its cookie. Unauthorized."""
    given = _bearer(request)
    if given is not None and services().settings.token is not None:
        check_token(given)
    else:
        g.login = find_login(services(), request)


def find_login(parts: Services, asked: Request) -> str | None:
    """The live login of a request; None for the token, or where none is asked for.

    Unauthorized, TooManyRequests; a wrong token is not counted.
    """
    if parts.settings.token is None:
        return None
    given = _bearer(asked)
    if given is not None:
        _judge_token(parts, given, client_address(asked))
        return None
    live = _live_cookies(parts, asked)
    if not live:
        raise Unauthorized(
            "This server wants a token: send Authorization: Bearer <token>, or open /login."
        )
    return live.pop()


def _bearer(asked: Request) -> str | None:
    scheme, _space, given = asked.headers.get("Authorization", "").partition(" ")
    return given if scheme.lower() == "bearer" else None


def current_login() -> str | None:
    """The login that let this request in; None for a token, or where none is asked for."""
    return cast(str | None, g.get("login"))


def _end_logins() -> None:
    """End each login whose cookie this request carries. ServiceUnavailable."""
    logins = services().logins
    if logins is not None:
        for cookie in _live_cookies(services(), request):
            logins.end(cookie)


def _live_cookies(parts: Services, asked: Request) -> set[str]:
    """The good ones among the cookies of our name.

    Cookies reach every port of a host: what another server sets there may come before ours.
    https://datatracker.ietf.org/doc/html/rfc6265#section-8.5
    """
    logins = parts.logins
    if logins is None:
        return set()
    given = asked.cookies.getlist(_cookie_name(parts, asked))[:MAX_COOKIES]
    return {cookie for cookie in given if logins.is_live(cookie)}


def _set_cookie(response: AnyResponse) -> None:
    logins = services().logins
    assert logins is not None
    response.set_cookie(
        _cookie_name(services(), request),
        logins.begin(),
        max_age=LIFE_SECONDS,
        path=request.script_root or "/",
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    response.headers["Cache-Control"] = "no-store"


def _cookie_name(parts: Services, asked: Request) -> str:
    """With TLS a name that browsers take from this very host only; without, one a port.

    Below a prefix the cookie has its path, so that no other server of the host gets it; browsers
    take that of secure pages only.
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix
    """
    if asked.is_secure:
        return "__Secure-agent-stream" if asked.script_root else "__Host-agent-stream"
    return f"agent-stream-{parts.settings.port}"


def _next_path(wanted: str | None) -> str:
    """Where to go after the login: a path of this server, and nothing else."""
    root = request.script_root
    elsewhere = ("//", "/\\", f"{root}/login")
    if wanted is None or not wanted.startswith(f"{root}/") or wanted.startswith(elsewhere):
        return f"{root}/"
    return wanted if wanted.isascii() and wanted.isprintable() else f"{root}/"
