"""A person shows the token once, and has a cookie from then on."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.client import Client
from tests.http.conftest import MakeClient, open_client
from webapp.http import login_cookie
from webapp.http.login_cookie import LoginCookies

TOKEN = "s3cret-token-of-tests"
PAGE = {"Accept": "text/html"}
COOKIE = "agent-stream-8000"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker that wants a token."""
    with open_client(tmp_path_factory.mktemp("login"), token=TOKEN) as opened:
        yield opened


@pytest.fixture
def browser(guarded: Client) -> FlaskClient:
    """A browser without a cookie."""
    return guarded.app.test_client()


def log_in(browser: FlaskClient, token: str = TOKEN, **options: Any) -> TestResponse:
    """What the form sends. Each test has an address of its own: wrong tokens are counted."""
    form = {"token": token, "next": options.pop("next", "/")}
    return browser.post("/login", data=form, **options)


def test_page_without_a_cookie_is_the_login(browser: FlaskClient) -> None:
    response = browser.get("/?x=1", headers=PAGE)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert 'name="token"' in response.text
    assert 'value="/?x=1"' in response.text


def test_program_without_a_token_gets_json_and_no_page(browser: FlaskClient) -> None:
    response = browser.get("/api/sessions", headers=PAGE)
    assert response.status_code == 401
    assert response.get_json()["error"]["code"] == "UNAUTHORIZED"


def test_login_opens_every_page_and_the_api(browser: FlaskClient) -> None:
    response = log_in(browser)
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    assert browser.get("/", headers=PAGE).status_code == 200
    assert browser.get("/api/sessions").status_code == 200
    assert browser.post("/api/trpc/workflow.create", json={}).status_code == 200
    assert "You are logged in" in browser.get("/login").text


def test_cookie_is_strict_and_does_not_hold_the_token(browser: FlaskClient) -> None:
    header = log_in(browser).headers["Set-Cookie"]
    assert header.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="):
        assert part in header
    assert TOKEN not in header


def test_cookie_behind_tls_is_for_tls_and_this_host_only(browser: FlaskClient) -> None:
    header = log_in(browser, base_url="https://localhost").headers["Set-Cookie"]
    assert header.startswith("__Host-agent-stream=")
    assert "Secure" in header


def test_each_login_gives_another_cookie(browser: FlaskClient) -> None:
    cookies = {log_in(browser).headers["Set-Cookie"].partition(";")[0] for _ in range(3)}
    assert len(cookies) == 3


def test_cookie_that_was_there_before_the_login_is_replaced(browser: FlaskClient) -> None:
    browser.set_cookie(COOKIE, "chosen-by-somebody-else")
    assert browser.get("/", headers=PAGE).status_code == 401
    log_in(browser)
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    assert cookie.value != "chosen-by-somebody-else"


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x", TOKEN[:-1], TOKEN.upper(), "\udcff"])
def test_wrong_token_gets_the_form_again_and_no_cookie(guarded: Client, token: str) -> None:
    browser = guarded.app.test_client()
    response = log_in(
        browser,
        token.encode(errors="replace").decode(),
        environ_base={"REMOTE_ADDR": f"10.0.0.{len(token) + 1}"},
    )
    assert response.status_code == 401
    assert "That is not the token" in response.text
    assert "Set-Cookie" not in response.headers


def test_token_is_never_in_a_page_or_a_url(browser: FlaskClient) -> None:
    response = log_in(browser)
    assert TOKEN not in response.text + str(response.headers)
    assert TOKEN not in browser.get("/login").text + browser.get("/", headers=PAGE).text


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "a.b.c", TOKEN, "0" * 32 + ".aaaaaa." + "A" * 43, "\xff", "." * 4000],
)
def test_forged_cookie_is_nothing(guarded: Client, cookie: str) -> None:
    program = guarded.app.test_client(use_cookies=False)  # a jar would replace the header
    response = program.get("/api/sessions", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert response.status_code == 401


def test_cookie_of_another_token_or_server_is_nothing(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    cookies = LoginCookies(ours, TOKEN)
    assert cookies.age_seconds(cookies.make()) is not None
    assert LoginCookies(ours, TOKEN).age_seconds(cookies.make()) is not None
    assert LoginCookies(ours, TOKEN + "2").age_seconds(cookies.make()) is None
    assert LoginCookies(theirs, TOKEN).age_seconds(cookies.make()) is None


def test_secret_of_the_server_is_for_its_user_alone(tmp_path: Path) -> None:
    LoginCookies(tmp_path, TOKEN)
    (secret,) = tmp_path.iterdir()
    assert secret.stat().st_mode & 0o777 == 0o600


def test_old_cookie_is_renewed_and_a_very_old_one_is_nothing(
    guarded: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = guarded.app.test_client()
    log_in(browser)
    assert "Set-Cookie" not in browser.get("/api/sessions").headers

    now = time.time
    later = login_cookie.RENEWAL_SECONDS + 5
    monkeypatch.setattr(time, "time", lambda: now() + later)
    renewed = browser.get("/api/sessions")
    assert renewed.status_code == 200
    assert renewed.headers["Set-Cookie"].startswith(f"{COOKIE}=")

    much_later = later + login_cookie.LIFE_SECONDS + 5
    monkeypatch.setattr(time, "time", lambda: now() + much_later)
    assert browser.get("/api/sessions").status_code == 401


def test_logout_takes_the_cookie_back(browser: FlaskClient) -> None:
    log_in(browser)
    response = browser.post("/logout", data={"x": ""})
    assert (response.status_code, response.headers["Location"]) == (303, "/login")
    assert browser.get("/api/sessions").status_code == 401


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/", "/"),
        ("/?a=b", "/?a=b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("/login?next=/", "/"),
        ("", "/"),
    ],
)
def test_login_leads_to_a_page_of_this_server_only(
    browser: FlaskClient, wanted: str, path: str
) -> None:
    assert log_in(browser, next=wanted).headers["Location"] == path


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str
)
def test_another_site_can_log_nobody_in_or_out(
    browser: FlaskClient, headers: dict[str, str]
) -> None:
    assert log_in(browser, headers=headers).status_code == 403
    assert browser.post("/logout", data={"x": ""}, headers=headers).status_code == 403


def test_only_the_files_of_the_login_page_are_open(browser: FlaskClient) -> None:
    page = browser.get("/login").text
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(files) >= 5
    for path in files:
        assert browser.get(path, buffered=True).status_code == 200, path
    for path in ("/static/js/main.js", "/static/css/stage.css", "/static/nothing", "/static/"):
        assert browser.get(path).status_code == 401, path


def test_server_without_a_token_has_no_login(make_client: MakeClient) -> None:
    client = make_client()
    for response in (client.get("/login"), client.http.post("/login", data={"token": "x"})):
        assert (response.status_code, response.headers["Location"]) == (303, "/")
        assert "Set-Cookie" not in response.headers
