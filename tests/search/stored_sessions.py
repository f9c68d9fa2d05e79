"""A `var` folder with sessions that nobody runs, for search and retention."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.log.random_logs import DONE
from tests.store.fresh_var import make_var
from tests.store.rows import add_session
from webapp.log.record import format_record
from webapp.search.fill import Filler
from webapp.search.find import Found, Search, find
from webapp.search.index import SearchIndex
from webapp.search.query import parse_query
from webapp.sessions.layout import SessionFiles, new_session_files
from webapp.store import workflows
from webapp.store.engine import Database, open_migrated

NOON_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


@dataclass
class StoredSessions:
    """Sessions by their number; each was made a second after the one before."""

    var: Path
    database: Database
    workflow_id: str
    index: SearchIndex
    filler: Filler
    count: int = 0

    def files(self, session_id: str) -> SessionFiles:
        """Where a session's files are."""
        return new_session_files(self.var, session_id)

    def add(
        self, *lines: str | bytes, agent: str = "demo", status: str = "succeeded", **columns: Any
    ) -> str:
        """A session that printed these lines; its id."""
        self.count += 1
        made_ns = NOON_NS + self.count * SECOND_NS
        session_id = f"session-{made_ns // 1_000_000:013d}-{self.count:012d}"
        files = self.files(session_id)
        files.directory.mkdir(parents=True)
        self.write(session_id, *lines)
        is_live = status in ("starting", "running")
        if not is_live:
            self.end(session_id)
        row = {
            "id": session_id,
            "agent": agent,
            "status": status,
            "log_path": str(files.log.relative_to(self.var)),
            "ended_at": None if is_live else f"2026-09-21T13:{self.count:02d}:00.000Z",
            "log_bytes": None if is_live else files.log.stat().st_size,
        }
        return add_session(self.database, self.workflow_id, **(row | columns))

    def write(self, session_id: str, *lines: str | bytes) -> None:
        """Let it print more."""
        time_ns = int(session_id.split("-")[1]) * 1_000_000
        clock = random.Random(session_id)
        with self.files(session_id).log.open("ab") as log:
            for line in lines:
                content = line.encode() if isinstance(line, str) else line
                time_ns += clock.randint(1_000, 200_000)
                log.write(format_record(time_ns, b"stdout", content))

    def end(self, session_id: str) -> None:
        """Write the end of its log."""
        with self.files(session_id).log.open("ab") as log:
            log.write(format_record(NOON_NS, b"system", DONE))

    def small_steps(self, **sizes: int) -> Filler:
        """A filler that takes small steps."""
        return Filler(self.database, self.var, self.index, **sizes)

    def fill(self, filler: Filler | None = None) -> int:
        """Bring the index up to date; how many bytes of log that took."""
        filler = filler or self.filler
        sum(filler.learn())
        return sum(filler.steps())

    def find(self, text: str, **options: Any) -> Found:
        """Search."""
        search = Search(parse_query(text), **options)
        return find(self.var, search, lambda session_id: self.files(session_id).log)

    def sessions(self, text: str, **options: Any) -> list[str]:
        """The sessions that a search finds."""
        return [group.session_id for group in self.find(text, **options).groups]


@contextmanager
def open_stored(folder: Path) -> Iterator[StoredSessions]:
    """An empty one."""
    var = make_var(folder)
    database = open_migrated(var)
    workflow_id = database.write(
        lambda orm: (
            workflows.create_workflow(
                orm, template="chat", request_id=None, initial_message=None
            ).id
        )
    )
    index = SearchIndex(var)
    try:
        yield StoredSessions(var, database, workflow_id, index, Filler(database, var, index))
    finally:
        index.close()
        database.close()
