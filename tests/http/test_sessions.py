"""`/api/sessions`: the list, one session, and an end to it."""

from dataclasses import replace

import pytest

from tests.http.client import Client, data_of, plain_error
from tests.http.conftest import AGENTS, MakeClient
from tests.server import wait_for
from tests.sessions.machine import is_alive, kill
from tests.store.rows import add_ended, add_session
from webapp.store.models import ENDED

UNKNOWN = "session-1795467840123-0123456789ab"


def listed(client: Client, query: str = "") -> list[str]:
    """The ids of a page of the list."""
    body = client.get(f"/api/sessions?{query}").get_json()
    return [session["sessionId"] for session in body["sessions"]]


# --- one session ----------------------------------------------------------------------


def test_session_is_shown_with_all_that_is_known_of_it(client: Client) -> None:
    session_id = client.finished()
    session = client.session(session_id)
    assert list(session) == [
        "sessionId",
        "workflowId",
        "stageIndex",
        "agent",
        "project",
        "cwd",
        "takesInput",
        "talk",
        "state",
        "mode",
        "model",
        "conversationId",
        "resumedFrom",
        "terminalCommand",
        "openApprovals",
        "status",
        "pid",
        "exitCode",
        "exitSignal",
        "error",
        "logPath",
        "logBytes",
        "createdAt",
        "startedAt",
        "endedAt",
        "costUsd",
        "workflowCostUsd",
    ]
    assert (session["status"], session["exitCode"], session["agent"]) == ("succeeded", 0, "sh")
    assert session["logBytes"] == len(client.machine.log(client.machine.find(session_id)))


def test_live_session_is_shown_with_the_size_of_its_log_so_far(client: Client) -> None:
    session_id = client.invoke("echo up; sleep 600")
    session = client.machine.find(session_id)
    client.machine.wait_for_output(session, b"up\n")
    assert client.session(session_id)["logBytes"] == len(client.machine.log(session))
    assert client.session(session_id)["endedAt"] is None


def test_session_says_whether_its_agent_reads_what_people_send(make_client: MakeClient) -> None:
    reading = replace(AGENTS["sh"], input=True)
    client = make_client(agents={"sh": AGENTS["sh"], "reading": reading})
    workflow_id = client.create_workflow()
    for agent, takes_input in (("sh", False), ("reading", True)):
        value = {"workflowId": workflow_id, "agent": agent, "message": "sleep 600"}
        session_id = data_of(client.call("workflow.invokeAgent", value))["sessionId"]
        assert client.session(session_id)["takesInput"] is takes_input


@pytest.mark.parametrize("path", ["", "/log", "/events"])
@pytest.mark.parametrize("session_id", [UNKNOWN, "x", "..", "%00", "%2e%2e%2fx", "a" * 3000])
def test_unknown_session_is_not_found(client: Client, session_id: str, path: str) -> None:
    response = client.get(f"/api/sessions/{session_id}{path}")
    assert plain_error(response)[:2] == (404, "NOT_FOUND")


def test_unknown_session_gets_404(client: Client) -> None:
    for path in ("", "/log", "/events"):
        response = client.get(f"/api/sessions/{UNKNOWN}{path}")
        assert "never was one" in response.get_json()["error"]["message"]
    response = client.post(f"/api/sessions/{UNKNOWN}/cancel", {})
    assert plain_error(response) == (404, "NOT_FOUND", "sessionId")


