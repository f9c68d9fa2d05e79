r"""The files of a repository as they were when a session began and after each of its turns.

A snapshot is a git tree. The repository is only read: its index, HEAD, refs, stash, objects and
files stay as they are. The folder `changes` of a session is a git directory of ours, with an
index and objects of its own, that borrows the objects which the repository has already
(gitrepository-layout(5), `objects/info/alternates`). Its configuration is ours too, so that no
filter, file monitor or hook of the repository runs. It goes with the session's folder.

    changes/turns/<n>   {"tree": …} or {"error": …}: 0 when the session began, n after turn n
"""

import json
import os
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from webapp.changes.repository import Repository, find_top, read_repository
from webapp.errors import AgentStreamError
from webapp.projects.git import GitError, git

SECONDS = 10.0
"""How long a snapshot may take."""
BEGIN_SECONDS = 5.0
"""The same before an agent starts."""
MAX_FILE_BYTES = 8 << 20
"""A larger file is not kept: something else stands for it."""
MAX_NAMES_BYTES = 32 << 20
STAND_IN = b"agent-stream: this file is too large to be kept\n"


@dataclass(frozen=True)
class Snapshot:
    """One of them, or why there is none."""

    tree: str | None
    error: str | None = None


def begin(folder: Path, cwd: str, below: Path) -> None:
    """Take the first snapshot, unless `cwd` is in no repository. It never raises.

    `below`: the folder in which agents without a project work; no repository around it counts.
    """
    try:
        top = find_top(Path(cwd), below)
        if top is None:
            return
        folder.mkdir(mode=0o700)
        (folder / "turns").mkdir(mode=0o700)
        try:
            _make(folder, read_repository(top))
            _note(folder, 0, Snapshot(_write(folder, top, folder / "index", BEGIN_SECONDS)))
        except AgentStreamError as error:
            _note(folder, 0, Snapshot(None, error.message))
    except OSError:
        return  # a full disk, say, which the session itself will complain of


def take(folder: Path, turn: int) -> None:
    """Take the snapshot after a turn. It never raises."""
    try:
        top = top_of(folder)
        if top is None:
            return
        try:
            index = _copy(folder)
            snapshot = Snapshot(_write(folder, top, index, SECONDS))
            os.replace(index, folder / "index")
        except AgentStreamError as error:
            snapshot = Snapshot(None, error.message)
        _note(folder, turn, snapshot)
    except OSError:
        return


def take_now(folder: Path) -> str:
    """The tree of the files as they are now. GitError, ServiceUnavailable."""
    top = top_of(folder)
    if top is None:
        raise GitError("The files are not watched.")
    try:
        index = _copy(folder)
        tree = _write(folder, top, index, SECONDS)
        os.replace(index, folder / "now")
    except OSError as error:
        raise GitError(f"Cannot read the files as they are now: {error.strerror}.") from None
    return tree


def read_snapshots(folder: Path) -> dict[int, Snapshot]:
    """What was kept, by turn; empty for a session that works in no repository."""
    found = {}
    try:
        names = os.listdir(folder / "turns")
    except OSError:
        return {}
    for name in names:
        if name.isdecimal() and name.isascii():
            fields = _read_json(folder / "turns" / name)
            tree, error = fields.get("tree"), fields.get("error")
            found[int(name)] = Snapshot(
                tree if isinstance(tree, str) else None, error if isinstance(error, str) else None
            )
    return dict(sorted(found.items()))


def top_of(folder: Path) -> Path | None:
    """The folder of the repository's files; None where no first snapshot could be taken."""
    top = _read_json(folder / "repository.json").get("top")
    return Path(top) if isinstance(top, str) else None


# --- the git directory ------------------------------------------------------------------------


