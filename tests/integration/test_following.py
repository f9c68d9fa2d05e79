"""Histories are followed through gunicorn: across workers, and until these stop."""

import json
import threading
from pathlib import Path

import httpx
import pytest

from tests.clients.event_source import events_of
from tests.server import Server, running_server, wait_for


class Subscriber(threading.Thread):
    """Follows a workflow by plain HTTP until the server ends the response."""

    def __init__(self, server: Server, workflow_id: str) -> None:
        super().__init__(daemon=True)
        self.url = f"{server.url}/api/trpc/workflow.onMessage"
        self.input = json.dumps({"workflowId": workflow_id})
        self.body = b""
        self.worker = ""
        self.has_ended_well = False

    def run(self) -> None:
        with httpx.stream("GET", self.url, params={"input": self.input}, timeout=60) as response:
            self.worker = response.headers["X-Worker-Pid"]
            for piece in response.iter_raw():
                self.body += piece
        self.has_ended_well = True

    @property
    def contents(self) -> list[str]:
        events = [event for event in events_of(self.body) if event.type == "message"]
        return [event.json()["content"] for event in events]


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_followers_on_every_worker_hear_the_same_until_the_server_stops(
    folder: Path, worker_class: str
) -> None:
    with running_server(folder, workers=2, worker_class=worker_class) as server:
        workflow_id = server.create_workflow()
        subscribers = [Subscriber(server, workflow_id) for _ in range(6)]
        for subscriber in subscribers:
            subscriber.start()
        wait_for(lambda: all(subscriber.worker for subscriber in subscribers))
        expected = [str(number) for number in range(10)]
        for content in expected:
            value = {"workflowId": workflow_id, "content": content}
            server.call("workflow.sendMessage", value).raise_for_status()
        session_id = server.invoke("demo", "count 2", workflow_id)
        expected += ["count 2", "line 1 of 2\nline 2 of 2"]
        wait_for(lambda: all(s.contents == expected for s in subscribers))
        assert server.session(session_id)["status"] == "succeeded"

        assert server.stop() == 0
        for subscriber in subscribers:
            subscriber.join(10)
            # A worker that had to be killed would have broken the response off.
            assert subscriber.has_ended_well


def test_agents_gate_and_answer_are_heard_at_once_though_nobody_watches_the_session(
    server: Server,
) -> None:
    value = {"template": "hotfix"}
    workflow_id = server.call("workflow.create", value).json()["result"]["data"]["id"]
    subscriber = Subscriber(server, workflow_id)
    subscriber.start()
    server.invoke("demo", "gate", workflow_id)
    wait_for(lambda: len(subscriber.contents) == 3)
    assert subscriber.contents == [
        "gate",
        "The gate of stage 'fix' is open: its agent says so.",
        "The gate of this stage is satisfied.",
    ]
    answer = server.call("workflow.advance", {"workflowId": workflow_id})
    assert answer.json()["result"]["data"]["currentStage"] == 1
