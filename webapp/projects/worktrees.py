"""Git worktrees: a folder and a branch of a repository for one conversation.

Made at `folder` on a branch of its own; merged into the branch that it began from, kept as a
branch, or discarded. Removal never drops what nobody has taken.
https://git-scm.com/docs/git-worktree
"""

import re
from dataclasses import dataclass
from pathlib import Path

from webapp.errors import BadRequest, Conflict
from webapp.projects.git import GitError, Result, git
from webapp.visible import visible

SECONDS = 120.0
"""For what writes the files of a whole repository."""
BRANCH = re.compile(r"agent/[a-z0-9][a-z0-9-]{0,80}")
_MAX_SLUG_LETTERS = 40
_MAX_NAMED_FILES = 5


@dataclass(frozen=True)
class Worktree:
    """Where one is, and what it has checked out."""

    repository: Path
    folder: Path
    branch: str
    base_branch: str | None
    """The branch that it began from; None: HEAD was detached."""


@dataclass(frozen=True)
class Untaken:
    """What only this worktree has."""

    files: tuple[str, ...]
    """Changed, and not committed."""
    commits: int
    """Not in the branch that it began from."""

    def __bool__(self) -> bool:
        return bool(self.files) or self.commits > 0

    def __str__(self) -> str:
        parts = []
        if self.files:
            named = ", ".join(visible(name) for name in self.files[:_MAX_NAMED_FILES])
            more = len(self.files) - _MAX_NAMED_FILES
            named += f" and {more} more" if more > 0 else ""
            parts.append(f"{_count(len(self.files), 'file')} not committed ({named})")
        if self.commits:
            parts.append(f"{_count(self.commits, 'commit')} not merged")
        return " and ".join(parts)


def branch_name(title: str, short_id: str) -> str:
    """A branch for a conversation that is called so."""
    words = re.sub(r"[^a-z0-9]+", "-", title.casefold()).strip("-")
    slug = words[:_MAX_SLUG_LETTERS].rsplit("-", 1)[0] if len(words) > _MAX_SLUG_LETTERS else words
    return f"agent/{slug}-{short_id}" if slug else f"agent/{short_id}"


def check_repository(folder: Path) -> str | None:
    """The branch that a worktree would begin from, None for a detached HEAD.

    BadRequest where a repository cannot have worktrees.
    """
    try:
        top = git("rev-parse", "--show-toplevel", cwd=folder).text
    except GitError as error:
        raise BadRequest(
            f"{folder} cannot have a worktree: git says {_one_line(error.message)!r}.",
            field="worktree",
        ) from None
    if Path(top).resolve() != folder.resolve():
        raise BadRequest(
            f"{folder} cannot have a worktree: its repository's folder is {top}.",
            field="worktree",
        )
    if git("rev-parse", "--verify", "--quiet", "HEAD", cwd=folder, codes=(0, 1, 128)).code:
        raise BadRequest(
            f"{folder} cannot have a worktree: it has no commit yet. Commit something first.",
            field="worktree",
        )
    return _branch_of(folder)


def add(tree: Worktree) -> None:
    """Make its folder; from its branch where that is there, else from the one that it began from.

    The folder above is there. Submodules stay empty folders in it. GitError.
    """
    _forget_missing(tree)
    if _has_branch(tree.repository, tree.branch):
        arguments = [str(tree.folder), tree.branch]
    else:
        arguments = ["-b", tree.branch, "--no-track", str(tree.folder), _base(tree)]
    git("worktree", "add", "--quiet", *arguments, cwd=tree.repository, timeout=SECONDS)


def untaken(tree: Worktree) -> Untaken:
    """What would be lost if it were removed with its branch."""
    files: tuple[str, ...] = ()
    if tree.folder.is_dir():
        status = _status(tree.folder)
        files = tuple(entry[3:] for entry in status.output.decode("utf-8", "replace").split("\0"))
    commits = 0
    if _has_branch(tree.repository, tree.branch):
        ours = f"{_base(tree)}..refs/heads/{tree.branch}"
        commits = int(git("rev-list", "--count", ours, "--", cwd=tree.repository).text or 0)
    return Untaken(tuple(name for name in files if name), commits)


def merge(tree: Worktree, message: str) -> None:
    """Commit what is not committed, merge it into the branch that it began from, and remove it.

    Conflict, with nothing changed in the repository's own folder, where that is not possible.
    """
    _check_removable(tree)
    if tree.base_branch is None or _branch_of(tree.repository) != tree.base_branch:
        wanted = tree.base_branch or "the branch that it is to be merged into"
        raise Conflict(
            f"{tree.repository} has {_checked_out(tree.repository)} checked out; check out "
            f"{wanted} there, then merge."
        )
    _commit(tree, message)
    merging = ("merge", "--no-edit", "--quiet", f"--message=Merge {tree.branch}", tree.branch)
    result = git(*merging, cwd=tree.repository, timeout=SECONDS, codes=(0, 1, 2, 128))
    if result.code:
        raise Conflict(_refusal_of_merge(tree, result))
    _remove(tree, has_to_be_merged=True)


def keep(tree: Worktree, message: str) -> None:
    """Commit what is not committed and remove the folder; the branch stays."""
    _check_removable(tree)
    _commit(tree, message)
    if tree.folder.exists():
        _remove_folder(tree)
    _forget_missing(tree)


