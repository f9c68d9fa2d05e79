"""The index holds whole steps, each once, and nothing of what was removed."""

import os
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest

from tests.search.stored_sessions import StoredSessions
from tests.store.fresh_var import make_var
from webapp.search.index import FILE_NAME, SearchIndex, Stale, connect
from webapp.search.texts import Chunk

CHUNK = Chunk(0, 10, 1, "needle")


def test_step_that_fails_in_its_middle_leaves_nothing_behind(stored: StoredSessions) -> None:
    stored.add("word")
    sum(stored.filler.learn())
    (entry,) = stored.index.to_do()
    damaged = CHUNK._replace(start=object())  # type: ignore[arg-type]
    with pytest.raises(pysqlite3.Error):
        stored.index.append(entry, [CHUNK, damaged], 20, is_done=True)
    assert stored.index.to_do() == [entry]
    assert words(stored, "needle") == 0


def words(stored: StoredSessions, word: str) -> int:
    """How many chunks have a word."""
    query = "SELECT count(*) FROM words WHERE words MATCH ?"
    with closing(connect(stored.index.path, read_only=True)) as connection:
        return int(connection.execute(query, (word,)).fetchone()[0])


def test_step_is_not_made_twice_nor_for_a_session_that_is_forgotten(stored: StoredSessions) -> None:
    session_id = stored.add("word")
    sum(stored.filler.learn())
    (entry,) = stored.index.to_do()
    stored.index.append(entry, [CHUNK], 10, is_done=False)
    with pytest.raises(Stale, match=session_id):
        stored.index.append(entry, [CHUNK], 10, is_done=False)
    (entry,) = stored.index.to_do()
    stored.index.remove(session_id)
    with pytest.raises(Stale, match=session_id):
        stored.index.append(entry, [CHUNK], 20, is_done=True)
    assert words(stored, "needle") == 0


def test_words_that_are_gone_are_not_found_in_what_replaces_them(
    stored: StoredSessions,
) -> None:
    stored.index.remove(stored.add("early word"))
    stored.fill()
    stored.index.clear()
    second = stored.add("second word")
    stored.index.add([(second, "demo", True)])
    sum(stored.filler.steps())
    assert (words(stored, "early"), words(stored, "second")) == (0, 1)
    stored.index.remove(second)
    third = stored.add("third word")
    stored.index.add([(third, "demo", True)])
    sum(stored.filler.steps())
    assert stored.sessions("word") == [third]
    assert stored.sessions("second") == []


def test_index_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    var = make_var(tmp_path)
    part = var / f"{FILE_NAME}.part"
    part.write_bytes(b"a crash came while it was made")
    with pytest.raises(FileNotFoundError):
        connect(var / FILE_NAME, read_only=True)
    SearchIndex(var).close()
    assert (var / FILE_NAME).exists()
    assert not part.exists()


def test_nobody_else_on_the_machine_can_read_it(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        SearchIndex(make_var(tmp_path)).close()
    finally:
        os.umask(umask)
    assert (tmp_path / "var" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_search_cannot_write(stored: StoredSessions) -> None:
    connection = connect(stored.index.path, read_only=True)
    with pytest.raises(pysqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM sessions")
    connection.close()
