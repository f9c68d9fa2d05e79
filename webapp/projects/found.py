"""Which folders agents may be sent to: configured projects, and repositories below the roots.

A client picks one of them by its name or its path. Every path is compared as what it really is,
so that no link and no `..` leads out.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webapp.errors import BadRequest, Conflict
from webapp.visible import shortened, visible

MAX_DEPTH = 4
MAX_FOUND = 500
MAX_FOLDERS = 20_000
CACHE_SECONDS = 10.0
_NEVER = frozenset({"node_modules", "__pycache__", "venv", "vendor", "target"})


@dataclass(frozen=True)
class Project:
    """A folder for agents to work in."""

    name: str
    """As the settings call it, or its path below its root."""
    path: Path
    """Without any symbolic link in it."""

    @property
    def is_repository(self) -> bool:
        """Whether it is the folder of a git repository of its own."""
        return _is_repository(self.path)

    def as_json(self) -> dict[str, object]:
        """As clients get it."""
        return {"name": self.name, "path": str(self.path), "isRepository": self.is_repository}


class Projects:
    """The projects of a server."""

    def __init__(self, configured: Mapping[str, Path], roots: Sequence[Path]) -> None:
        self._configured = configured
        self._roots = roots
        self._listed: tuple[float, list[Project]] = (0.0, [])

    @property
    def is_empty(self) -> bool:
        """Whether the settings name none."""
        return not self._configured and not self._roots

    def find(self, asked: str) -> Project:
        """The project of a name or a path. BadRequest for anything that is none.

        Conflict where its folder has gone.
        """
        configured = self._configured.get(asked)
        if configured is not None:
            path = configured.resolve()
            if not path.is_dir():
                raise Conflict(f"The folder of project {asked!r} is not there: {path}.")
            return Project(asked, path)
        if "\0" not in asked:
            found = self._by_path(asked) if os.path.isabs(asked) else self._below_a_root(asked)
            if found is not None:
                return found
        raise BadRequest(
            f"Unknown project {shortened(asked)}, expected the name or the path of one that "
            "`agent-stream projects` lists.",
            field="project",
        )

    def all(self) -> list[Project]:
        """All of them by name, as they were at most ten seconds ago."""
        listed_at, found = self._listed
        if listed_at == 0 or time.monotonic() - listed_at > CACHE_SECONDS:
            found = self._look()
            self._listed = (time.monotonic(), found)
        return found

    def _look(self) -> list[Project]:
        by_path: dict[Path, Project] = {}
        for name, configured in self._configured.items():
            path = configured.resolve()
            if path.is_dir():
                by_path.setdefault(path, Project(name, path))
        for path in self._found():
            if path not in by_path and (project := self._by_path(str(path))) is not None:
                by_path[path] = project
        return sorted(by_path.values(), key=lambda project: project.name.casefold())

    def _found(self) -> Iterator[Path]:
        count = 0
        for root in self._roots:
            for path in _repositories(root.resolve()):
                yield path
                count += 1
                if count >= MAX_FOUND:
                    return

    def _by_path(self, asked: str) -> Project | None:
        path = _real(asked)
        if path is None:
            return None
        for name, configured in self._configured.items():
            if configured.resolve() == path:
                return Project(name, path)
        for root in self._roots:
            real_root = root.resolve()
            if path.is_relative_to(real_root) and _is_repository(path):
                return Project(self._name_below(real_root, path), path)
        return None

    def _below_a_root(self, asked: str) -> Project | None:
        for root in self._roots:
            found = self._by_path(os.path.join(root.resolve(), asked))
            if found is not None:
                return found
        return None

    def _name_below(self, root: Path, path: Path) -> str:
        """Its path below the root, unless another project has that name."""
        name = root.name if path == root else path.relative_to(root).as_posix()
        if name in self._configured:
            return str(path)
        for other in self._roots:
            if other.resolve() == root:
                break
            if _is_repository(other.resolve() / name):
                return str(path)
        return name


def _real(path: str) -> Path | None:
    try:
        return Path(os.path.realpath(path, strict=True))
    except OSError:
        return None


def _is_repository(path: Path) -> bool:
    """Whether it has a `.git` folder of its own: a file or a link there leads elsewhere."""
    git_folder = path / ".git"
    return git_folder.is_dir() and not git_folder.is_symlink()


def _repositories(root: Path) -> Iterator[Path]:
    """Those below a folder, itself included; not those inside of others, and past no link."""
    waiting, looked_at = [(root, 0)], 0
    while waiting and looked_at < MAX_FOLDERS:
        folder, depth = waiting.pop()
        looked_at += 1
        if _is_repository(folder):
            yield folder
            continue
        if depth < MAX_DEPTH:
            waiting += [(path, depth + 1) for path in _folders_in(folder)]


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [
                Path(entry.path)
                for entry in entries
                if not entry.name.startswith(".")
                and entry.name not in _NEVER
                and visible(entry.name) == entry.name
                and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:
        return []  # it may not be looked at, or was just deleted
