"""Conversations side by side in worktrees of one repository, over the API and the shell's parts."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.client import Client, data_of, trpc_error
from tests.http.conftest import AGENTS, open_client
from tests.projects.repository import make_repository, run_git
from tests.server import wait_for
from tests.store.rows import execute
from webapp.agents.profiles import BUILT_IN
from webapp.sessions.rebuild import rebuild


@pytest.fixture(name="repository", scope="module")
def a_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("worktrees") / "code/shop")


@pytest.fixture(name="client", scope="module")
def a_client(repository: Path) -> Iterator[Client]:
    agents = AGENTS | {"sh2": AGENTS["sh"], "demo-talk": BUILT_IN["demo-talk"]}
    root = repository.parent
    make_repository(root / "empty", {})
    with open_client(root.parent, agents=agents, project_roots=(root,)) as opened:
        yield opened


def begin(client: Client, *scripts: str) -> str:
    """A conversation with a worktree, in which an agent runs for each script; the workflow's id."""
    created = data_of(client.call("workflow.create", {"project": "shop", "worktree": True}))
    for script, agent in zip(scripts, ("sh", "sh2"), strict=False):
        value = {"workflowId": created["id"], "message": script, "agent": agent}
        data_of(client.call("workflow.invokeAgent", value))
    return str(created["id"])


def end(client: Client, how: str, workflow_id: str, **more: object) -> Any:
    """End a worktree."""
    return client.call(f"worktree.{how}", {"workflowId": workflow_id, **more})


def worktree_of(client: Client, workflow_id: str) -> Any:
    """What a workflow says of its worktree."""
    return data_of(client.get(f'/api/trpc/workflow.get?input="{workflow_id}"'))["worktree"]


def wait_for_sessions(client: Client, workflow_id: str) -> None:
    """Until no agent of a workflow runs."""
    path = f"/api/sessions?workflowId={workflow_id}&status=starting,running"
    wait_for(lambda: client.get(path).get_json()["sessions"] == [])


def test_five_conversations_in_three_worktrees_at_once(client: Client, repository: Path) -> None:
    """No file of one appears in another, and nothing is left when all have ended."""
    names = (("a1", "a2"), ("b1", "b2"), ("c1",))
    script = "echo {0} > {0}; until [ -e go ]; do sleep 0.02; done; echo {0} >> {0}"
    ids = [begin(client, *(script.format(name) for name in each)) for each in names]
    trees = [
        Path(data_of(client.get(f'/api/trpc/workflow.get?input="{id_}"'))["worktree"]["path"])
        for id_ in ids
    ]
    begun = [tree / name for tree, each in zip(trees, names, strict=True) for name in each]
    wait_for(lambda: all(file.exists() for file in begun))
    listed = data_of(client.get("/api/trpc/worktree.list"))["worktrees"]
    assert {each["workflowId"] for each in listed} == set(ids)

    refusal = end(client, "merge", ids[0])
    assert trpc_error(refusal) == (409, "CONFLICT", "workflowId")
    assert "works in this worktree" in refusal.get_json()["error"]["message"]
    for tree in trees:
        (tree / "go").touch()
    for workflow_id in ids:
        wait_for_sessions(client, workflow_id)
    for tree, written in zip(trees, names, strict=True):
        assert {path.name for path in tree.iterdir()} == {*written, "go", "README", ".git"}
        assert all((tree / name).read_text() == f"{name}\n" * 2 for name in written)
        (tree / "go").unlink()
    assert {path.name for path in repository.iterdir()} == {"README", ".git"}

    merged = data_of(end(client, "merge", ids[0]))
    assert merged["worktree"]["outcome"] == "merged"
    data_of(end(client, "merge", ids[1]))
    refusal = end(client, "discard", ids[2])
    assert trpc_error(refusal)[0] == 409
    assert "1 file not committed (c1)" in refusal.get_json()["error"]["message"]
    data_of(end(client, "discard", ids[2], evenUntaken=True))

    assert len(run_git(repository, "worktree", "list").splitlines()) == 1
    assert run_git(repository, "status", "--porcelain") == ""
    assert run_git(repository, "branch", "--format=%(refname:short)") == "main"
    assert {path.name for path in repository.iterdir()} == {
        *("README", ".git", "a1", "a2", "b1", "b2"),
    }
    assert not any(tree.exists() for tree in trees)


def test_branch_is_named_after_the_first_message_and_resumed_after_the_end(client: Client) -> None:
    workflow_id = begin(client, "true # Tidy up")
    wait_for_sessions(client, workflow_id)
    worktree = worktree_of(client, workflow_id)
    assert worktree["branch"] == f"agent/true-tidy-up-{workflow_id[-6:]}"
    assert (worktree["baseBranch"], worktree["outcome"]) == ("main", None)
    data_of(end(client, "discard", workflow_id))
    again = end(client, "discard", workflow_id)
    assert "was discarded" in again.get_json()["error"]["message"]

    value = {"workflowId": workflow_id, "message": "pwd"}
    session_id = data_of(client.call("workflow.invokeAgent", value))["sessionId"]
    ended = client.machine.wait_until_ended(client.machine.find(session_id))
    assert client.machine.output(ended).decode().strip() == worktree["path"]
    data_of(end(client, "keep", workflow_id))


def test_worktree_is_known_again_from_the_log_when_the_rows_are_lost(client: Client) -> None:
    workflow_id = begin(client, "true")
    wait_for_sessions(client, workflow_id)
    before = worktree_of(client, workflow_id)
    database, var = client.machine.database, client.machine.var
    rows_of_it = [f"{table} WHERE workflow_id" for table in ("messages", "sessions", "stages")]
    for rows in [*rows_of_it, "workflows WHERE id"]:
        execute(database, f"DELETE FROM {rows} = :id", id=workflow_id)
    rebuild(database, var)
    assert worktree_of(client, workflow_id) == before
    session = client.get(f"/api/sessions?workflowId={workflow_id}").get_json()["sessions"][0]
    assert session["project"] == "shop"
    data_of(end(client, "discard", workflow_id))


def test_agent_that_rests_is_ended_before_its_worktree_is(client: Client) -> None:
    created = data_of(client.call("workflow.create", {"project": "shop", "worktree": True}))
    value = {"workflowId": created["id"], "message": "hello", "agent": "demo-talk"}
    session_id = data_of(client.call("workflow.invokeAgent", value))["sessionId"]
    wait_for(lambda: client.session(session_id)["state"] == "idle")
    data_of(end(client, "discard", created["id"]))
    assert client.session(session_id)["status"] == "cancelled"


@pytest.mark.parametrize(
    ("value", "status", "field"),
    [
        ({"worktree": True}, 400, "worktree"),
        ({"worktree": True, "project": "empty"}, 400, "worktree"),
        ({"worktree": "/tmp", "project": "shop"}, 400, "worktree"),
        ({"branch": "main", "project": "shop"}, 400, "branch"),
    ],
)
def test_worktree_that_cannot_be_had_is_refused(
    client: Client, value: object, status: int, field: str
) -> None:
    assert trpc_error(client.call("workflow.create", value))[::2] == (status, field)


def test_end_of_what_has_no_worktree_is_refused(client: Client) -> None:
    for how in ("merge", "keep", "discard"):
        assert trpc_error(end(client, how, client.create_workflow()))[0] == 409
        assert trpc_error(end(client, how, "workflow-1790000000000-000000000000"))[0] == 404
        assert trpc_error(end(client, how, "../../etc"))[0] == 404
