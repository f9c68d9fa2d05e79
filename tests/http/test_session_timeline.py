"""`/api/sessions/<id>/timeline` and `/moments`, and events at a time."""

from typing import Any

import pytest

from tests.http.client import Client, plain_error

WORK = r"""
echo '{"type":"tool_call","name":"f"}'
sleep 0.2
echo one; echo two >&2; echo three >&2
sleep 0.2
echo '{"type":"tool_result","ok":false}'
exit 3
"""


@pytest.fixture(scope="module")
def finished(client: Client) -> str:
    """A session that called a tool, complained and failed."""
    session_id = client.invoke(WORK)
    client.machine.wait_until_gone(client.machine.find(session_id))
    return session_id


def events_of(client: Client, session_id: str, query: str = "") -> list[dict[str, Any]]:
    url = f"/api/sessions/{session_id}/events?{query}"
    return list(client.get(url).get_json()["events"])


def test_timeline_says_all_that_was_printed(client: Client, finished: str) -> None:
    found = client.get(f"/api/sessions/{finished}/timeline?buckets=3").get_json()
    assert list(found) == ["start", "end", "size", "sampled", "buckets"]
    assert list(found["buckets"][0]) == [
        "time",
        "offset",
        "stdout",
        "stderr",
        "toolCalls",
        "errors",
        "approvals",
        "turns",
    ]
    assert (found["size"], found["sampled"]) == (client.session(finished)["logBytes"], False)
    assert [bucket["toolCalls"] for bucket in found["buckets"]] == [1, 0, 0]
    assert sum(bucket["errors"] for bucket in found["buckets"]) == 2
    assert sum(bucket["stderr"] > 0 for bucket in found["buckets"]) == 1
    events = events_of(client, finished)
    assert (found["start"], found["end"]) == (events[0]["time"], events[-1]["time"])


def test_moments_lead_from_one_to_the_next_and_back(client: Client, finished: str) -> None:
    def moment(query: str) -> Any:
        found = client.get(f"/api/sessions/{finished}/moments?{query}").get_json()
        assert found["searchedTo"] is None
        return found["moment"]

    by_id = {event["id"]: event for event in events_of(client, finished)}
    first = moment("kind=error")
    assert by_id[first["id"]]["data"] == {"message": "two"}
    assert first["time"] == by_id[first["id"]]["time"]
    second = moment(f"kind=error&after={first['id']}")
    assert by_id[second["id"]]["event"] == "tool_result"
    third = moment(f"kind=error&after={second['id']}")
    assert by_id[third["id"]]["event"] == "done"
    assert moment(f"kind=error&after={third['id']}") is None
    assert moment(f"kind=error&before={third['id']}") == second
    call = moment(f"kind=tool_call&before={second['id']}")
    assert by_id[call["id"]]["event"] == "tool_call"
    assert moment(f"kind=tool_call&before={call['id']}") is None


def test_events_at_a_time_are_those_that_had_been_printed(client: Client, finished: str) -> None:
    events = events_of(client, finished)
    for index, event in enumerate(events):
        for at in (event["time"], event["id"]):
            shown = events_of(client, finished, f"order=desc&at={at}")
            assert shown[0]["time"] == event["time"]
            assert shown == events[: index + 1][::-1] or events[index + 1]["time"] == event["time"]
    assert events_of(client, finished, "order=desc&at=2000-01-01T00:00:00Z") == []
    assert events_of(client, finished, "order=desc&at=2100-01-01T00:00:00Z") == events[::-1]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("timeline?buckets=0", "buckets"),
        ("timeline?buckets=1001", "buckets"),
        ("timeline?buckets=x", "buckets"),
        ("moments", "kind"),
        ("moments?kind=joy", "kind"),
        ("events?order=desc&at=Tuesday", "at"),
    ],
)
def test_bad_query_is_refused_by_field(
    client: Client, finished: str, path: str, field: str
) -> None:
    response = client.get(f"/api/sessions/{finished}/{path}")
    assert plain_error(response) == (400, "BAD_REQUEST", field)


@pytest.mark.parametrize("query", ["after=x", "after=99999999", "before=-1", "before=3"])
def test_moment_from_a_position_that_is_none_never_fails(
    client: Client, finished: str, query: str
) -> None:
    response = client.get(f"/api/sessions/{finished}/moments?kind=error&{query}")
    assert response.status_code == 200
