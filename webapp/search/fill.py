"""Fill the index: what sessions have printed, in small steps, in the background.

Logs and rows are the truth and the index follows: how far a session is indexed is written
together with its words, so a crash costs nothing but the step it was in.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

from webapp.log import lock, reader
from webapp.log.dialects.translate import read_dialect
from webapp.log.opened import OpenLog, open_log
from webapp.search.index import Entry, SearchIndex, Stale
from webapp.search.texts import chunks
from webapp.sessions.layout import session_files
from webapp.store import session_texts, sessions
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID
from webapp.store.models import Session
from webapp.store.session_texts import Mark

logger = logging.getLogger(__name__)


class Filler:
    """Brings the index up to date, again and again."""

    def __init__(
        self,
        database: Database,
        var: Path,
        index: SearchIndex,
        *,
        page: int = 500,
        step_bytes: int = 1 << 20,
    ) -> None:
        """`page`: sessions of one query; `step_bytes`: of a log, for one transaction."""
        self._database = database
        self._var = var
        self._index = index
        self._page = page
        self._step_bytes = step_bytes
        self._seen_sizes: dict[int, int] = {}
        self._has_read_all = False

    def learn(self) -> Iterator[int]:
        """Read the rows of sessions that are new, and index what a list can be searched for.

        The first time it reads all rows: those of a backup that was restored, or of a database
        that was made again, have other numbers. Each step gives how many it looked at.
        """
        yield from self._new_sessions()
        yield from self._texts()

    def _new_sessions(self) -> Iterator[int]:
        mark = self._index.mark()
        with self._database.read() as orm:
            known = mark.rowid if mark is not None and session_texts.has_row(orm, mark) else 0
        rowid = known if self._has_read_all else 0
        while True:
            with self._database.read() as orm:
                page = session_texts.sessions_after(orm, rowid, self._page)
            if page:
                rowid = page[-1].rowid
                new_mark = Mark(rowid, page[-1].session_id) if rowid > known else None
                self._index.add((row[1:] for row in page), new_mark)
            yield len(page)
            if len(page) < self._page:
                break
        self._has_read_all = True

    def _texts(self) -> Iterator[int]:
        after = 0
        while entries := self._index.without_texts(after, self._page):
            after = entries[-1][0]
            ids = [session_id for _key, session_id in entries if SESSION_ID.fullmatch(session_id)]
            with self._database.read() as orm:
                texts = session_texts.ended_texts(orm, ids)
            self._index.add_texts(texts)
            yield len(texts)

    def steps(self) -> Iterator[int]:
        """Index what there is to index; each step gives the bytes of log that it took.

        A session that had nothing for the index is a step of 0 bytes.
        """
        after = 0
        while entries := self._index.to_do(after, self._page):
            after = entries[-1].key
            with self._database.read() as orm:
                rows = sessions.sessions_by_id(orm, [entry.session_id for entry in entries])
            for entry in entries:
                yield 0
                row = rows.get(entry.session_id)
                if row is None:
                    self._index.remove(entry.session_id)
                    continue
                if row.log_deleted_at is not None:
                    self._index.forget_log(entry.session_id)
                    continue
                try:
                    yield from self._fill(entry, row)
                except Stale:
                    continue  # the next round starts from what the index has now
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
        translate = read_dialect(log).translate
        is_ended = is_ended and (reader.is_complete(log) or not lock.is_held(log.fd))
        while True:
            offset = entry.indexed_to
            records = reader.read_records(log, offset, self._step_bytes)
            end = offset + len(records)
            is_last = len(records) < self._step_bytes // 2 and not reader.read_records(log, end, 1)
            found = list(chunks(records, offset, translate, is_end=is_ended and is_last))
            if not found and not is_last:  # nothing that people could read
                found = list(chunks(records, offset, translate, is_end=True))
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
