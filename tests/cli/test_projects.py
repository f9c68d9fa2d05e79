"""Projects in the shell."""

import json
from pathlib import Path

import pytest

from tests.cli.command import refused, run
from tests.projects.repository import make_repository, run_git


@pytest.fixture(name="place")
def a_place(tmp_path: Path) -> Path:
    """A folder with settings that name a project and a root."""
    make_repository(tmp_path / "code/shop")
    (tmp_path / "notes").mkdir()
    (tmp_path / "agent-stream.toml").write_text(
        'project_roots = ["code"]\n[projects.notes]\npath = "notes"\n'
        '[agents.where]\ncommand = ["pwd"]\n'
    )
    return tmp_path


def test_projects_are_listed(place: Path) -> None:
    listed = [json.loads(line) for line in run(place, "projects", "--json").stdout.splitlines()]
    assert [(each["name"], each["isRepository"]) for each in listed] == [
        ("notes", False),
        ("shop", True),
    ]
    assert f"{place}/code/shop" in run(place, "projects").stdout


def test_run_works_in_a_project_and_ls_lists_it(place: Path) -> None:
    for asked in ("shop", "code/shop"):
        assert run(place, "run", "--project", asked, "--", "pwd").stdout == f"{place}/code/shop\n"
        ran = run(place, "run", "--project", asked, "--agent", "where")
        assert ran.stdout == f"{place}/code/shop\n", ran
    assert run(place, "run", "--", "pwd").stdout == f"{place}\n"
    assert run(place, "run", "--agent", "where").stdout == f"{place}\n"
    listed = run(place, "ls", "--project", "shop", "--json").stdout.splitlines()
    assert [json.loads(line)["project"] for line in listed] == ["shop"] * 4
    assert "shop" in run(place, "ls").stdout


def test_worktrees_are_made_listed_merged_kept_and_discarded(place: Path) -> None:
    shop = place / "code/shop"
    for name in ("one", "two", "three", "four"):
        command = ("sh", "-c", f"echo {name} > {name}; pwd")
        ran = run(place, "run", "--project", "shop", "--worktree", "--", *command)
        assert ran.stdout.startswith(f"{place}/var/worktrees/workflow-"), ran
    assert not (shop / "one").exists()
    listed = [
        json.loads(line) for line in run(place, "worktree", "ls", "--json").stdout.splitlines()
    ]
    four, three, two, one = (each["branch"] for each in listed)
    assert [each["changedFiles"] for each in listed] == [1] * 4
    assert "1 file not committed (four)" in run(place, "worktree", "ls").stdout

    assert run(place, "worktree", "merge", one).stdout == f"{one}: merged\n"
    assert run(place, "worktree", "keep", two).stdout == f"{two}: kept\n"
    refusal = run(place, "worktree", "discard", three)
    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert "changes that nobody has taken: 1 file not committed (three)" in refusal.stderr
    assert run(place, "worktree", "discard", "--even-untaken", three).returncode == 0
    run_git(shop, "worktree", "lock", listed[0]["path"])
    refusal = run(place, "worktree", "merge", four)
    assert "Git has locked the worktree" in refusal.stderr
    run_git(shop, "worktree", "unlock", listed[0]["path"])
    assert run(place, "worktree", "merge", four).returncode == 0

    assert run(place, "worktree", "ls").stdout == "No worktrees.\n"
    assert len(run_git(shop, "worktree", "list").splitlines()) == 1
    assert run_git(shop, "status", "--porcelain") == ""
    assert {path.name for path in shop.iterdir()} == {".git", "README", "one", "four"}
    assert run_git(shop, "show", f"{two}:two") == "two"
    assert "There is no worktree" in run(place, "worktree", "merge", one).stderr


def test_run_refuses_what_is_no_project(place: Path) -> None:
    for asked in ("nothing", "/etc", "..", "code"):
        said = run(place, "run", "--project", asked, "--", "pwd").stderr
        assert "Unknown project" in said
    assert "--project is for a new workflow" in refused_usage(place)


def refused_usage(place: Path) -> str:
    """What is said of a project beside a workflow, which has its own."""
    output = run(place, "run", "--project", "shop", "--workflow", "x", "--", "pwd")
    assert output.returncode == 2
    return output.stderr


def test_missing_folder_of_a_project_is_refused_at_start(place: Path) -> None:
    (place / "notes").rmdir()
    assert "projects.notes.path" in refused(run(place, "serve", "--port", "0"))
