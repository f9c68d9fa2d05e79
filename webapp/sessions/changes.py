"""Which two snapshots are compared to see what a conversation, or a turn of it, has changed."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from webapp.changes import snapshots
from webapp.changes.compare import Change, Store
from webapp.changes.patch import Patch, read_patch
from webapp.changes.snapshots import Snapshot, read_snapshots
from webapp.errors import Conflict, NotFound
from webapp.sessions.layout import session_files
from webapp.store import sessions
from webapp.store.engine import Database
from webapp.store.models import Session

_MAX_SESSIONS = 1000
"""So far back a conversation is followed."""


class Compared(NamedTuple):
    """Two trees, and what they are in."""

    store: Store
    before: str
    after: str
    turns: list[int]
    """Those of the session that can be asked for."""

    def changes(self) -> tuple[list[Change], bool]:
        """The files that differ, and whether there are more of them."""
        return self.store.changes(self.before, self.after)

    def patch(
        self, path: bytes, aside: Callable[[Callable[[], Patch]], Patch]
    ) -> tuple[Change, Patch]:
        """One file's diff; see `read_patch`. NotFound for a file that does not differ."""
        for change in self.changes()[0]:
            if change.path == path:
                if change.kind == "large":
                    return change, Patch([], is_cut=False)
                return change, read_patch(self.store, self.before, self.after, change, aside)
        name = path.decode("utf-8", "replace")
        raise NotFound(f"The file {name!r} has not changed.", field="path")


def compare(
    database: Database, var: Path, session: Session, turn: int | None, state: str | None = None
) -> Compared:
    """Since the conversation began, or within one turn. NotFound, Conflict, GitError.

    `state`: the tree that an earlier comparison of a live session was made with.
    """
    folder = session_files(var, session).changes
    kept = read_snapshots(folder)
    if not kept:
        raise NotFound(f"Session {session.id!r} works in no git repository.", field="sessionId")
    turns = [number for number in kept if number > 0]
    if session.is_live:
        turns.append(max(turns, default=0) + 1)  # the one that goes on
    if turn is None:
        first, before = _beginning(database, var, session, folder, kept)
    elif turn in turns:
        first, before = folder, _tree(kept.get(turn - 1), f"before turn {turn}")
    else:
        known = f"1 to {turns[-1]}" if turns else "none yet"
        raise NotFound(f"Session {session.id!r} has no turn {turn}. Turns: {known}.", field="turn")
    last = turn if turn is not None else max(turns, default=0)
    if session.is_live and last not in kept:
        after = state or snapshots.take_now(folder)
    else:
        after = _tree(kept.get(last), f"after turn {last}")
    folders = [folder] if first == folder else [folder, first]
    return Compared(Store(folders), before, after, turns)


def _beginning(
    database: Database, var: Path, session: Session, folder: Path, kept: dict[int, Snapshot]
) -> tuple[Path, str]:
    """Where the conversation's first snapshot is, as far back as its sessions have theirs."""
    found = folder, kept
    earlier = session.resumed_from
    for _step in range(_MAX_SESSIONS):
        if earlier is None:
            break
        with database.read() as orm:
            before = sessions.find_session(orm, earlier)
        if before is None or before.cwd != session.cwd:
            break
        its_folder = session_files(var, before).changes
        its_kept = read_snapshots(its_folder)
        if its_kept.get(0, Snapshot(None)).tree is None:
            break
        found, earlier = (its_folder, its_kept), before.resumed_from
    return found[0], _tree(found[1].get(0), "when the conversation began")


def _tree(snapshot: Snapshot | None, when: str) -> str:
    if snapshot is None or snapshot.tree is None:
        reason = "" if snapshot is None or snapshot.error is None else f" {snapshot.error}"
        raise Conflict(f"What the files were {when} was not kept.{reason}")
    return snapshot.tree
