"""The git repository that a folder is in, found without a word of its configuration."""

import os
from dataclasses import dataclass
from pathlib import Path

from webapp.projects.git import GitError, git

_SETTINGS = ("autocrlf", "eol", "filemode", "ignorecase", "symlinks")
"""What decides which bytes of a file are stored; none of them names a command."""


@dataclass(frozen=True)
class Repository:
    """Where the parts of a repository are."""

    top: Path
    """The folder of its files: the repository's, or a worktree's."""
    objects: Path
    index: Path
    exclude: Path
    object_format: str
    """`sha1` or `sha256`."""
    settings: dict[str, str]
    """How it stores files."""


def find_top(folder: Path, below: Path | None = None) -> Path | None:
    """The folder of the nearest repository's files, looked for no higher than `below`."""
    folder = Path(os.path.realpath(folder))
    limit = None if below is None else Path(os.path.realpath(below))
    for each in (folder, *folder.parents):
        if each == limit:
            return None
        if os.path.lexists(each / ".git"):
            return each
    return None


def read_repository(top: Path) -> Repository:
    """Where its parts are. GitError if git does not take it for one, or for another's."""
    answer = git(
        "rev-parse",
        "--show-toplevel",
        "--show-object-format",
        *("--git-path", "objects"),
        *("--git-path", "index"),
        *("--git-path", "info/exclude"),
        cwd=top,
    ).text.split("\n")
    if len(answer) != 5:
        raise GitError(f"The path of the repository has a newline: {str(top)!r}.")
    found, object_format, objects, index, exclude = answer
    if os.path.realpath(found) != str(top):
        # `core.worktree` may name any folder.
        raise GitError(f"The repository's files are in {found}, expected them in {top}.")
    return Repository(
        top=top,
        objects=(top / objects).resolve(),
        index=top / index,
        exclude=top / exclude,
        object_format=object_format,
        settings=_settings(top),
    )


def _settings(top: Path) -> dict[str, str]:
    wanted = rf"^core\.({'|'.join(_SETTINGS)})$"
    listed = git("config", "--null", "--get-regexp", wanted, cwd=top, codes=(0, 1))
    pairs = (pair.partition("\n") for pair in listed.text.split("\0") if pair)
    return {
        name.partition(".")[2]: value
        for name, _newline, value in pairs
        if value.isascii() and value.isalpha()
    }
