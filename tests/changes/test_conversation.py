"""What a conversation has changed, as clients and the command see it."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.changes.agents import agents
from tests.cli.command import run
from tests.cli.screen import at_a_terminal
from tests.projects.repository import make_repository, run_git
from tests.server import Server, running_server, wait_for


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"cart.py": "def total(items):\n    return sum(items)\n", "notes": "one\n"}
    return make_repository(tmp_path_factory.mktemp("code") / "shop", files)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, shop: Path) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("server"), agents(shop)) as running:
        yield running


@pytest.fixture
def clean(shop: Path) -> None:
    run_git(shop, "reset", "--quiet", "--hard")
    run_git(shop, "clean", "--quiet", "-fd")


def get(server: Server, session_id: str, part: str = "", **args: str | int) -> httpx.Response:
    url = f"{server.url}/api/sessions/{session_id}/changes{part}"
    return httpx.get(url, params={name: str(value) for name, value in args.items()}, timeout=30)


def query(server: Server, procedure: str, **given: str) -> Any:
    url = f"{server.url}/api/trpc/{procedure}"
    answer = httpx.get(url, params={"input": json.dumps(given)}, timeout=30)
    return answer.json()["result"]["data"]


def changes(server: Server, session_id: str, turn: int | None = None) -> dict[str, tuple[Any, ...]]:
    """Each file's status and counts."""
    answer = get(server, session_id) if turn is None else get(server, session_id, turn=turn)
    assert answer.status_code == 200, answer.text
    files = answer.json()["files"]
    return {each["path"]: (each["status"], each["added"], each["removed"]) for each in files}


def turn(server: Server, command: str, session_id: str | None = None) -> str:
    """Have the agent run a command in a turn; wait until it rests and its turn is kept."""
    if session_id is None:
        session_id, count = server.invoke("shell", command), 1
    else:
        count = len(_kept(server, session_id))
        sent = {"sessionId": session_id, "content": command}
        assert server.call("session.sendInput", sent).status_code == 200
    asked = session_id
    wait_for(lambda: server.session(asked)["state"] == "idle" and count in _kept(server, asked))
    return session_id


def _kept(server: Server, session_id: str) -> list[int]:
    """The snapshots that there are, of the beginning too."""
    folder = server.log_path(session_id).parent / "changes" / "turns"
    return [int(file.name) for file in folder.iterdir() if file.name.isdecimal()]


@pytest.mark.usefixtures("clean")
def test_changes_of_a_conversation_and_of_its_turns(server: Server, shop: Path) -> None:
    (shop / "mine").write_text("was here before\n")
    before = run_git(shop, "status", "--porcelain")
    session = turn(server, "echo '# more' >> cart.py; printf 'a\\0' > picture")
    turn(server, "echo two >> notes; git mv notes words", session)
    assert changes(server, session) == {
        "cart.py": ("modified", 1, 0), "picture": ("added", None, None),
        "words": ("renamed", 1, 0),
    }  # fmt: skip
    assert set(changes(server, session, turn=1)) == {"cart.py", "picture"}
    assert set(changes(server, session, turn=2)) == {"words"}
    (shop / "now").write_text("not in a turn yet\n")
    assert set(changes(server, session, turn=3)) == {"now"}
    refused = get(server, session, turn=9)
    assert refused.status_code == 404
    assert "no turn 9. Turns: 1 to 3." in refused.text
    assert run_git(shop, "stash", "list") == ""
    assert run_git(shop, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert before in run_git(shop, "status", "--porcelain")

    server.call("session.cancel", {"sessionId": session})
    server.wait_until_ended(session)
    (shop / "later").write_text("after the end\n")
    assert "later" not in changes(server, session)


@pytest.mark.usefixtures("clean")
def test_a_file_has_coloured_hunks_with_both_apis(server: Server) -> None:
    session = turn(server, "printf '    # all\\n' >> cart.py; printf x > '<b> & \"#?%.txt'")
    listed = get(server, session).json()
    keys = {each["path"]: each["key"] for each in listed["files"]}
    file = get(server, session, "/file", path=keys["cart.py"], state=listed["state"]).json()
    assert (file["added"], file["removed"], file["isCut"]) == (1, 0, False)
    (hunk,) = file["hunks"]
    assert (hunk["oldStart"], hunk["newStart"]) == (1, 1)
    assert hunk["lines"][0] == [" ", "def total(items):", [3, "k", 1, "", 5, "f"]]
    assert hunk["lines"][2] == ["+", "    # all", [4, "", 5, "c"]]
    assert query(server, "session.changes", sessionId=session)["files"] == listed["files"]
    diff = query(server, "session.diff", sessionId=session, path=keys['<b> & "#?%.txt'])
    assert diff["hunks"][0]["lines"][0][:2] == ["+", "x"]


@pytest.mark.usefixtures("clean")
def test_an_agent_of_one_message_has_one_turn(server: Server) -> None:
    session = server.invoke("once", "rm notes")
    server.wait_until_ended(session)
    assert changes(server, session) == {"notes": ("deleted", 0, 1)}
    assert changes(server, session, turn=1) == changes(server, session)


@pytest.mark.usefixtures("clean")
def test_files_that_have_not_changed_are_never_shown(server: Server) -> None:
    session = turn(server, "echo x > new")
    for path in ("cart.py", "../shop/new", "/etc/passwd", ".git/config", "..", quote("\n")):
        refused = get(server, session, "/file", path=path)
        assert refused.status_code == 404, path
    assert get(server, session, "/file", path="new", state="HEAD").status_code == 400
    assert get(server, session, turn="x").status_code == 400


def test_a_session_outside_of_a_repository_has_none(server: Server) -> None:
    session = server.invoke("demo", "hello")
    server.wait_until_ended(session)
    refused = get(server, session)
    assert refused.status_code == 404
    assert "works in no git repository" in refused.text
    assert "works in no git repository" in run(server, "diff", session).stderr


@pytest.mark.usefixtures("clean")
def test_the_command_prints_what_git_applies(server: Server, shop: Path, tmp_path: Path) -> None:
    session = turn(server, "echo two >> notes; printf '\\033[31m\\n' > escape")
    copy = tmp_path / "copy"
    run_git(tmp_path, "clone", "--quiet", str(shop), str(copy))
    patch = run(server, "diff", session).stdout
    subprocess.run(["git", "apply"], cwd=copy, input=patch, text=True, check=True)
    assert (copy / "notes").read_text() == "one\ntwo\n"
    assert run(server, "diff", session, "--turn", "1").stdout == patch
    stat = run(server, "diff", session, "--stat").stdout.splitlines()
    assert stat == ["    +1     -0  escape", "    +1     -0  notes", "2 files, +2 -0"]
    with at_a_terminal(server, "diff", session) as terminal:
        terminal.wait_for("+two")
        terminal.wait_for("+\\u001b[31m")


def test_a_project_that_is_deleted_meanwhile_is_said(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shop = make_repository(tmp_path / "shop")
    with running_server(tmp_path_factory.mktemp("server"), agents(shop), workers=1) as server:
        session = turn(server, "echo x > new")
        shop.rename(tmp_path / "gone")
        refused = get(server, session)
        assert refused.status_code == 409
        assert "The folder is not there" in refused.text
        server.call("session.cancel", {"sessionId": session})
        ended = server.wait_until_ended(session)
        assert ended["status"] == "cancelled"
        assert get(server, session).status_code == 409
