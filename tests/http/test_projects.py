"""Projects in the API: chosen when a conversation begins, and none but those of the settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.client import Client, data_of, trpc_error
from tests.http.conftest import AGENTS, open_client
from tests.projects.repository import make_repository
from tests.sessions.machine import shell
from webapp.agents.profiles import Profile


@pytest.fixture(name="folder", scope="module")
def a_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two projects, and what is none."""
    folder = tmp_path_factory.mktemp("projects")
    make_repository(folder / "code/shop")
    (folder / "notes").mkdir()
    make_repository(folder / "outside")
    (folder / "code/out").symlink_to(folder / "outside")
    return folder


@pytest.fixture(name="client", scope="module")
def a_client(folder: Path) -> Iterator[Client]:
    agents = AGENTS | {
        "home": Profile("home", shell("pwd"), cwd=str(folder / "outside")),
        "relative": Profile("relative", ("./tool",), cwd=str(folder / "outside")),
    }
    projects = {"notes": folder / "notes"}
    with open_client(
        folder, agents=agents, projects=projects, project_roots=(folder / "code",)
    ) as opened:
        yield opened


def folder_where_it_runs(client: Client, workflow_id: str, agent: str = "sh") -> str:
    """What `pwd` says in a new session of a workflow; its row must say the same."""
    value = {"workflowId": workflow_id, "message": "pwd", "agent": agent}
    session_id = data_of(client.call("workflow.invokeAgent", value))["sessionId"]
    ended = client.machine.wait_until_ended(client.machine.find(session_id))
    printed = client.machine.output(ended).decode().strip()
    assert ended.cwd == printed
    return printed


def create(client: Client, **value: object) -> dict[str, object]:
    """A new workflow."""
    created: dict[str, object] = data_of(client.call("workflow.create", value))
    return created


def test_projects_are_listed(client: Client, folder: Path) -> None:
    expected = [
        {"name": "notes", "path": f"{folder}/notes", "isRepository": False},
        {"name": "shop", "path": f"{folder}/code/shop", "isRepository": True},
    ]
    assert client.get("/api/projects").get_json() == {"projects": expected}
    answer = client.get("/api/trpc/project.list")
    assert data_of(answer)["projects"] == expected


def test_conversation_works_in_its_project(client: Client, folder: Path) -> None:
    for asked in ("shop", f"{folder}/code/shop"):
        workflow = create(client, project=asked)
        assert workflow["project"] == "shop"
        for agent in ("sh", "home"):
            ran_in = folder_where_it_runs(client, str(workflow["id"]), agent)
            assert ran_in == f"{folder}/code/shop"
    (newest,) = client.get("/api/sessions?limit=1").get_json()["sessions"]
    assert newest["project"] == "shop"


def test_without_a_project_an_agent_works_in_a_folder_of_its_own(
    client: Client, folder: Path
) -> None:
    first, second = (str(create(client)["id"]) for _ in range(2))
    ran_in = Path(folder_where_it_runs(client, first))
    assert ran_in.is_relative_to(client.machine.var / "work")
    assert ran_in.stat().st_mode & 0o777 == 0o700
    assert folder_where_it_runs(client, first) == str(ran_in)
    assert folder_where_it_runs(client, second) != str(ran_in)
    assert folder_where_it_runs(client, first, "home") == f"{folder}/outside"


@pytest.mark.parametrize(
    "asked",
    [
        *("outside", "out", "{folder}/outside", "{folder}/code/out", "{folder}/code", "/", ".."),
        *("shop/../../outside", "{folder}/code/shop/.git", "", 7, "a\0b", "a\nb", "x" * 5000),
    ],
)
def test_what_is_no_project_is_refused(client: Client, folder: Path, asked: object) -> None:
    if isinstance(asked, str):
        asked = asked.format(folder=folder)
    before = len(data_of(client.get("/api/trpc/workflow.list"))["workflows"])
    answer = client.call("workflow.create", {"project": asked})
    assert trpc_error(answer) == (400, "BAD_REQUEST", "project")
    assert len(data_of(client.get("/api/trpc/workflow.list"))["workflows"]) == before


def test_program_is_never_one_of_the_project(client: Client, folder: Path) -> None:
    for place, says in ((folder / "outside", "the operator's"), (folder / "notes", "a project's")):
        (place / "tool").write_text(f"#!/bin/sh\necho {says!r}\n")
        (place / "tool").chmod(0o755)
    workflow_id = create(client, project="notes")["id"]
    value = {"workflowId": workflow_id, "agent": "relative"}
    session_id = data_of(client.call("workflow.invokeAgent", value))["sessionId"]
    ended = client.machine.wait_until_ended(client.machine.find(session_id))
    assert client.machine.output(ended) == b"the operator's\n"


def test_project_that_has_gone_is_named_and_nothing_starts(client: Client, folder: Path) -> None:
    make_repository(folder / "code/short")
    workflow_id = create(client, project="short")["id"]
    (folder / "code/short").rename(folder / "elsewhere")
    answer = client.call("workflow.invokeAgent", {"workflowId": workflow_id, "message": "pwd"})
    assert trpc_error(answer) == (409, "CONFLICT", "workflowId")
    assert "'short'" in answer.get_json()["error"]["message"]
    found = client.get(f"/api/sessions?workflowId={workflow_id}").get_json()
    assert found["sessions"] == []


def test_lists_are_narrowed_down_to_a_project(client: Client) -> None:
    workflow = create(client, project="notes")
    folder_where_it_runs(client, str(workflow["id"]))
    listed = client.get("/api/sessions?project=notes").get_json()["sessions"]
    assert {session["project"] for session in listed} == {"notes"}
    for more in ("agent=sh", "status=succeeded", "sort=longest", "text=pwd"):
        found = client.get(f"/api/sessions?project=notes&{more}").get_json()["sessions"]
        assert workflow["id"] in {session["workflowId"] for session in found}
    assert client.get("/api/sessions?project=nothing").get_json()["sessions"] == []
    answer = client.get("/api/trpc/workflow.list?input=%7B%22project%22%3A%22notes%22%7D")
    assert {each["project"] for each in data_of(answer)["workflows"]} == {"notes"}
