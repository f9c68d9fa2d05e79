"""`/api/sessions`: list, one, log, cancel."""

import pytest

from tests.http.conftest import Site
from tests.server import wait_for

FIELDS = (
    *("sessionId", "workflowId", "stageIndex", "agent", "status", "pid", "exitCode"),
    *("exitSignal", "error", "logPath", "logBytes", "createdAt", "startedAt", "endedAt"),
)


def test_session_has_exactly_the_fields_of_the_contract(site: Site) -> None:
    found = site.session(site.run("x"))
    assert tuple(found) == FIELDS
    assert (found["status"], found["exitCode"], found["exitSignal"]) == ("succeeded", 0, None)
    assert found["pid"] > 1
    assert found["createdAt"] <= found["startedAt"] <= found["endedAt"]
    log = site.services.launcher.var / found["logPath"]
    assert found["logBytes"] == log.stat().st_size


def test_sessions_are_listed_newest_first_in_pages(site: Site) -> None:
    workflow_id = site.create_workflow()
    ids = [site.invoke(workflow_id=workflow_id) for _ in range(5)]
    seen: list[str] = []
    url = "/api/sessions?limit=2"
    cursor = ""
    while cursor is not None:
        page = site.client.get(url + (f"&cursor={cursor}" if cursor else "")).get_json()
        seen += [session["sessionId"] for session in page["sessions"]]
        cursor = page["nextCursor"]
    assert seen == sorted(ids, reverse=True)


def test_sessions_are_filtered_by_status_and_workflow(site: Site) -> None:
    ended = site.run()
    live = site.invoke(agent="sleep")
    wait_for(lambda: site.session(live)["status"] == "running")

    def listed(query: str) -> list[str]:
        page = site.client.get(f"/api/sessions?{query}").get_json()
        return [session["sessionId"] for session in page["sessions"]]

    assert listed("status=running") == [live]
    assert listed("status=succeeded,failed") == [ended]
    assert listed(f"workflowId={site.session(ended)['workflowId']}") == [ended]


@pytest.mark.parametrize(
    ("query", "field"), [("status=sleeping", "status"), ("limit=0", "limit"), ("limit=x", "limit")]
)
def test_bad_filter_is_refused_by_its_name(site: Site, query: str, field: str) -> None:
    answer = site.client.get(f"/api/sessions?{query}")
    assert (answer.status_code, answer.get_json()["error"]["field"]) == (400, field)


def test_live_session_is_cancelled_once(site: Site) -> None:
    session_id = site.invoke(agent="sleep")
    url = f"/api/sessions/{session_id}/cancel"
    assert site.client.post(url, json={}).status_code == 202
    wait_for(lambda: site.session(session_id)["status"] == "cancelled")
    again = site.client.post(url, json={})
    assert again.status_code == 409
    assert "cancelled" in again.get_json()["error"]["message"]
    assert site.session(session_id)["exitSignal"] == "SIGTERM"


@pytest.mark.parametrize("path", ["", "/log"])
def test_unknown_session_is_not_found(site: Site, path: str) -> None:
    answer = site.client.get(f"/api/sessions/session-1{path}")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (404, "NOT_FOUND")


def test_log_is_the_file_and_takes_ranges(site: Site) -> None:
    session_id = site.run("hello")
    content = (site.services.launcher.var / site.session(session_id)["logPath"]).read_bytes()
    url = f"/api/sessions/{session_id}/log"
    whole = site.client.get(url, buffered=True)
    assert (whole.data, whole.headers["Content-Length"]) == (content, str(len(content)))
    part = site.client.get(url, headers={"Range": "bytes=5-9"}, buffered=True)
    assert (part.status_code, part.data) == (206, content[5:10])
    assert site.client.get(url, headers={"Range": "bytes=999999-"}).status_code == 416
    assert site.client.head(url, buffered=True).headers["Content-Length"] == str(len(content))
