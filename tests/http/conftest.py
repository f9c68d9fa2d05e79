"""An app on a `var` folder of its own, asked through Flask's test client."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.server import wait_for
from tests.store.fresh_var import make_var
from webapp.agents import control
from webapp.agents.places import session_files
from webapp.agents.profiles import Profile
from webapp.app import create_app
from webapp.http.services import EXTENSION, Services
from webapp.settings import Settings
from webapp.store import sessions

AGENTS = {
    "echo": Profile("echo", ("cat",), message="stdin"),
    "sleep": Profile("sleep", ("sleep", "600")),
    "argument": Profile("argument", ("echo", "--message={message}")),
    "missing": Profile("missing", ("no-such-command",)),
}


class Site:
    """The app and what its routes work with."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.services: Services = app.extensions[EXTENSION]
        self.client: FlaskClient = app.test_client()

    def call(self, procedure: str, value: Any, **headers: str) -> TestResponse:
        """A tRPC mutation."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(f"/api/trpc/{procedure}", json=value, headers=named)

    def create_workflow(self) -> str:
        """A new workflow's id."""
        return str(self.call("workflow.create", {}).get_json()["result"]["data"]["id"])

    def invoke(self, message: str = "", agent: str = "echo", workflow_id: str = "") -> str:
        """A new session's id."""
        value = {
            "workflowId": workflow_id or self.create_workflow(),
            "message": message,
            "agent": agent,
        }
        answer = self.call("workflow.invokeAgent", value)
        assert answer.status_code == 200, answer.text
        return str(answer.get_json()["result"]["data"]["sessionId"])

    def session(self, session_id: str) -> dict[str, Any]:
        """A session as the API shows it."""
        found: dict[str, Any] = self.client.get(f"/api/sessions/{session_id}").get_json()
        return found

    def run(self, message: str = "", agent: str = "echo") -> str:
        """A session that has ended."""
        session_id = self.invoke(message, agent)
        wait_for(lambda: self.session(session_id)["endedAt"])
        return session_id

    def session_count(self) -> int:
        """How many sessions were ever started."""
        with self.services.database.read() as orm:
            return len(
                sessions.list_sessions(orm, statuses=(), workflow_id=None, limit=500, cursor=None)
            )

    def close(self) -> None:
        """End what still runs, and the fork server."""
        with self.services.database.read() as orm:
            live = sessions.live_sessions(orm)
        for session in live:
            with contextlib.suppress(control.RunnerGone):
                control.cancel(session_files(self.services.launcher.var, session))
            wait_for(lambda s=session: self.session(s.id)["endedAt"])  # type: ignore[misc]
        self.services.launcher.runners.stop()
        self.services.database.close()


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    """Makes a site with settings of the test's choice."""
    made: list[Site] = []

    def make(**settings: Any) -> Site:
        defaults: dict[str, Any] = {
            "var": make_var(tmp_path),
            "agents": AGENTS,
            "default_agent": "echo",
            "grace_seconds": 0.5,
        }
        made.append(Site(create_app(Settings(**(defaults | settings)))))
        return made[-1]

    yield make
    for site in made:
        site.close()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A site with the usual settings."""
    return make_site()
