"""A person shows the token once, and has a cookie from then on."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.http.client import Client
from tests.http.conftest import MakeClient, open_client
from webapp.errors import ServiceUnavailable
from webapp.store.logins import MAX_LOGINS, Logins

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


def age(var: Path, seconds: float) -> None:
    """Make all logins that much older."""
    for file in (var / "logins").iterdir():
        then = file.stat().st_mtime - seconds
        os.utime(file, (then, then))


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
    ["", "x", "../logins", TOKEN, "0" * 64, "A" * 64, "\xff", "." * 4000],
)
def test_forged_cookie_is_nothing(guarded: Client, cookie: str) -> None:
    program = guarded.app.test_client(use_cookies=False)  # a jar would replace the header
    response = program.get("/api/sessions", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert response.status_code == 401


def test_cookie_of_another_token_or_server_is_nothing(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    cookie = Logins(ours, TOKEN).begin()
    assert Logins(ours, TOKEN).is_live(cookie)
    assert not Logins(ours, TOKEN + "2").is_live(cookie)
    assert not Logins(theirs, TOKEN).is_live(cookie)


def test_folder_of_logins_is_for_its_user_alone_and_holds_no_cookie(tmp_path: Path) -> None:
    cookie = Logins(tmp_path, TOKEN).begin()
    (file,) = (tmp_path / "logins").iterdir()
    assert (tmp_path / "logins").stat().st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600
    assert cookie not in file.name
    assert not Logins(tmp_path, TOKEN).is_live(file.name)


def test_oldest_login_gives_way_to_the_thousand_and_first(tmp_path: Path) -> None:
    logins = Logins(tmp_path, TOKEN)
    oldest = logins.begin()
    age(tmp_path, 60)
    others = [logins.begin() for _ in range(MAX_LOGINS)]
    assert not logins.is_live(oldest)
    assert all(map(logins.is_live, others))


def test_login_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logins").write_text("in the way")
    with pytest.raises(ServiceUnavailable, match="Logins cannot be written: File exists"):
        Logins(tmp_path, TOKEN).begin()


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
