"""Fill the index: what sessions have printed, in small steps, in the background.

The logs are the truth and the index follows: how far a session is indexed is written together
with its words, so a crash costs nothing but the step it was in.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from webapp.log import lock, reader
from webapp.log.opened import OpenLog, open_log
from webapp.search.index import Entry, SearchIndex, Stale
from webapp.search.texts import chunks
from webapp.sessions.layout import session_files
from webapp.store import kept_logs
from webapp.store.engine import Database
from webapp.store.models import Session

STEP_BYTES = 1 << 20
"""Of a log, for one transaction."""
LOOK_BACK_MS = 60_000
"""A row may be written so long after its id was made."""
_PAGE = 500

logger = logging.getLogger(__name__)


class Filler:
    """Brings the index up to date, again and again."""

    def __init__(self, database: Database, var: Path, index: SearchIndex) -> None:
        self._database = database
        self._var = var
        self._index = index
        self._seen_sizes: dict[int, int] = {}

    def learn(self, *, all_of_them: bool = False) -> Iterator[int]:
        """Hear of sessions that are new; or of all, for ids that came late or are old.

        Each step gives the number of sessions that it looked at.
        """
        newest = None if all_of_them else self._index.newest()
        after = "" if newest is None else _earlier(newest)
        while True:
            with self._database.read() as orm:
                page = kept_logs.ids_and_agents(orm, after, _PAGE)
            self._index.add(page)
            yield len(page)
            if len(page) < _PAGE:
                return
            after = page[-1][0]

    def steps(self) -> Iterator[int]:
        """Index what there is to index; each step gives the bytes of log that it took.

        A session that had nothing for the index is a step of 0 bytes.
        """
        after = 0
        while entries := self._index.to_do(after, _PAGE):
            after = entries[-1].key
            with self._database.read() as orm:
                rows = kept_logs.sessions_by_id(orm, [entry.session_id for entry in entries])
            for entry in entries:
                yield 0
                row = rows.get(entry.session_id)
                if row is None or row.log_deleted_at is not None:
                    self._index.remove(entry.session_id)
                    continue
                try:
                    yield from self._fill(entry, row)
                except Stale:
                    continue  # whoever did that has it filled again
                except OSError:
                    logger.exception("cannot index %s; trying again later", entry.session_id)

    def _fill(self, entry: Entry, row: Session) -> Iterator[int]:
        try:
            log = open_log(session_files(self._var, row).log)
        except FileNotFoundError:
            if not row.is_live:
                self._index.append(entry, [], entry.indexed_to, is_done=True)
            return
        try:
            size = log.size()
            if row.is_live and self._seen_sizes.get(entry.key) == size:
                return
            yield from self._read_on(entry, log, is_ended=not row.is_live)
            self._seen_sizes[entry.key] = size
            if not row.is_live:
                self._seen_sizes.pop(entry.key, None)
        finally:
            log.close()

    def _read_on(self, entry: Entry, log: OpenLog, *, is_ended: bool) -> Iterator[int]:
        """Up to the end of the log; of one that may grow, as far as there are whole chunks."""
        is_ended = is_ended and (reader.is_complete(log) or not lock.is_held(log.fd))
        while True:
            offset = entry.indexed_to
            records = reader.read_records(log, offset, STEP_BYTES)
            end = offset + len(records)
            is_last = len(records) < STEP_BYTES // 2 and not reader.read_records(log, end, 1)
            found = list(chunks(records, offset, is_end=is_ended and is_last))
            if not found and not is_last:  # nothing that people could read
                found = list(chunks(records, offset, is_end=True))
                indexed_to = end
            else:
                indexed_to = found[-1].stop if found else offset
            if is_ended and is_last:
                self._index.append(entry, found, end, is_done=True)
                yield len(records)
                return
            if indexed_to == offset:
                return
            entry = self._index.append(entry, found, indexed_to, is_done=False)
            yield indexed_to - offset


def _earlier(session_id: str) -> str:
    """An id that sorts before all that were made in the minute before this one."""
    milliseconds = int(session_id.split("-")[1])
    return f"session-{max(0, milliseconds - LOOK_BACK_MS):013d}"