def test_session_that_lost_its_runner_is_shown_as_lost(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    session = client.machine.wait_until_running(client.machine.find(session_id))
    kill(session.runner_pid)
    wait_for(lambda: client.session(session_id)["status"] == "lost", patience_seconds=2)
    assert client.session(session_id)["exitCode"] is None
    wait_for(lambda: not is_alive(session.pid))


# --- the list -------------------------------------------------------------------------


def test_list_is_newest_first_and_paged(make_client: MakeClient) -> None:
    client = make_client()
    workflow_id = client.create_workflow()
    ids = [add_ended(client.machine.database, workflow_id, id=f"session-{n}") for n in range(5)]
    assert listed(client) == ids[::-1]
    page = client.get("/api/sessions?limit=2").get_json()
    assert page["nextCursor"] == "session-3"
    assert listed(client, "limit=2&cursor=session-3") == ["session-2", "session-1"]
    last = client.get("/api/sessions?limit=2&cursor=session-1").get_json()
    assert (len(last["sessions"]), last["nextCursor"]) == (1, None)


def test_list_holds_fifty_by_default(make_client: MakeClient) -> None:
    client = make_client()
    workflow_id = client.create_workflow()
    for n in range(51):
        add_ended(client.machine.database, workflow_id, id=f"session-{n:02}")
    body = client.get("/api/sessions").get_json()
    assert (len(body["sessions"]), body["nextCursor"]) == (50, "session-01")


def test_list_is_filtered_by_status_and_workflow(make_client: MakeClient) -> None:
    client = make_client()
    database = client.machine.database
    mine, other = client.create_workflow(), client.create_workflow()
    for status in ENDED:
        add_ended(database, mine, id=f"session-{status}", status=status)
    add_ended(database, other, id="session-other")
    assert listed(client, "status=lost") == ["session-lost"]
    assert set(listed(client, "status=lost,failed")) == {"session-lost", "session-failed"}
    assert listed(client, f"workflowId={other}") == ["session-other"]
    assert listed(client, f"workflowId={mine}&status=succeeded") == ["session-succeeded"]
    assert listed(client, "workflowId=workflow-0") == []


def test_list_is_filtered_by_agent_time_and_text_and_sorted(make_client: MakeClient) -> None:
    client = make_client()
    database, workflow_id = client.machine.database, client.create_workflow()
    early, late = (f"session-{ms}-aaaaaaaaaaaa" for ms in (1767225600000, 1767225601500))
    long = {"started_at": "2026-01-01T00:00:00.000Z", "ended_at": "2026-01-01T01:00:00.000Z"}
    add_ended(database, workflow_id, id=early, agent="claude", error="no_such 100% file", **long)
    add_ended(database, workflow_id, id=late, agent="codex", log_bytes=7)
    assert listed(client, "agent=claude") == [early]
    assert listed(client, "agent=claude,codex") == [late, early]
    assert listed(client, "from=2026-01-01T00:00:01Z") == [late]
    assert listed(client, "to=2026-01-01T01:00:01.5%2B01:00") == [early]
    assert listed(client, "text=NO_SUCH+100%25") == [early]
    assert listed(client, f"text={late[:-3]}") == [late]
    assert listed(client, "sort=oldest") == [early, late]
    assert listed(client, "sort=longest") == [early, late]
    page = client.get("/api/sessions?sort=largest&limit=1").get_json()
    assert page["nextCursor"] == f"7.{late}"
    assert listed(client, f"sort=largest&cursor={page['nextCursor']}") == [early]


def test_list_has_titles_if_they_are_asked_for(client: Client) -> None:
    session_id = client.invoke("true # " + "x" * 200)
    titles = client.get("/api/sessions?limit=1&include=titles").get_json()["titles"]
    assert titles == {session_id: ("true # " + "x" * 200)[:120]}


def test_sessions_are_counted_by_status_and_agent(make_client: MakeClient) -> None:
    client = make_client()
    database, workflow_id = client.machine.database, client.create_workflow()
    for agent, status in (("a", "lost"), ("a", "failed"), ("b", "failed")):
        add_ended(database, workflow_id, agent=agent, status=status)
    counts = client.get("/api/sessions/counts").get_json()
    assert counts["total"] == 3
    assert (counts["byStatus"]["failed"], counts["byStatus"]["running"]) == (2, 0)
    assert counts["byAgent"] == {"a": 2, "b": 1}
    assert client.get("/api/sessions/counts?agent=b").get_json()["total"] == 1


def test_empty_list_is_a_list(make_client: MakeClient) -> None:
    client = make_client()
    assert client.get("/api/sessions").get_json() == {"sessions": [], "nextCursor": None}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=done", "status"),
        ("status=running,done", "status"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("cursor=" + "x" * 300, "cursor"),
        ("workflowId=" + "x" * 300, "workflowId"),
        ("sort=best", "sort"),
        ("sort=longest&cursor=session-1", "cursor"),
        ("from=yesterday", "from"),
        ("to=2026-01-01", "to"),
        ("text=" + "x" * 300, "text"),
        ("agent=" + "x" * 300, "agent"),
        ("include=logs", "include"),
    ],
    ids=lambda value: value[:20],
)
def test_bad_query_is_refused_by_field(client: Client, query: str, field: str) -> None:
    response = client.get(f"/api/sessions?{query}")
    assert plain_error(response) == (400, "BAD_REQUEST", field)


def test_one_bad_log_does_not_spoil_the_list(make_client: MakeClient) -> None:
    client = make_client()
    database = client.machine.database
    workflow_id = client.create_workflow()
    bad = add_session(database, workflow_id, status="running", log_path="sessions/bad/output.log")
    folder = client.machine.var / "sessions/bad"
    folder.mkdir()
    (folder / "output.log").symlink_to("/etc/passwd")
    good = add_ended(database, workflow_id)
    assert sorted(listed(client)) == sorted([bad, good])


# --- cancel ---------------------------------------------------------------------------


def test_cancel_is_accepted_and_ends_the_session(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    response = client.post(f"/api/sessions/{session_id}/cancel", {})
    assert response.status_code == 202
    assert response.get_json()["sessionId"] == session_id
    client.machine.wait_until_ended(client.machine.find(session_id))
    assert client.session(session_id)["status"] == "cancelled"


def test_cancel_of_an_ended_session_is_a_conflict_with_its_status(client: Client) -> None:
    session_id = client.finished()
    response = client.post(f"/api/sessions/{session_id}/cancel", {})
    assert plain_error(response) == (409, "CONFLICT", "sessionId")
    assert "succeeded" in response.get_json()["error"]["message"]


def test_cancel_of_a_session_that_lost_its_runner_is_a_conflict(client: Client) -> None:
    session_id = client.invoke("sleep 600")
    session = client.machine.wait_until_running(client.machine.find(session_id))
    kill(session.runner_pid)
    wait_for(lambda: not client.machine.is_locked(session))
    response = client.post(f"/api/sessions/{session_id}/cancel", {})
    assert plain_error(response) == (409, "CONFLICT", "sessionId")


def test_cancel_by_get_is_refused(client: Client) -> None:
    session_id = client.finished()
    response = client.get(f"/api/sessions/{session_id}/cancel")
    assert response.status_code == 405
    assert "POST" in response.headers["Allow"]