def discard(tree: Worktree, *, even_untaken: bool) -> None:
    """Remove folder and branch. Conflict where that would drop what nobody has taken."""
    _check_removable(tree)
    lost = untaken(tree)
    if lost and not even_untaken:
        raise Conflict(
            f"{tree.branch} has changes that nobody has taken: {lost}. Merge or keep it, or "
            "discard it with its changes."
        )
    _remove(tree, has_to_be_merged=False)


# --- steps ----------------------------------------------------------------------------


def _remove(tree: Worktree, *, has_to_be_merged: bool) -> None:
    """Remove the folder, of which all is taken or is not wanted, and the branch."""
    if tree.folder.exists():
        _remove_folder(tree)
    _forget_missing(tree)
    if _has_branch(tree.repository, tree.branch):
        flag = "-d" if has_to_be_merged else "-D"
        git("branch", "--quiet", flag, tree.branch, cwd=tree.repository)


def _remove_folder(tree: Worktree) -> None:
    # Without --force git keeps a folder that has submodules: git-worktree(1), BUGS.
    git("worktree", "remove", "--force", str(tree.folder), cwd=tree.repository, timeout=SECONDS)


def _forget_missing(tree: Worktree) -> None:
    """Have git forget a worktree whose folder was deleted; others stay registered."""
    if not tree.folder.exists() and _entry(tree) is not None:
        _remove_folder(tree)


def _check_removable(tree: Worktree) -> None:
    """Conflict where git has it locked, or where it has another branch checked out."""
    entry = _entry(tree)
    if entry is None:
        return
    if "locked" in entry:
        reason = f": {visible(entry['locked'])}" if entry["locked"] else ""
        raise Conflict(
            f"Git has locked the worktree {tree.folder}{reason}. `git -C {tree.repository} "
            f"worktree unlock {tree.folder}` unlocks it."
        )
    if tree.folder.exists() and entry.get("branch") != f"refs/heads/{tree.branch}":
        shown = visible(entry.get("branch", "a detached HEAD").removeprefix("refs/heads/"))
        raise Conflict(
            f"The worktree {tree.folder} has {shown} checked out, expected {tree.branch}. Check "
            "that out there first."
        )


def _entry(tree: Worktree) -> dict[str, str] | None:
    """What git lists of it."""
    listed = git("worktree", "list", "--porcelain", "-z", cwd=tree.repository)
    for block in listed.output.decode("utf-8", "surrogateescape").split("\0\0"):
        facts = {}
        for line in block.split("\0"):
            name, _space, value = line.partition(" ")
            facts[name] = value
        if facts.get("worktree") == str(tree.folder):
            return facts
    return None


def _base(tree: Worktree) -> str:
    """Where it begins: the branch, or what is checked out where that is gone or never was."""
    if tree.base_branch and _has_branch(tree.repository, tree.base_branch):
        return f"refs/heads/{tree.base_branch}"
    return "HEAD"


def _commit(tree: Worktree, message: str) -> None:
    """Commit all that is not ignored, by whom git takes for the author, else by agent-stream."""
    if not tree.folder.is_dir() or not _status(tree.folder).output:
        return
    git("add", "--all", cwd=tree.folder, timeout=SECONDS)
    has_author = not git("var", "GIT_AUTHOR_IDENT", cwd=tree.folder, codes=(0, 1, 128)).code
    author = {} if has_author else _OWN_NAME
    commit = ("commit", "--quiet", "--no-verify", f"--message={message}")
    git(*commit, cwd=tree.folder, timeout=SECONDS, env=author)


_OWN_NAME = {
    f"GIT_{role}_{kind}": value
    for role in ("AUTHOR", "COMMITTER")
    for kind, value in (("NAME", "agent-stream"), ("EMAIL", "agent-stream@localhost"))
}


def _status(folder: Path) -> Result:
    return git(
        *("status", "--porcelain", "-z", "--no-renames", "--untracked-files=all"),
        cwd=folder,
        timeout=SECONDS,
    )


def _refusal_of_merge(tree: Worktree, result: Result) -> str:
    """What kept a merge from happening; a merge that has begun is undone."""
    names = git("diff", "--name-only", "--diff-filter=U", "-z", cwd=tree.repository).output
    files = [name for name in names.decode("utf-8", "replace").split("\0") if name]
    if not files:
        said = _one_line(result.error or result.text)
        return f"{tree.branch} cannot be merged into {tree.base_branch}: git says {said!r}."
    git("merge", "--abort", cwd=tree.repository, timeout=SECONDS)
    named = ", ".join(visible(name) for name in files[:_MAX_NAMED_FILES])
    return (
        f"{tree.branch} conflicts with {tree.base_branch} in {_count(len(files), 'file')} "
        f"({named}). Nothing was merged; merge {tree.base_branch} in {tree.folder} first."
    )


def _branch_of(folder: Path) -> str | None:
    found = git("symbolic-ref", "--quiet", "--short", "HEAD", cwd=folder, codes=(0, 1))
    return found.text or None


def _checked_out(folder: Path) -> str:
    return _branch_of(folder) or "a detached HEAD"


def _has_branch(repository: Path, branch: str) -> bool:
    name = f"refs/heads/{branch}"
    return not git("show-ref", "--verify", "--quiet", name, cwd=repository, codes=(0, 1)).code


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))[:300]