def _make(folder: Path, repository: Repository) -> None:
    """https://git-scm.com/docs/gitrepository-layout"""
    for name in ("objects/info", "refs", "info"):
        (folder / name).mkdir(parents=True, mode=0o700)
    version = 0 if repository.object_format == "sha1" else 1
    settings = {
        **repository.settings,
        "bare": "true",
        "repositoryformatversion": str(version),
        "bigFileThreshold": str(MAX_FILE_BYTES),
        "fsync": "none",
        "splitIndex": "false",
    }
    config = "[core]\n" + "".join(f"\t{name} = {value}\n" for name, value in settings.items())
    if version:
        config += f"[extensions]\n\tobjectFormat = {repository.object_format}\n"
    (folder / "config").write_text(config)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    (folder / "objects/info/alternates").write_bytes(os.fsencode(repository.objects) + b"\n")
    copied = [(repository.exclude, "info/exclude"), (repository.index, "index")]
    copied += [(path, path.name) for path in repository.index.parent.glob("sharedindex.*")]
    for path, name in copied:
        if path.is_file():
            # With its time: git compares it with those of files that were written with it.
            shutil.copy2(path, folder / name)
    (folder / "repository.json").write_text(json.dumps({"top": str(repository.top)}))


def _copy(folder: Path) -> Path:
    """A copy of the newest index, which knows the files that have not changed since."""
    newest = folder / "index"
    copy = folder / f"index.{os.getpid()}.{time.monotonic_ns()}"
    if newest.exists():
        shutil.copy2(newest, copy)
    return copy


def _note(folder: Path, turn: int, snapshot: Snapshot) -> None:
    fields = {"tree": snapshot.tree} if snapshot.error is None else {"error": snapshot.error}
    written = folder / "turns" / f".{turn}"
    written.write_text(json.dumps(fields))
    os.replace(written, folder / "turns" / str(turn))


def _read_json(path: Path) -> dict[str, object]:
    try:
        fields = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return fields if isinstance(fields, dict) else {}


# --- a snapshot -------------------------------------------------------------------------------


def _write(folder: Path, top: Path, index: Path, seconds: float) -> str:
    """Bring an index up to date with the files, and write its tree."""
    env = {"GIT_DIR": str(folder), "GIT_WORK_TREE": str(top), "GIT_INDEX_FILE": str(index)}
    give_up_at = time.monotonic() + seconds

    def run(*arguments: str, stdin: bytes = b"") -> bytes:
        left = max(0.01, give_up_at - time.monotonic())
        result = git(
            *arguments, cwd=top, env=env, stdin=stdin, timeout=left, max_bytes=MAX_NAMES_BYTES
        )
        if result.is_cut:
            raise GitError("Too many files have changed to be kept.")
        return result.output

    listing = ("ls-files", "-z", "--modified", "--deleted", "--others", "--exclude-standard")
    changed = {name for name in run(*listing).split(b"\0") if name}
    stored, large, gone = _sort(os.fsencode(top), changed)
    if gone:
        run("update-index", "-z", "--force-remove", "--stdin", stdin=b"\0".join(gone) + b"\0")
    if stored:
        update = ("update-index", "-z", "--add", "--remove", "--replace", "--stdin")
        run(*update, stdin=b"\0".join(stored) + b"\0")
    if large:
        lines = []
        for name, found in large:
            text = STAND_IN + b"%d bytes, %d\n" % (found.st_size, found.st_mtime_ns)
            blob = run("hash-object", "-w", "--stdin", stdin=text).strip()
            lines.append(b"100644 %b\t%b\0" % (blob, name))
        run("update-index", "-z", "--index-info", stdin=b"".join(lines))
    return run("write-tree", "--missing-ok").decode().strip()


def _sort(
    top: bytes, names: set[bytes]
) -> tuple[list[bytes], list[tuple[bytes, os.stat_result]], list[bytes]]:
    """Which files git is to store, which are too large, and which are gone.

    Others, such as sockets, are left out. A name that ends in a slash is that of another
    repository, which is none of ours. What is behind a link is not there.
    """
    stored, large, gone = [], [], []
    real: dict[bytes, bool] = {}
    for name in sorted(names):
        path = os.path.join(top, name)
        folder = os.path.dirname(path)
        if folder not in real:
            real[folder] = os.path.realpath(folder) == folder
        try:
            found = os.lstat(path)
        except OSError:
            found = None
        if found is None or not real[folder]:
            gone.append(name)
        elif stat.S_ISREG(found.st_mode):
            if found.st_size > MAX_FILE_BYTES:
                large.append((name, found))
            elif os.access(path, os.R_OK):
                stored.append(name)
        elif not name.endswith(b"/") and _is_link_or_folder(found.st_mode):
            stored.append(name)
    return stored, large, gone


def _is_link_or_folder(mode: int) -> bool:
    return stat.S_ISLNK(mode) or stat.S_ISDIR(mode)
