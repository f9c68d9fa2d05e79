"""Notices as a client gets them, and what it says of them."""

from contextlib import closing
from typing import Any

import pytest

from tests.http.client import Client, data_of
from webapp.http.services import EXTENSION


def notices(client: Client, session_id: str) -> list[dict[str, Any]]:
    found = data_of(client.get("/api/trpc/approval.list"))["notices"]
    return [each for each in found if each["sessionId"] == session_id]


def test_followers_get_a_notice_and_that_somebody_looked(client: Client) -> None:
    board = client.app.extensions[EXTENSION].approvals_board
    with closing(board.follow(60.0)) as followed:
        next(followed)
        session_id = client.finished()
        (notice,) = (each for each in next(followed).lists["notices"] if not each["heard"])
        assert (notice["kind"], notice["sessionId"]) == ("turn_ended", session_id)
        data_of(client.call("notice.markHeard", {"keys": [notice["key"], "none"]}))
        assert next(followed).lists["notices"][0] == notice | {"heard": True}


def test_look_at_a_workflow_ends_its_notices(client: Client) -> None:
    first, second = client.finished(), client.finished()
    workflow_id = client.session(first)["workflowId"]
    data_of(client.call("notice.markSeen", {"workflowId": workflow_id}))
    assert (len(notices(client, first)), len(notices(client, second))) == (0, 1)
    data_of(client.call("notice.markSeen", {}))
    assert notices(client, second) == []


@pytest.mark.parametrize(
    ("procedure", "value", "field"),
    [
        ("notice.markHeard", {}, "keys"),
        ("notice.markHeard", {"keys": "a"}, "keys"),
        ("notice.markHeard", {"keys": [7]}, "keys"),
        ("notice.markHeard", {"keys": ["x" * 301]}, "keys"),
        ("notice.markHeard", {"keys": ["x"] * 31}, "keys"),
        ("notice.markSeen", {"workflowId": 7}, "workflowId"),
        ("notice.markSeen", {"all": True}, "all"),
    ],
    ids=str,
)
def test_bad_input_is_refused(client: Client, procedure: str, value: object, field: str) -> None:
    response = client.call(procedure, value)
    assert response.status_code == 400
    assert field in response.get_data(as_text=True)
