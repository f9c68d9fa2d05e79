"""Worktrees in git: made, merged, kept, discarded, and refused with the reason."""

import shutil
from pathlib import Path

import pytest

from tests.projects.repository import make_repository, run_git
from webapp.errors import BadRequest, Conflict
from webapp.projects.worktrees import (
    BRANCH,
    Worktree,
    add,
    branch_name,
    check_repository,
    discard,
    keep,
    merge,
    untaken,
)


@pytest.fixture(name="repository")
def a_repository(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "shop", {"cart.py": "one\n", ".gitignore": "*.o\n"})


@pytest.fixture(name="tree")
def a_worktree(repository: Path, tmp_path: Path) -> Worktree:
    (tmp_path / "trees").mkdir(exist_ok=True)
    tree = Worktree(repository, tmp_path / "trees/one", "agent/one-1", check_repository(repository))
    add(tree)
    return tree


def is_clean(repository: Path) -> bool:
    """Whether git knows of no other worktree, no branch of an agent, and no change."""
    listed = run_git(repository, "worktree", "list").splitlines()
    branches = run_git(repository, "branch", "--list", "agent/*")
    return len(listed) == 1 and not branches and not run_git(repository, "status", "--porcelain")


def test_merge_takes_what_is_committed_and_what_is_not(tree: Worktree) -> None:
    (tree.folder / "cart.py").write_text("two\n")
    run_git(tree.folder, "commit", "--all", "--message=Two")
    (tree.folder / "new\nname.py").write_text("new\n")
    (tree.folder / "made.o").write_text("ignored\n")
    assert not (tree.repository / "new\nname.py").exists()
    assert (untaken(tree).files, untaken(tree).commits) == (("new\nname.py",), 1)
    merge(tree, "Add a name")
    assert (tree.repository / "cart.py").read_text() == "two\n"
    assert (tree.repository / "new\nname.py").read_text() == "new\n"
    assert not tree.folder.exists()
    assert is_clean(tree.repository)


def test_conflict_is_named_and_changes_nothing(tree: Worktree) -> None:
    (tree.folder / "cart.py").write_text("two\n")
    (tree.repository / "cart.py").write_text("three\n")
    run_git(tree.repository, "commit", "--all", "--message=Three")
    with pytest.raises(Conflict, match=r"conflicts with main in 1 file \(cart\.py\)"):
        merge(tree, "Two")
    assert (tree.repository / "cart.py").read_text() == "three\n"
    assert run_git(tree.repository, "status", "--porcelain") == ""
    assert (tree.folder / "cart.py").read_text() == "two\n"


def test_change_that_is_not_committed_in_the_project_is_kept(tree: Worktree) -> None:
    (tree.folder / "cart.py").write_text("two\n")
    (tree.repository / "cart.py").write_text("mine\n")
    with pytest.raises(Conflict, match="would be overwritten by merge"):
        merge(tree, "Two")
    assert (tree.repository / "cart.py").read_text() == "mine\n"
    assert (tree.folder / "cart.py").read_text() == "two\n"


@pytest.mark.parametrize("is_committed", [False, True])
def test_discard_refuses_what_nobody_has_taken(tree: Worktree, is_committed: bool) -> None:
    (tree.folder / "cart.py").write_text("two\n")
    if is_committed:
        run_git(tree.folder, "commit", "--all", "--message=Two")
    expected = "1 commit not merged" if is_committed else r"1 file not committed \(cart\.py\)"
    with pytest.raises(Conflict, match=expected):
        discard(tree, even_untaken=False)
    assert (tree.folder / "cart.py").read_text() == "two\n"
    discard(tree, even_untaken=True)
    assert is_clean(tree.repository)


def test_discard_of_an_untouched_one_and_of_one_whose_folder_was_deleted(tree: Worktree) -> None:
    shutil.rmtree(tree.folder)
    discard(tree, even_untaken=False)
    assert is_clean(tree.repository)


