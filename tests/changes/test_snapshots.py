"""Snapshots of a repository's files, and what differs between two of them."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.projects.repository import make_repository, run_git
from webapp.changes import snapshots
from webapp.changes.compare import Change, Store
from webapp.changes.patch import read_patch
from webapp.changes.snapshots import MAX_FILE_BYTES, read_snapshots


class Session:
    """A session's folder, whose agent works in a repository."""

    def __init__(self, folder: Path, cwd: Path) -> None:
        self.folder = folder / "changes"
        self.cwd = cwd
        snapshots.begin(self.folder, str(cwd), folder / "var")

    def changes(self) -> dict[str, Change]:
        """What is different now."""
        return {os.fsdecode(each.path): each for each in self.found()}

    def found(self) -> list[Change]:
        """The same, in order."""
        now = snapshots.take_now(self.folder)
        found, is_cut = self.store.changes(self.base, now)
        assert not is_cut
        return found

    @property
    def store(self) -> Store:
        return Store([self.folder])

    @property
    def base(self) -> str:
        tree = read_snapshots(self.folder)[0].tree
        assert tree is not None
        return tree

    def patch(self, change: Change) -> list[tuple[str, str]]:
        """The marks and texts of a file's diff."""
        found = read_patch(self.store, self.base, snapshots.take_now(self.folder), change)
        return [(line.mark, line.text) for hunk in found.hunks for line in hunk.lines]


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with three files."""
    files = {"cart.py": "a = 1\nb = 2\n", "old name.txt": "one\ntwo\nthree\nfour\n", "gone": "x\n"}
    return make_repository(tmp_path / "shop", files)


def test_changes_are_files_with_what_happened_to_them_and_their_lines(
    tmp_path: Path, shop: Path
) -> None:
    (shop / ".gitignore").write_text("*.log\n")
    session = Session(tmp_path, shop)
    (shop / "cart.py").write_text("a = 1\nb = 3\nc = 4\n")
    (shop / "old name.txt").rename(shop / "new name.txt")
    (shop / "gone").unlink()
    (shop / "picture.png").write_bytes(b"\x89PNG\0\0")
    (shop / "debug.log").write_text("ignored\n")
    (shop / "to").symlink_to("/etc/passwd")
    found = session.changes()
    shown = {
        name: (each.status, each.kind, each.added, each.removed) for name, each in found.items()
    }
    assert shown == {
        "cart.py": ("modified", "file", 2, 1),
        "gone": ("deleted", "file", 0, 1),
        "new name.txt": ("renamed", "file", 0, 0),
        "picture.png": ("added", "file", None, None),
        "to": ("added", "link", 1, 0),
    }
    assert found["new name.txt"].old_path == b"old name.txt"
    assert session.patch(found["cart.py"]) == [
        (" ", "a = 1"), ("-", "b = 2"), ("+", "b = 3"), ("+", "c = 4"),
    ]  # fmt: skip
    # A link's diff is its text: what is behind it is never read.
    assert session.patch(found["to"]) == [
        ("+", "/etc/passwd"),
        ("\\", " No newline at end of file"),
    ]


def test_snapshots_leave_the_repository_as_it_is(tmp_path: Path, shop: Path) -> None:
    (shop / "cart.py").write_text("staged\n")
    run_git(shop, "add", "cart.py")
    (shop / "cart.py").write_text("not staged\n")
    run_git(shop, "status")
    before = _all_files(shop)
    session = Session(tmp_path, shop)
    (shop / "new").write_text("new\n")
    session.changes()
    snapshots.take(session.folder, 1)
    (shop / "new").unlink()
    assert _all_files(shop) == before


def test_what_was_not_committed_at_the_beginning_is_no_change(tmp_path: Path, shop: Path) -> None:
    (shop / "cart.py").write_text("mine\n")
    (shop / "mine").write_text("mine too\n")
    session = Session(tmp_path, shop)
    assert session.found() == []
    run_git(shop, "commit", "--quiet", "--all", "--message=More")
    assert session.found() == [], "a commit changes no file"


def test_each_turn_has_a_snapshot_of_its_own(tmp_path: Path, shop: Path) -> None:
    session = Session(tmp_path, shop)
    for turn in (1, 2):
        (shop / f"turn {turn}").write_text("x\n")
        snapshots.take(session.folder, turn)
    trees = [snapshot.tree for snapshot in read_snapshots(session.folder).values()]
    assert list(read_snapshots(session.folder)) == [0, 1, 2]
    changes, _is_cut = session.store.changes(str(trees[1]), str(trees[2]))
    assert [each.path for each in changes] == [b"turn 2"]


# --- repositories of other kinds ------------------------------------------------------------------


def _without_commits(folder: Path) -> Path:
    return make_repository(folder / "fresh", {})


def _detached(folder: Path) -> Path:
    made = make_repository(folder / "detached")
    run_git(made, "checkout", "--quiet", "--detach")
    return made


def _worktree(folder: Path) -> Path:
    made = make_repository(folder / "main")
    run_git(made, "worktree", "add", "--quiet", "-b", "side", str(folder / "side"))
    return folder / "side"


def _with_a_conflict(folder: Path) -> Path:
    made = make_repository(folder / "conflict", {"a": "one\n"})
    run_git(made, "checkout", "--quiet", "-b", "side")
    for branch, text in (("side", "two\n"), ("main", "three\n")):
        run_git(made, "checkout", "--quiet", branch)
        (made / "a").write_text(text)
        run_git(made, "commit", "--quiet", "--all", "--message", text)
    with pytest.raises(Exception, match="exit status 1"):
        run_git(made, "merge", "side")
    return made


def _split_index(folder: Path) -> Path:
    made = make_repository(folder / "split", {f"f{n}": "x\n" for n in range(50)})
    run_git(made, "update-index", "--split-index")
    return made


def _sha256(folder: Path) -> Path:
    made = folder / "sha256"
    made.mkdir()
    run_git(made, "init", "--quiet", "--object-format=sha256")
    return make_repository(made)


def _with_a_submodule(folder: Path) -> Path:
    inner = make_repository(folder / "inner")
    made = make_repository(folder / "outer")
    add = ("-c", "protocol.file.allow=always", "submodule", "--quiet", "add")
    run_git(made, *add, str(inner), "lib")
    run_git(made, "commit", "--quiet", "--all", "--message=Add lib")
    return made


KINDS = [
    _without_commits, _detached, _worktree, _with_a_conflict, _split_index, _sha256,
    _with_a_submodule,
]  # fmt: skip


@pytest.mark.parametrize("make", KINDS)
def test_changes_of_a_repository_of_any_kind(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    cwd = make(tmp_path)
    session = Session(tmp_path, cwd)
    assert read_snapshots(session.folder)[0].error is None
    (cwd / "new").write_text("new\n")
    assert list(session.changes()) == ["new"]


def test_a_submodule_is_the_commit_that_it_has(tmp_path: Path) -> None:
    cwd = _with_a_submodule(tmp_path)
    session = Session(tmp_path, cwd)
    (cwd / "lib" / "README").write_text("dirty\n")
    assert session.found() == []
    run_git(cwd / "lib", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "x")
    make_repository(cwd / "another repository")
    (change,) = session.found()
    assert (change.path, change.kind) == (b"lib", "submodule")
    assert [mark for mark, _text in session.patch(change)] == ["-", "+"]


# --- bad input ------------------------------------------------------------------------------------


def test_names_with_anything_in_them(tmp_path: Path, shop: Path) -> None:
    session = Session(tmp_path, shop)
    names = [b"two\nlines", b'..\tand \\ "quotes"', b"\xff\xfe", b"-rf", b":(top)x", b"*.py"]
    for name in names:
        Path(os.fsdecode(os.fsencode(shop) + b"/" + name)).write_text(f"{name!r}\n")
    found = session.found()
    assert sorted(each.path for each in found) == sorted(names)
    for each in found:
        assert session.patch(each) == [("+", repr(each.path))]


def test_large_files_and_devices_are_said_and_not_read(tmp_path: Path, shop: Path) -> None:
    session = Session(tmp_path, shop)
    with (shop / "large").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    os.mkfifo(shop / "fifo")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(shop / "socket"))
    (shop / "cart.py").unlink()
    os.mkfifo(shop / "cart.py")
    (large,) = session.found()
    assert (large.path, large.kind, large.added) == (b"large", "large", None)
    size = sum(file.stat().st_size for file in session.folder.rglob("*") if file.is_file())
    assert size < 100_000


def test_a_file_becomes_a_folder_and_a_folder_a_link_that_leads_out(
    tmp_path: Path, shop: Path
) -> None:
    (shop / "folder").mkdir()
    (shop / "folder" / "inside").write_text("inside\n")
    run_git(shop, "add", "--all")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "inside").write_text("secret\n")
    session = Session(tmp_path, shop)
    (shop / "cart.py").unlink()
    (shop / "cart.py").mkdir()
    (shop / "cart.py" / "part").write_text("part\n")
    (shop / "folder" / "inside").unlink()
    (shop / "folder").rmdir()
    (shop / "folder").symlink_to(tmp_path / "outside")
    found = session.changes()
    assert {name: each.status for name, each in found.items()} == {
        "cart.py": "deleted", "cart.py/part": "added", "folder": "added",
        "folder/inside": "deleted",
    }  # fmt: skip
    assert session.patch(found["folder/inside"]) == [("-", "inside")]


def test_nothing_that_the_repository_configures_is_run(tmp_path: Path, shop: Path) -> None:
    command = f"touch {tmp_path}/ran"
    for name in (
        "core.fsmonitor", "diff.external", "filter.x.clean", "filter.x.process", "filter.x.smudge",
        "diff.x.textconv", "diff.x.command", "core.sshCommand", "core.pager",
        "core.alternateRefsCommand",
    ):  # fmt: skip
        run_git(shop, "config", name, command)
    run_git(shop, "config", "filter.x.required", "true")
    for hook in ("post-index-change", "pre-commit", "reference-transaction"):
        path = shop / ".git" / "hooks" / hook
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)
    (shop / ".gitattributes").write_text("* filter=x diff=x\n")
    session = Session(tmp_path, shop)
    (shop / "cart.py").write_text("changed\n")
    found = session.changes()
    session.patch(found["cart.py"])
    snapshots.take(session.folder, 1)
    assert list(found) == ["cart.py"]
    assert not (tmp_path / "ran").exists()


def test_a_repository_whose_files_are_elsewhere_is_refused(tmp_path: Path, shop: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "secret").write_text("secret\n")
    run_git(shop, "config", "core.worktree", str(tmp_path / "private"))
    session = Session(tmp_path, shop)
    error = read_snapshots(session.folder)[0].error
    assert error is not None
    assert "expected them in" in error


def test_no_repository_no_snapshots(tmp_path: Path) -> None:
    outer = make_repository(tmp_path, {})
    own = outer / "var" / "work"
    own.mkdir(parents=True)
    session = Session(tmp_path, own)
    assert read_snapshots(session.folder) == {}
    assert not session.folder.exists()


def test_a_repository_that_was_deleted_is_said(tmp_path: Path, shop: Path) -> None:
    session = Session(tmp_path, shop)
    (shop / "new").write_text("x\n")
    snapshots.take(session.folder, 1)
    shop.rename(tmp_path / "elsewhere")
    snapshots.take(session.folder, 2)
    found = read_snapshots(session.folder)
    assert "not there" in str(found[2].error)
    with pytest.raises(Exception, match="is stored no longer"):
        session.store.changes(session.base, str(found[1].tree))


def _all_files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }
