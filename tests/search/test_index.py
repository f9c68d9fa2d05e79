"""The index holds whole steps, each once, and nothing of what was removed."""

import os
from pathlib import Path
from unittest import mock

import pysqlite3
import pytest

from tests.search.shelf import Shelf
from tests.store.fresh_var import make_var
from webapp.search import index
from webapp.search.index import FILE_NAME, SearchIndex, Stale, connect
from webapp.search.texts import Chunk

CHUNK = Chunk(0, 10, 1, "needle")


def test_step_that_fails_in_its_middle_leaves_nothing_behind(shelf: Shelf) -> None:
    shelf.add("word")
    sum(shelf.filler.learn())
    (entry,) = shelf.index.to_do()
    damaged = CHUNK._replace(start=object())  # type: ignore[arg-type]
    with pytest.raises(pysqlite3.Error):
        shelf.index.append(entry, [CHUNK, damaged], 20, is_done=True)
    assert shelf.index.to_do() == [entry]
    assert words(shelf, "needle") == 0


def words(shelf: Shelf, word: str) -> int:
    """How many chunks hold a word, whatever else is known of them."""
    query = "SELECT count(*) FROM words WHERE words MATCH ?"
    return int(shelf.index._connection.execute(query, (word,)).fetchone()[0])


def test_step_is_not_made_twice_nor_for_a_session_that_is_forgotten(shelf: Shelf) -> None:
    session_id = shelf.add("word")
    sum(shelf.filler.learn())
    (entry,) = shelf.index.to_do()
    shelf.index.append(entry, [CHUNK], 10, is_done=False)
    with pytest.raises(Stale, match=session_id):
        shelf.index.append(entry, [CHUNK], 10, is_done=False)
    (entry,) = shelf.index.to_do()
    shelf.index.remove(session_id)
    with pytest.raises(Stale, match=session_id):
        shelf.index.append(entry, [CHUNK], 20, is_done=True)
    assert words(shelf, "needle") == 0


def test_words_that_are_gone_are_not_found_in_what_comes_in_their_place(shelf: Shelf) -> None:
    shelf.index.remove(shelf.add("early word"))
    shelf.fill()
    shelf.index.clear()
    second = shelf.add("second word")
    shelf.index.add([(second, "demo", True)])
    sum(shelf.filler.steps())
    assert (words(shelf, "early"), words(shelf, "second")) == (0, 1)
    shelf.index.remove(second)
    third = shelf.add("third word")
    shelf.index.add([(third, "demo", True)])
    sum(shelf.filler.steps())
    assert shelf.sessions("word") == [third]
    assert shelf.sessions("second") == []


def test_index_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    var = make_var(tmp_path)
    with mock.patch.object(index, "SCHEMA", "no SQL"), pytest.raises(pysqlite3.Error):
        SearchIndex(var)
    assert not (var / FILE_NAME).exists()
    SearchIndex(var).close()
    assert (var / FILE_NAME).exists()


def test_nobody_else_on_the_machine_can_read_it(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        SearchIndex(make_var(tmp_path)).close()
    finally:
        os.umask(umask)
    assert (tmp_path / "var" / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_whoever_only_searches_cannot_write(shelf: Shelf) -> None:
    connection = connect(shelf.index.path, read_only=True)
    with pytest.raises(pysqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM sessions")
    connection.close()
