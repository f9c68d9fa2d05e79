"""Who may ask, and who is turned away before anything runs."""

import pytest

from tests.http.conftest import MakeSite, Site


def test_foreign_host_is_misdirected(site: Site) -> None:
    for path in ("/", "/api/sessions", "/static/favicon.svg", "/healthz"):
        assert site.client.get(path, headers={"Host": "evil.example"}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000", "app.example"])
def test_own_host_is_served(make_site: MakeSite, host: str) -> None:
    site = make_site(allowed_hosts=("app.example",))
    assert site.client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_may_post_nothing(site: Site, headers: dict[str, str]) -> None:
    answer = site.client.post("/api/trpc/workflow.create", json={}, headers=headers)
    assert answer.status_code == 403


def test_own_page_may_post(site: Site) -> None:
    headers = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    answer = site.client.post("/api/trpc/workflow.create", json={}, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_body_that_is_not_json_is_refused(site: Site, kind: str) -> None:
    answer = site.client.post("/api/trpc/workflow.create", data=b"{}", content_type=kind)
    assert answer.status_code == 415


def test_body_that_is_too_large_is_refused(site: Site) -> None:
    answer = site.client.post("/api/trpc/workflow.create", json={"requestId": "x" * (9 << 20)})
    assert answer.status_code == 413


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic c2VjcmV0", "Bearer", "bearer "])
def test_token_is_asked_for_everywhere(make_site: MakeSite, header: str | None) -> None:
    site = make_site(token="secret")
    headers = {} if header is None else {"Authorization": header}
    open_routes = {"ops.healthz", "ops.readyz"}
    for rule in site.app.url_map.iter_rules():
        path = rule.rule.replace("<session_id>", "s").replace("<path:paths>", "workflow.list")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        answer = site.client.open(
            path.replace("<path:filename>", "x"), method=method, json={}, headers=headers
        )
        expected = 200 if rule.endpoint in open_routes else 401
        assert answer.status_code == expected, rule.rule


def test_right_token_opens(make_site: MakeSite) -> None:
    site = make_site(token="secret")
    answer = site.client.get("/api/sessions", headers={"Authorization": "Bearer secret"})
    assert answer.status_code == 200


def test_pages_run_no_inline_script(site: Site) -> None:
    answer = site.client.get("/")
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_errors_are_pages_for_people_and_json_for_programs(site: Site) -> None:
    page = site.client.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    data = site.client.get("/nowhere", headers={"Accept": "application/json"})
    assert data.get_json()["error"]["code"] == "NOT_FOUND"
