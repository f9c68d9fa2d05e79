"""`/login` and `/logout`: a person shows the token once, and gets a cookie for it."""

import hashlib
import hmac

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from webapp.errors import TooManyRequests, Unauthorized
from webapp.http.client_address import LOOPBACK, client_address
from webapp.http.login_cookie import LIFE_SECONDS, RENEWAL_SECONDS
from webapp.http.rates import Rate
from webapp.http.services import services

REFUSED_TOKENS = Rate("refused token", per_minute=10)
"""Wrong tokens from one address. A right one waits too: else it could still be guessed."""
_LOOPBACK_GROUPS = 4096
"""On loopback, and behind a proxy that is not in `proxies`, everybody has one address. There a
wrong token delays only the tokens of its own group, which a hash picks: a program that goes on
trying the same wrong token delays nobody, and guesses are limited all the same."""

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def login_page() -> AnyResponse:
    """The form; for whoever is logged in, the way out."""
    if services().settings.token is None:
        return redirect("/", 303)
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
    set_cookie(response)
    return response


@blueprint.post("/logout")
def log_out() -> AnyResponse:
    """Take the cookie back: 303."""
    response = redirect(url_for("login.login_page"), 303)
    response.delete_cookie(_cookie_name(), secure=request.is_secure, httponly=True)
    return response


def render_login(next_path: str, problem: str | None = None) -> str:
    """The page with the form."""
    return render_template(
        "login.html", next_path=next_path, problem=problem, is_logged_in=has_cookie()
    )


def check_token(given: str) -> None:
    """Unauthorized if it is not the server's token, TooManyRequests after too many of those."""
    token, rates = services().settings.token, services().rates
    assert token is not None
    given_bytes = given.encode(errors="replace")
    client = client_address()
    if client == LOOPBACK:
        digest = hashlib.blake2b(given_bytes, digest_size=8).digest()
        client += f" {int.from_bytes(digest) % _LOOPBACK_GROUPS}"
    wait = rates.wait_seconds(REFUSED_TOKENS, client)
    if wait > 0:
        raise TooManyRequests(
            "Too many wrong tokens came from your address; try again in a minute.",
            retry_after=int(wait) + 1,
        )
    if not hmac.compare_digest(given_bytes, token.encode()):
        rates.take(REFUSED_TOKENS, client)
        raise Unauthorized("That is not the token of this server.")


def has_cookie() -> bool:
    """Whether this request carries a good cookie; one that has aged is renewed in the answer."""
    cookies = services().login_cookies
    cookie = request.cookies.get(_cookie_name())
    if cookies is None or cookie is None:
        return False
    age_seconds = cookies.age_seconds(cookie)
    if age_seconds is None:
        return False
    g.should_renew_cookie = age_seconds > RENEWAL_SECONDS
    return True


def renew_cookie(response: Response) -> Response:
    """After each request: a new cookie in place of one that has aged."""
    if g.get("should_renew_cookie") and "Set-Cookie" not in response.headers:
        set_cookie(response)
    return response


def set_cookie(response: AnyResponse) -> None:
    """Give the browser a new cookie."""
    cookies = services().login_cookies
    assert cookies is not None
    response.set_cookie(
        _cookie_name(),
        cookies.make(),
        max_age=LIFE_SECONDS,
        secure=request.is_secure,
        httponly=True,
        samesite="Strict",
    )
    response.headers["Cache-Control"] = "no-store"


def _cookie_name() -> str:
    """With TLS a name that browsers take from this very host only; without, one a port.

    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-the-__host-prefix
    """
    if request.is_secure:
        return "__Host-agent-stream"
    return f"agent-stream-{services().settings.port}"


def _next_path(wanted: str | None) -> str:
    """Where to go after the login: a path of this server, and nothing else."""
    if wanted is None or not wanted.startswith("/") or wanted.startswith(("//", "/\\", "/login")):
        return "/"
    return wanted if wanted.isascii() and wanted.isprintable() else "/"
