"""Which folders are projects: what the settings name, and nothing that only leads there."""

import os
from pathlib import Path

import pytest

from tests.projects.repository import make_repository
from webapp.errors import BadRequest, Conflict
from webapp.projects.found import Project, Projects


@pytest.fixture(name="code")
def a_root(tmp_path: Path) -> Path:
    """A root with repositories, links that lead out, and what is no project."""
    code = tmp_path / "code"
    make_repository(code / "shop", {})
    make_repository(code / "team/site", {})
    make_repository(code / "shop/inner", {})
    make_repository(code / "node_modules/left", {})
    make_repository(code / "a/b/c/d", {})
    make_repository(code / "a/b/c/d2/e", {})
    make_repository(tmp_path / "outside", {})
    (code / "plain").mkdir()
    (code / "out").symlink_to(tmp_path / "outside")
    (code / "same").symlink_to(code / "shop")
    (code / "linked").mkdir()
    (code / "linked/.git").symlink_to(tmp_path / "outside/.git")
    (code / "worktree").mkdir()
    (code / "worktree/.git").write_text(f"gitdir: {tmp_path}/outside/.git\n")
    return code


@pytest.fixture(name="projects")
def the_projects(code: Path, tmp_path: Path) -> Projects:
    (tmp_path / "notes").mkdir()
    configured = {"notes": tmp_path / "notes", "gone": tmp_path / "gone"}
    return Projects(configured, [code, tmp_path / "no-root"])


def test_configured_ones_and_repositories_below_the_roots_are_listed(projects: Projects) -> None:
    names = [project.name for project in projects.all()]
    assert names == ["a/b/c/d", "notes", "shop", "team/site"]


@pytest.mark.parametrize(
    ("asked", "name", "folder"),
    [
        ("notes", "notes", "notes"),
        ("shop", "shop", "code/shop"),
        ("team/site", "team/site", "code/team/site"),
        ("team/../shop", "shop", "code/shop"),
        ("same", "shop", "code/shop"),
        ("shop/inner", "shop/inner", "code/shop/inner"),
        ("{root}/code/shop", "shop", "code/shop"),
        ("{root}/code/same", "shop", "code/shop"),
        ("{root}/notes", "notes", "notes"),
        ("{root}/code/../notes/", "notes", "notes"),
    ],
)
def test_project_is_found_by_its_name_and_its_path(
    projects: Projects, tmp_path: Path, asked: str, name: str, folder: str
) -> None:
    found = projects.find(asked.format(root=tmp_path))
    assert found == Project(name, tmp_path / folder)


@pytest.mark.parametrize(
    "asked",
    [
        *("nothing", "plain", "out", "linked", "worktree", "..", "../outside", ".", "/", "/etc"),
        *("{root}/outside", "{root}/code/out", "{root}/code/plain", "{root}/code/../outside"),
        *("{root}/code/shop/README", "{root}/code/shop/.git", "shop/.git", "a\0b", "~", "a\nb"),
        *("shop/../../outside", "/proc/self/cwd", "x" * 4000, "{root}/notes/.."),
    ],
)
def test_anything_else_is_refused(projects: Projects, tmp_path: Path, asked: str) -> None:
    with pytest.raises(BadRequest, match="Unknown project"):
        projects.find(asked.format(root=tmp_path))


def test_project_whose_folder_has_gone_is_named(projects: Projects, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match=f"'gone' is not there: {tmp_path}/gone"):
        projects.find("gone")


def test_of_two_with_the_same_name_the_second_is_called_by_its_path(tmp_path: Path) -> None:
    for root in ("one", "two"):
        make_repository(tmp_path / root / "shop", {})
    projects = Projects({}, [tmp_path / "one", tmp_path / "two"])
    names = {project.name for project in projects.all()}
    assert names == {"shop", f"{tmp_path}/two/shop"}
    assert all(projects.find(project.name) == project for project in projects.all())


def test_root_that_is_a_repository_is_one(tmp_path: Path) -> None:
    make_repository(tmp_path / "shop", {})
    os.symlink(tmp_path / "shop", tmp_path / "link")
    (project,) = Projects({}, [tmp_path / "link"]).all()
    assert project == Project("shop", tmp_path / "shop")
