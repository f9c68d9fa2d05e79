"""Every route, asked by somebody who may not: no success, no process, and never a 5xx."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from flask import Flask

from tests.faults.surroundings import folders, row_count
from tests.security.walk import Target, targets
from tests.server import Server, running_server
from webapp.app import create_app
from webapp.http.services import EXTENSION
from webapp.http.trpc.router import PROCEDURES
from webapp.settings import Settings
from webapp.store.logins import Logins

TOKEN = "s3cret-token-of-tests"
LOGIN = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
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
            assert place.ask(target, JSON).status_code == 401, target


def test_nobody_gets_in_with_a_wrong_token(place: Place) -> None:
    # From another address: after ten of these not even the right token is taken from there.
    wrong = {"Authorization": f"Bearer {TOKEN}x", "X-Forwarded-For": "192.0.2.7"}
    for target in place.targets:
        if not target.is_open:
            assert place.ask(target, JSON | wrong).status_code in (401, 429), target


def test_foreign_host_gets_nothing(place: Place) -> None:
    for target in place.targets:
        response = place.ask(target, JSON | LOGIN | {"Host": "evil.example"})
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
        assert place.ask(target, JSON | LOGIN | foreign).status_code == 403, target


@pytest.fixture
def cookie(place: Place) -> dict[str, str]:
    """The login of a browser: not even that helps."""
    value = Logins(place.server.var, TOKEN).begin()
    return {"Cookie": f"agent-stream-{place.server.port}={value}"}


def test_login_of_the_fixture_is_good(place: Place, cookie: dict[str, str]) -> None:
    (target,) = (one for one in place.targets if one[:2] == ("GET", "/api/sessions"))
    assert place.ask(target, cookie).status_code == 200


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
            response = place.ask(target, cookie | JSON, body)
            assert response.status_code in (413, 415), target
