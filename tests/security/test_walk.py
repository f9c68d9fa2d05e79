"""Every route, asked by somebody who may not: no success, no process, and never a 5xx."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from flask import Flask

from tests.faults.surroundings import folders, row_count
from tests.security.raw import ask, head
from tests.security.walk import Target, targets
from tests.server import Server, running_server
from webapp.app import create_app
from webapp.connections.client_socket import GRACE_SECONDS
from webapp.http.services import EXTENSION
from webapp.http.trpc.router import PROCEDURES
from webapp.settings import Settings
from webapp.store.logins import Logins

TOKEN = "s3cret-token-of-tests"
LOGIN = {"Authorization": f"Bearer {TOKEN}"}
JSON = "application/json"
IS_JSON = {"Content-Type": JSON}
MOST_BYTES = 10 << 20


@dataclass
class Place:
    """A server that wants a token, and what can be asked of it."""

    server: Server
    targets: list[Target]

    def ask(
        self, target: Target, headers: dict[str, str], body: bytes | None = None
    ) -> httpx.Response:
        """One request, on a connection of its own; a stream is not read."""
        content = target.body.encode() if body is None and target.method == "POST" else body
        with (
            httpx.Client(verify=False, timeout=20) as client,
            client.stream(
                target.method, self.server.url + target.path, headers=headers, content=content
            ) as response,
        ):
            return response


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("walk")
    with running_server(folder, {}, AGENT_STREAM_TOKEN=TOKEN, AGENT_STREAM_PROXIES="1") as server:
        workflow_id = server.create_workflow()
        session_id = server.invoke("demo", "count 1 0", workflow_id)
        server.wait_until_ended(session_id)
        app = _routes(server)
        found = list(targets(app, session_id, workflow_id))
        assert len(found) > 30
        yield Place(server, found)


def _routes(server: Server) -> Flask:
    app = create_app(Settings(var=server.var))
    app.extensions[EXTENSION].database.close()
    return app


@pytest.fixture(autouse=True)
def nothing_was_started(place: Place) -> Iterator[None]:
    before = row_count(place.server), len(folders(place.server))
    yield
    assert (row_count(place.server), len(folders(place.server))) == before


def test_nobody_gets_in_without_a_token(place: Place) -> None:
    for target in place.targets:
        if not target.is_open:
            assert place.ask(target, IS_JSON).status_code == 401, target


def test_nobody_gets_in_with_a_wrong_token(place: Place) -> None:
    # From another address: after ten of these not even the right token is taken from there.
    wrong = {"Authorization": f"Bearer {TOKEN}x", "X-Forwarded-For": "192.0.2.7"}
    for target in place.targets:
        if not target.is_open:
            assert place.ask(target, IS_JSON | wrong).status_code in (401, 429), target


def test_foreign_host_gets_nothing(place: Place) -> None:
    for target in place.targets:
        response = place.ask(target, IS_JSON | LOGIN | {"Host": "evil.example"})
        assert response.status_code == 421, target


@pytest.mark.parametrize(
    "foreign",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    ],
    ids=str,
)
def test_foreign_origin_gets_nothing(place: Place, foreign: dict[str, str]) -> None:
    for target in place.targets:
        assert place.ask(target, IS_JSON | LOGIN | foreign).status_code == 403, target


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content_Length": str(MOST_BYTES)}, b""),
        ({"Content_Length": "2"}, b"{"),
        ({"Transfer_Encoding": "chunked"}, b""),
        ({"Transfer_Encoding": "chunked"}, b"no chunk\r\n"),
        ({"Transfer_Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n"),
    ],
    ids=["10 MB", "slow", "slow chunks", "bad chunks", "chunked"],
)
def test_body_of_a_stranger_is_not_waited_for(
    place: Place, headers: dict[str, str], body: bytes
) -> None:
    for target in place.targets:
        start = head(place.server, f"{target.method} {target.path}", **headers, Content_Type=JSON)
        answer = ask(place.server, start + body)
        expected = (200, 303, 401, 411, 413, 415) if target.is_open else (401,)
        assert answer.status in expected, target
        assert answer.seconds < GRACE_SECONDS, target
    said = place.server.output.read_text()
    assert "Traceback" not in said


@pytest.fixture
def cookie(place: Place) -> dict[str, str]:
    """The login of a browser: not even that helps."""
    value = Logins(place.server.var, TOKEN).begin()
    return {"Cookie": f"agent-stream-{place.server.port}={value}"}


def test_login_of_the_fixture_is_good(place: Place, cookie: dict[str, str]) -> None:
    (target,) = (one for one in place.targets if one[:2] == ("GET", "/api/sessions"))
    assert place.ask(target, cookie).status_code == 200


TYPED = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
"""What Chromium sends of a page that a person opens, or a web site has it prefetch."""


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender"])
def test_speculation_of_a_browser_gets_nothing(
    place: Place, cookie: dict[str, str], purpose: str
) -> None:
    for target in place.targets:
        if not target.path.startswith("/static/"):
            response = place.ask(target, cookie | IS_JSON | TYPED | {"Sec-Purpose": purpose})
            assert response.status_code == 403, target


def test_page_that_a_browser_opens_starts_nothing(place: Place, cookie: dict[str, str]) -> None:
    for target in place.targets:
        if target.method in ("GET", "HEAD"):
            response = place.ask(target, cookie | TYPED)
            assert response.status_code < 500, target
            if "message=" in target.path:
                assert response.status_code == 403, target


def test_body_of_another_type_gets_nothing(place: Place, cookie: dict[str, str]) -> None:
    for target in place.targets:
        headers = cookie | {"Content-Type": "text/plain"}
        response = place.ask(target, headers, target.body.encode())
        assert response.status_code == 415, target


def test_body_of_ten_megabytes_gets_nothing(place: Place, cookie: dict[str, str]) -> None:
    body = b" " * MOST_BYTES
    procedures = {f"/api/trpc/{name}" for name in [*PROCEDURES][1:]}  # they share their route
    for target in place.targets:
        if target.method in ("GET", "POST") and target.path not in procedures:
            response = place.ask(target, cookie | IS_JSON, body)
            assert response.status_code in (413, 415), target
