"""The stream's route: where it begins, when it ends, and that a reconnect starts nothing."""

import json
import re

import pytest

from tests.http.conftest import Site


def ids_of(body: str) -> list[str]:
    """All ids of a stream."""
    return re.findall(r"^id: (.*)$", body, re.MULTILINE)


def names_of(body: str) -> list[str]:
    """All event names of a stream."""
    return re.findall(r"^event: (.*)$", body, re.MULTILINE)


def test_finished_session_streams_from_its_start_to_its_done(site: Site) -> None:
    session_id = site.run("one\ntwo")
    answer = site.client.get(f"/api/agent-stream?sessionId={session_id}")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.text.startswith("retry: ")
    assert names_of(answer.text) == ["session", "message", "message", "done"]


def test_every_id_resumes_with_exactly_the_rest(site: Site) -> None:
    session_id = site.run("\n".join(str(number) for number in range(10)))
    url = f"/api/agent-stream?sessionId={session_id}"
    ids = ids_of(site.client.get(url).text)
    for position, last_id in enumerate(ids[:-1]):
        by_header = site.client.get(url, headers={"Last-Event-ID": last_id}).text
        by_offset = site.client.get(f"{url}&offset={last_id}").text
        assert ids_of(by_header) == ids_of(by_offset) == ids[position + 1 :]


def test_viewer_that_has_the_done_gets_204(site: Site) -> None:
    session_id = site.run("x")
    url = f"/api/agent-stream?sessionId={session_id}"
    last_id = ids_of(site.client.get(url).text)[-1]
    answer = site.client.get(url, headers={"Last-Event-ID": last_id})
    assert (answer.status_code, answer.data) == (204, b"")


@pytest.mark.parametrize(
    "last_id", ["garbage", "-5", "1e9", "7.5", "ü", "9" * 40, "1", "session/3"]
)
def test_id_that_makes_no_sense_is_a_gap_and_never_an_error(site: Site, last_id: str) -> None:
    session_id = site.run("x")
    answer = site.client.get(
        f"/api/agent-stream?sessionId={session_id}",
        headers={"Last-Event-ID": last_id.encode().decode("latin-1")},
    )
    assert answer.status_code == 200
    assert names_of(answer.text)[0] == "notice"
    assert '"type":"gap"' in answer.text
    assert names_of(answer.text)[-1] == "done"


def test_envelope_wraps_each_event(site: Site) -> None:
    session_id = site.run("x")
    body = site.client.get(f"/api/agent-stream?sessionId={session_id}&format=envelope").text
    wrapped = [json.loads(data) for data in re.findall(r"^data: (.*)$", body, re.MULTILINE)]
    assert [event["event"] for event in wrapped] == ["session", "message", "done"]
    assert wrapped[1]["stream"] == "stdout"
    assert wrapped[1]["data"] == {"content": "x"}
    assert wrapped[1]["time"].endswith("Z")


def test_unknown_session_never_existed(site: Site) -> None:
    answer = site.client.get("/api/agent-stream?sessionId=session-1")
    assert answer.status_code == 404
    assert "never was one" in answer.get_json()["error"]["message"]
    assert answer.get_json()["error"]["field"] == "sessionId"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "sessionId"),
        ("sessionId=", "sessionId"),
        ("sessionId=S&format=xml", "format"),
        ("sessionId=S&workflowId=other", "workflowId"),
        ("workflowId=", "workflowId"),
        ("workflowId=W&stageIndex=x", "stageIndex"),
        ("workflowId=W&agent=gpt", "agent"),
    ],
)
def test_bad_query_is_refused_by_the_name_of_its_field(site: Site, query: str, field: str) -> None:
    query = query.replace("=S", f"={site.run()}").replace("=W", f"={site.create_workflow()}")
    before = site.session_count()
    answer = site.client.get(f"/api/agent-stream?{query}")
    assert answer.status_code == 400
    assert answer.get_json()["error"]["field"] == field
    assert site.session_count() == before


def test_one_request_starts_and_streams(site: Site) -> None:
    workflow_id = site.create_workflow()
    body = site.client.get(f"/api/agent-stream?workflowId={workflow_id}&message=hello").text
    session_id = site.client.get("/api/sessions").get_json()["sessions"][0]["sessionId"]
    assert names_of(body) == ["session", "message", "done"]
    assert all(event_id.startswith(f"{session_id}/") for event_id in ids_of(body))
    assert ids_of(body)[0] == f"{session_id}/0"  # sent before the first event


def test_reconnect_of_that_request_resumes_what_it_started(site: Site) -> None:
    url = f"/api/agent-stream?workflowId={site.create_workflow()}&message=a%0Ab"
    ids = ids_of(site.client.get(url).text)
    for position, last_id in enumerate(ids[:-1]):
        body = site.client.get(url, headers={"Last-Event-ID": last_id}).text
        assert ids_of(body)[1:] == ids[max(position, 1) :][1 if position else 0 :]
    assert site.client.get(url, headers={"Last-Event-ID": ids[-1]}).status_code == 204
    assert site.session_count() == 1


@pytest.mark.parametrize("last_id", ["garbage", "session-1/5", "/", "x/y/z"])
def test_reconnect_never_starts_a_session(site: Site, last_id: str) -> None:
    url = f"/api/agent-stream?workflowId={site.create_workflow()}"
    assert site.client.get(url, headers={"Last-Event-ID": last_id}).status_code == 404
    site.client.get(url).get_data()
    resumed = site.client.get(url, headers={"Last-Event-ID": last_id})
    assert resumed.status_code == 200
    assert names_of(resumed.text) == ["notice", "session", "done"]
    assert site.session_count() == 1


def test_head_starts_nothing(site: Site) -> None:
    answer = site.client.head(f"/api/agent-stream?workflowId={site.create_workflow()}")
    assert (answer.status_code, answer.mimetype) == (200, "text/event-stream")
    assert site.session_count() == 0


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}]
)
def test_another_site_can_start_nothing(site: Site, headers: dict[str, str]) -> None:
    url = f"/api/agent-stream?workflowId={site.create_workflow()}"
    assert site.client.get(url, headers=headers).status_code == 403
    assert site.session_count() == 0
