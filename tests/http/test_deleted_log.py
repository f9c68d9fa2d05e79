"""A session whose log was deleted is known, and its end is told."""

import pytest

from tests.http.client import Client, plain_error
from webapp.keeper.retention import delete_log


@pytest.fixture(scope="module")
def deleted(client: Client) -> str:
    """A finished session without a log."""
    session_id = client.finished()
    assert delete_log(client.machine.database, client.machine.var, session_id)
    return session_id


def test_stream_says_so_and_ends_as_the_row_knows(client: Client, deleted: str) -> None:
    notice, done = client.stream(f"sessionId={deleted}")
    assert notice.type == "notice"
    assert "was deleted at 20" in notice.data
    assert done.type == "done"
    assert '"status":"succeeded"' in done.data


def test_viewer_that_has_its_end_need_not_come_back(client: Client, deleted: str) -> None:
    last_id = client.stream(f"sessionId={deleted}")[-1].last_event_id
    assert last_id == str(client.session(deleted)["logBytes"])
    again = client.get(f"/api/agent-stream?sessionId={deleted}", Last_Event_ID=last_id)
    assert again.status_code == 204


@pytest.mark.parametrize("path", ["log", "log?stream=stdout", "events"])
def test_what_stood_in_it_is_gone(client: Client, deleted: str, path: str) -> None:
    response = client.get(f"/api/sessions/{deleted}/{path}")
    assert plain_error(response) == (410, "NOT_FOUND", "sessionId")
    assert "was deleted at 20" in response.get_json()["error"]["message"]


def test_row_says_when_it_was(client: Client, deleted: str) -> None:
    assert client.session(deleted)["logDeletedAt"] is not None
    assert "logDeletedAt" not in client.session(client.finished())
