"""Who may ask: by default nobody."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.http.client import Client, plain_error
from tests.http.conftest import MakeClient, open_client

TOKEN = "s3cret-token-of-tests"


def urls(app: Flask) -> Iterator[tuple[str, str]]:
    """Each route of the app, with each of its methods."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "x", rule.rule)
        for method in sorted(rule.methods or ()):
            yield method, path


# --- Host -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "127.1.2.3"],
)
def test_names_of_this_machine_are_answered(client: Client, host: str) -> None:
    assert client.get("/healthz", Host=host).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.7",
        "0.0.0.0",
        "localhost.",
        "[",
        "a b",
        "",
    ],
)
def test_foreign_host_is_misdirected_on_every_route(client: Client, host: str) -> None:
    for method, path in urls(client.app):
        response = client.http.open(path, method=method, headers={"Host": host}, json={})
        assert response.status_code == 421, (method, path)


@pytest.mark.parametrize("host", ["agents.example", "AGENTS.example:443", "Other.Example"])
def test_allowed_host_is_answered(make_client: MakeClient, host: str) -> None:
    client = make_client(allowed_hosts=("agents.example", "other.example"))
    assert client.get("/healthz", Host=host).status_code == 200


# --- another web site -----------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://["},
        {"Origin": "localhost"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://localhost"},
    ],
    ids=str,
)
def test_another_site_may_change_nothing(client: Client, headers: dict[str, str]) -> None:
    for path in ("/api/trpc/workflow.create", "/api/sessions/x/cancel"):
        response = client.post(path, {}, **headers)
        assert response.status_code == 403
        assert response.get_json()["error"]["message"]


@pytest.mark.parametrize("name", ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"])
def test_only_static_files_are_prefetched(client: Client, name: str) -> None:
    headers = {name: "prefetch", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
    for method, path in urls(client.app):
        if not path.startswith("/static/"):
            response = client.http.open(path, method=method, headers=headers, json={})
            assert response.status_code == 403, (method, path)
    file = client.http.get("/static/favicon.svg", headers=headers, buffered=True)
    assert file.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost", "Sec_Fetch_Site": "same-origin"},
        {"Sec_Fetch_Site": "none"},
    ],
    ids=str,
)
def test_own_page_and_programs_may(client: Client, headers: dict[str, str]) -> None:
    assert client.call("workflow.create", {}, **headers).status_code == 200


def test_origin_with_the_port_that_was_asked_is_our_own(client: Client) -> None:
    headers = {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"}
    assert client.call("workflow.create", {}, **headers).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain;application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "",
        None,
    ],
)
def test_what_a_form_can_send_is_refused(client: Client, content_type: str | None) -> None:
    for path in ("/api/trpc/workflow.create", "/api/sessions/x/cancel"):
        response = client.http.post(path, data=b"{}", content_type=content_type)
        assert response.status_code == 415


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
def test_json_is_taken(client: Client, content_type: str) -> None:
    response = client.http.post("/api/trpc/workflow.create", data=b"{}", content_type=content_type)
    assert response.status_code == 200


# --- the token ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A worker that wants a token."""
    with open_client(tmp_path_factory.mktemp("guarded"), token=TOKEN) as opened:
        yield opened


def test_every_route_but_the_probes_and_the_login_wants_the_token(guarded: Client) -> None:
    asked = set()
    for method, path in urls(guarded.app):
        response = guarded.http.open(path, method=method, json={})
        if path not in ("/healthz", "/readyz", "/login", "/logout"):
            assert response.status_code == 401, (method, path)
            asked.add(path)
    assert len(asked) > 5


def test_route_that_does_not_exist_wants_it_too(guarded: Client) -> None:
    assert guarded.get("/nothing/here").status_code == 401


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_answer_without_it(guarded: Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        TOKEN,
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer  {TOKEN}",
        f"Basic {TOKEN}",
        "Bearer \xff",
        f"Bearer {TOKEN.upper()}",
    ],
)
def test_wrong_token_is_refused(guarded: Client, authorization: str) -> None:
    response = guarded.get("/api/sessions", Authorization=authorization)
    assert plain_error(response)[:2] == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_right_token_is_let_in(guarded: Client, scheme: str) -> None:
    assert guarded.get("/api/sessions", Authorization=f"{scheme} {TOKEN}").status_code == 200


def test_token_in_the_url_is_not_taken(guarded: Client) -> None:
    assert guarded.get(f"/api/sessions?token={TOKEN}").status_code == 401


# --- what every answer has ------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/sessions", "/nothing", "/api/trpc/x"])
def test_every_answer_has_the_headers_that_protect_a_page(client: Client, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_refusals_under_trpc_have_trpcs_envelope(client: Client) -> None:
    response = client.http.post("/api/trpc/workflow.create", data=b"{}", content_type="text/plain")
    error = response.get_json()["error"]
    assert isinstance(error["code"], int)
    assert error["data"]["code"] == "UNSUPPORTED_MEDIA_TYPE"
