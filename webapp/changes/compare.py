"""Which files differ between two snapshots, and by how many lines: git's raw format.

https://git-scm.com/docs/git-diff-tree#_raw_output_format
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from webapp.changes.snapshots import STAND_IN
from webapp.projects.git import GitError, Result, git

MAX_LIST_BYTES = 8 << 20
_RENAMES = ("-M", "-l1000")
_STATUSES = {"A": "added", "D": "deleted", "M": "modified", "R": "renamed", "T": "retyped"}
_KINDS = {"120000": "link", "160000": "submodule"}


@dataclass(frozen=True)
class Change:
    """A file that differs."""

    path: bytes
    status: str
    """`added`, `deleted`, `modified`, `renamed`, or `retyped` (a file that became a link)."""
    kind: str
    """`file`, `link` or `submodule`."""
    old_path: bytes | None = None
    added: int | None = None
    removed: int | None = None
    """Lines; None where git compares none."""
    is_program: bool | None = None
    """Whether it can be run now, where that has changed."""
    blobs: tuple[str, str] = ("", "")


class Store:
    """The objects of one or several snapshots' folders, to compare trees in."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """The first one is the git directory; the others lend their objects."""
        self._folder = folders[0]
        others = ":".join(_quoted(folder / "objects") for folder in folders[1:])
        self._env = {
            "GIT_DIR": str(self._folder),
            "GIT_INDEX_FILE": str(self._folder / "none"),  # attributes are not read from one
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": others,
        }

    def run(self, *arguments: str, max_bytes: int = MAX_LIST_BYTES, stdin: bytes = b"") -> Result:
        """Run a git command on them. GitError, ServiceUnavailable."""
        try:
            return git(
                *arguments, cwd=self._folder, env=self._env, max_bytes=max_bytes, stdin=stdin
            )
        except GitError as error:
            raise GitError(
                "What these files were is stored no longer, because the repository is gone or "
                f"was cleaned up. Git says: {error.message.splitlines()[0]}"
            ) from None

    def changes(self, before: str, after: str) -> tuple[list[Change], bool]:
        """The files that differ, by path, and whether there are more of them."""
        formats = ("-r", "-z", "--raw", "--numstat", "--no-abbrev", *_RENAMES)
        result = self.run("diff-tree", *formats, before, after)
        return self._without_stand_ins(list(_parse(result.output))), result.is_cut

    def _without_stand_ins(self, changes: list[Change]) -> list[Change]:
        """No lines are counted of what stands for a file that is too large."""
        small = {blob for each in changes if _may_stand_in(each) for blob in each.blobs}
        wanted = sorted(blob for blob in small if blob.strip("0"))
        if not wanted:
            return changes
        asked = "".join(f"{blob}\n" for blob in wanted).encode()
        form = "--batch-check=%(objectname) %(objectsize)"
        sizes = dict(
            line.split() for line in self.run("cat-file", form, stdin=asked).text.splitlines()
        )
        limits = range(len(STAND_IN), len(STAND_IN) + 64)
        stand_ins = {
            blob
            for blob, size in sizes.items()
            if size.isdecimal()
            and int(size) in limits
            and self.run("cat-file", "blob", blob).output.startswith(STAND_IN)
        }
        return [
            replace(each, kind="large", added=None, removed=None)
            if stand_ins.intersection(each.blobs)
            else each
            for each in changes
        ]


def _may_stand_in(change: Change) -> bool:
    counts = (change.added or 0, change.removed or 0)
    return change.kind == "file" and 2 in counts


def _parse(output: bytes) -> Iterator[Change]:
    fields = iter(output.split(b"\0"))
    found: dict[bytes, Change] = {}
    for field in fields:
        if field.startswith(b":"):
            change = _raw(field.decode("ascii"), fields)
            if change is not None:
                found[change.path] = change
        elif field.count(b"\t") >= 2:
            added, removed, path = field.split(b"\t", 2)
            if not path:  # a rename: the two paths follow
                next(fields, b"")
                path = next(fields, b"")
            if path in found and added != b"-":
                found[path] = replace(found[path], added=int(added), removed=int(removed))
    yield from (found[path] for path in sorted(found))


def _raw(field: str, fields: Iterator[bytes]) -> Change | None:
    old_mode, mode, old_blob, blob, status = field[1:].split(" ")
    path = next(fields, b"")
    old_path = None
    if status[0] in "RC":
        old_path, path = path, next(fields, b"")
    if not path:
        return None  # cut off
    shown_mode = old_mode if status == "D" else mode
    is_program = mode == "100755" if {old_mode, mode} == {"100644", "100755"} else None
    return Change(
        path=path,
        status=_STATUSES.get(status[0], "modified"),
        kind=_KINDS.get(shown_mode, "file"),
        old_path=old_path,
        is_program=is_program,
        blobs=(old_blob, blob),
    )


def _quoted(path: Path) -> str:
    """A path in a list that colons separate: https://git-scm.com/docs/git#_the_git_repository."""
    escaped = os.fspath(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
