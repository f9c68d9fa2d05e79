"""The API as a client speaks to it, without a socket: Flask's test client on real sessions."""

import json
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.clients.event_source import Dispatched, events_of
from tests.sessions.machine import Machine


@dataclass
class Client:
    """A client of one worker, and the machine that the worker runs on."""

    app: Flask
    machine: Machine
    http: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        """A GET; the body of a stream is not read."""
        return self.http.get(path, headers=_headers(headers))

    def head(self, path: str, **headers: str) -> TestResponse:
        """A HEAD."""
        return self.http.head(path, headers=_headers(headers))

    def post(self, path: str, value: object = None, **headers: str) -> TestResponse:
        """A POST of JSON."""
        body = b"" if value is None else json.dumps(value).encode()
        return self.http.post(
            path, data=body, content_type="application/json", headers=_headers(headers)
        )

    def download(self, session_id: str, **headers: str) -> TestResponse:
        """A session's log, read to its end."""
        return self.http.get(
            f"/api/sessions/{session_id}/log", headers=_headers(headers), buffered=True
        )

    def call(self, procedure: str, value: object = None, **headers: str) -> TestResponse:
        """A tRPC mutation."""
        return self.post(f"/api/trpc/{procedure}", value, **headers)

    def create_workflow(self) -> str:
        """A new workflow's id."""
        return str(data_of(self.call("workflow.create", {}))["id"])

    def invoke(self, message: str | None = None, workflow_id: str | None = None) -> str:
        """A new session's id."""
        value = {"workflowId": workflow_id or self.create_workflow()}
        if message is not None:
            value["message"] = message
        return str(data_of(self.call("workflow.invokeAgent", value))["sessionId"])

    def finished(self) -> str:
        """The id of a session that has ended, its runner too."""
        session_id = self.invoke("true")
        self.machine.wait_until_gone(self.machine.find(session_id))
        return session_id

    def session(self, session_id: str) -> dict[str, Any]:
        """A session as the API shows it."""
        found: dict[str, Any] = self.get(f"/api/sessions/{session_id}").get_json()
        return found

    def stream(self, query: str, **headers: str) -> list[Dispatched]:
        """The events of a stream that ends."""
        response = self.get(f"/api/agent-stream?{query}", **headers)
        assert response.status_code == 200
        return events_of(response.data)

    def session_count(self) -> int:
        """How many sessions there are."""
        return len(self.get("/api/sessions?limit=500").get_json()["sessions"])


def data_of(response: TestResponse) -> Any:
    """The data of a tRPC answer."""
    assert response.status_code == 200, response.data
    return response.get_json()["result"]["data"]


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def trpc_error(response: TestResponse) -> tuple[int, str, str | None]:
    """Status, code and field of a tRPC error; its envelope must be whole."""
    error = response.get_json()["error"]
    assert isinstance(error["message"], str)
    assert isinstance(error["code"], int)
    assert error["data"]["httpStatus"] == response.status_code
    assert response.mimetype == "application/json"
    return response.status_code, error["data"]["code"], error["data"].get("field")


def plain_error(response: TestResponse) -> tuple[int, str, str | None]:
    """Status, code and field of any other error."""
    error = response.get_json()["error"]
    assert isinstance(error["message"], str)
    return response.status_code, error["code"], error.get("field")