def test_kept_branch_has_all_and_can_be_taken_up_again(tree: Worktree) -> None:
    (tree.folder / "cart.py").write_text("two\n")
    keep(tree, "Change the cart")
    assert not tree.folder.exists()
    assert run_git(tree.repository, "show", "agent/one-1:cart.py") == "two"
    assert run_git(tree.repository, "log", "-1", "--format=%s", "agent/one-1") == "Change the cart"
    add(tree)
    assert (tree.folder / "cart.py").read_text() == "two\n"


def test_locked_worktree_is_left_alone(tree: Worktree) -> None:
    run_git(tree.repository, "worktree", "lock", "--reason=on a stick", str(tree.folder))
    for end in (merge, keep):
        with pytest.raises(Conflict, match=r"locked the worktree .*: on a stick"):
            end(tree, "x")
    with pytest.raises(Conflict, match="worktree unlock"):
        discard(tree, even_untaken=True)
    assert tree.folder.exists()


def test_worktree_with_another_branch_is_left_alone(tree: Worktree) -> None:
    run_git(tree.folder, "checkout", "--quiet", "-b", "other")
    with pytest.raises(Conflict, match="has other checked out, expected agent/one-1"):
        merge(tree, "x")


def test_merge_needs_the_branch_that_it_began_from(tree: Worktree) -> None:
    run_git(tree.repository, "checkout", "--quiet", "-b", "release")
    with pytest.raises(Conflict, match="has release checked out; check out main there"):
        merge(tree, "x")


def test_detached_head_can_be_begun_from_but_not_merged_into(
    repository: Path, tmp_path: Path
) -> None:
    run_git(repository, "checkout", "--quiet", "--detach")
    assert check_repository(repository) is None
    (tmp_path / "trees").mkdir(exist_ok=True)
    tree = Worktree(repository, tmp_path / "trees/one", "agent/one-1", None)
    add(tree)
    with pytest.raises(Conflict, match="has a detached HEAD checked out"):
        merge(tree, "x")
    keep(tree, "x")
    assert run_git(repository, "branch", "--list", "agent/one-1")


def test_repository_with_submodules(repository: Path, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library", {"lib.py": "1\n"})
    run_git(
        repository, "-c", "protocol.file.allow=always", "submodule", "add", str(library), "library"
    )
    run_git(repository, "commit", "--message=Add a library")
    (tmp_path / "trees").mkdir(exist_ok=True)
    tree = Worktree(repository, tmp_path / "trees/one", "agent/one-1", "main")
    add(tree)
    run_git(tree.folder, "-c", "protocol.file.allow=always", "submodule", "update", "--init")
    (tree.folder / "cart.py").write_text("two\n")
    merge(tree, "Two")
    assert is_clean(repository)


def test_what_can_have_no_worktree_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="it has no commit yet"):
        check_repository(make_repository(tmp_path / "empty", {}))
    (tmp_path / "plain").mkdir()
    with pytest.raises(BadRequest, match="not a git repository"):
        check_repository(tmp_path / "plain")
    shop = make_repository(tmp_path / "shop", {"src/a.py": "1\n"})
    with pytest.raises(BadRequest, match=f"its repository's folder is {shop}"):
        check_repository(shop / "src")
    run_git(shop, "config", "core.worktree", str(tmp_path / "plain"))
    with pytest.raises(BadRequest, match="its repository's folder is"):
        check_repository(shop)


@pytest.mark.parametrize(
    ("title", "branch"),
    [
        ("Add a test", "agent/add-a-test-k3v9x0"),
        ("../../etc; rm -rf $HOME", "agent/etc-rm-rf-home-k3v9x0"),
        ("--upload-pack=x", "agent/upload-pack-x-k3v9x0"),
        ("", "agent/k3v9x0"),
        ("日本語", "agent/k3v9x0"),
        ("word " * 100, "agent/" + "word-" * 8 + "k3v9x0"),
        ("x" * 100, "agent/" + "x" * 40 + "-k3v9x0"),
    ],
)
def test_branch_is_named_after_the_conversation(title: str, branch: str) -> None:
    assert branch_name(title, "k3v9x0") == branch
    assert BRANCH.fullmatch(branch)
