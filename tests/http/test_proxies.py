"""Below a prefix: what a proxy or the settings say of it is in each link, cookie and way back."""

import re

import pytest

from tests.http.conftest import MakeClient

TOKEN = "below-a-prefix-4711"
PATH = "/sessions"


@pytest.mark.parametrize(
    ("settings", "path", "given", "root"),
    [
        ({}, PATH, None, ""),
        ({}, PATH, "/agents", ""),
        ({"proxies": 1}, PATH, "/agents", "/agents"),
        ({"proxies": 1}, f"/agents{PATH}", "/agents", "/agents"),
        ({"proxies": 1}, PATH, "/a/b-c/", "/a/b-c"),
        ({"proxies": 1}, PATH, "/evil, /agents", "/agents"),
        ({"proxies": 1}, PATH, "//evil.example", ""),
        ({"proxies": 1}, PATH, "/a/../b", ""),
        ({"proxies": 1}, PATH, 'x"><script>', ""),
        ({"prefix": "/agents"}, PATH, None, "/agents"),
        ({"prefix": "/agents"}, f"/agents{PATH}", None, "/agents"),
        ({"prefix": "/agents"}, PATH, "/other", "/agents"),
        ({"prefix": "/agents", "proxies": 1}, f"/other{PATH}", "/other", "/other"),
    ],
)
def test_links_begin_with_the_prefix(
    make_client: MakeClient, settings: dict[str, object], path: str, given: str | None, root: str
) -> None:
    client = make_client(**settings)
    headers = {} if given is None else {"X-Forwarded-Prefix": given}
    page = client.http.get(path, headers=headers)
    assert page.status_code == 200
    links = set(re.findall(r'(?:href|src|action)="(/[^"]*)"', page.text))
    assert f"{root}/sessions" in links
    assert f"{root}/static/js/sessions_main.js" in links
    assert {link for link in links if not link.startswith(f"{root}/")} == set()


@pytest.mark.parametrize("root", ["", "/agents"])
@pytest.mark.parametrize(
    ("wanted", "reached"),
    [("/docs", "/docs"), ("/login", "/"), ("//evil.example", None), ("", "/"), (None, "/")],
)
def test_login_leads_to_a_page_below_the_prefix_and_its_cookie_goes_nowhere_else(
    make_client: MakeClient, root: str, wanted: str | None, reached: str | None
) -> None:
    client = make_client(token=TOKEN, prefix=root)
    form = {"token": TOKEN}
    if wanted is not None:
        form["next"] = wanted if reached is None else root + wanted
    answer = client.http.post("/login", data=form)
    assert answer.status_code == 303
    assert answer.headers["Location"] == root + (reached or "/")
    assert f"; Path={root or '/'};" in f"{answer.headers['Set-Cookie']};"
    assert client.http.get(f"{root}/").status_code == 200
    gone = client.http.post(f"{root}/logout", data={"x": "1"})
    assert gone.headers["Location"] == f"{root}/login"
    assert client.http.get(f"{root}/api/sessions").status_code == 401


def test_page_that_asks_for_the_token_leads_back_below_the_prefix(make_client: MakeClient) -> None:
    client = make_client(token=TOKEN, prefix="/agents")
    page = client.http.get("/agents/docs?q=x", headers={"Accept": "text/html"})
    assert page.status_code == 401
    assert 'value="/agents/docs?q=x"' in page.text


def test_cookie_below_a_prefix_of_a_secure_site_has_a_name_that_allows_a_path(
    make_client: MakeClient,
) -> None:
    client = make_client(token=TOKEN, proxies=1)
    secure = {"X-Forwarded-Proto": "https"}
    at_root = client.http.post("/login", data={"token": TOKEN}, headers=secure)
    assert at_root.headers["Set-Cookie"].startswith("__Host-agent-stream=")
    below = secure | {"X-Forwarded-Prefix": "/agents"}
    cookie = client.http.post("/login", data={"token": TOKEN}, headers=below).headers["Set-Cookie"]
    assert cookie.startswith("__Secure-agent-stream=")
    assert "; Path=/agents" in cookie
    assert "; Secure" in cookie
