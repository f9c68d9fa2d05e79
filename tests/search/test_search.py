"""What was printed is found, where it stands."""

import json
import os
from unittest import mock

import pytest

from tests.search.shelf import NOON_NS, SECOND_NS, Shelf
from tests.store.rows import execute
from webapp.errors import ServiceUnavailable
from webapp.keeper.compress import compress_log
from webapp.log.opened import compressed_path
from webapp.log.record import format_record, parse_record
from webapp.search import find
from webapp.search.fill import Filler
from webapp.search.find import HITS_OF_SESSION, Snippet
from webapp.search.index import FILE_NAME, SearchIndex

MANY = [f"line {number} of many words" for number in range(2000)]


def test_hit_opens_at_the_record_in_which_the_words_stand(shelf: Shelf) -> None:
    session_id = shelf.add("first", "the needle in it", "last")
    shelf.fill()
    (group,) = shelf.find("needle").groups
    (hit,) = group.hits
    assert group.session_id == session_id
    log = shelf.files(session_id).log.read_bytes()
    record = parse_record(log[hit.offset :].partition(b"\n")[0])
    assert record is not None
    assert record.content == b"the needle in it"
    assert (hit.time, hit.stream) == (record.time, "stdout")
    assert hit.snippet == [
        Snippet("the ", is_match=False),
        Snippet("needle", is_match=True),
        Snippet(" in it", is_match=False),
    ]


def test_case_accents_and_json_do_not_hide_a_word(shelf: Shelf) -> None:
    shelf.add(json.dumps({"type": "message", "content": "Grüße\nan Ömer"}))
    shelf.fill()
    assert shelf.sessions("grusse OR omer") == shelf.sessions("GRÜßE") == shelf.sessions("Omer")
    assert len(shelf.sessions("omer")) == 1


def test_newest_sessions_come_first_page_by_page(shelf: Shelf) -> None:
    ids = [shelf.add("common word", f"only {number}") for number in range(7)]
    shelf.fill()
    pages, before = [], None
    for _ in range(20):
        page = shelf.find("common", limit=3, before=before)
        pages.append([group.session_id for group in page.groups])
        before = page.next_before
        if before is None:
            break
    assert pages == [ids[:3:-1], ids[3:0:-1], ids[:1]]


def test_session_with_many_hits_does_not_hide_the_others(shelf: Shelf) -> None:
    other = shelf.add("one of many")
    noisy = shelf.add(*MANY)
    shelf.fill()
    groups = shelf.find("many").groups
    assert [group.session_id for group in groups] == [noisy, other]
    assert len(groups[0].hits) == HITS_OF_SESSION
    assert [group.has_more for group in groups] == [True, False]


def test_search_in_one_session_goes_through_all_its_chunks(shelf: Shelf) -> None:
    noisy = shelf.add(*MANY)
    shelf.add("many others")
    shelf.fill()
    offsets, before = [], None
    for _ in range(20):
        page = shelf.find("many", session_id=noisy, limit=2, before=before)
        offsets += [hit.offset for group in page.groups for hit in group.hits]
        before = page.next_before
        if before is None:
            break
    assert offsets == sorted(set(offsets), reverse=True)
    assert len(offsets) == len(MANY) // 256 + 1
    assert shelf.find("many", session_id="session-none").groups == []


def test_sessions_that_ran_at_once_are_told_apart(shelf: Shelf) -> None:
    noisy = shelf.add(*MANY, status="running")
    shelf.fill()
    other = shelf.add("one of many")
    shelf.fill()
    shelf.write(noisy, *MANY)
    shelf.fill()
    assert shelf.sessions("many") == [noisy, other]
    found = shelf.find("many", session_id=noisy, limit=100)
    offsets = [hit.offset for hit in found.groups[0].hits]
    assert found.next_before is None
    assert len(offsets) == len(set(offsets)) == 2 * len(MANY) // 256
    assert shelf.sessions("many", session_id=other, limit=100) == [other]


def test_agent_and_time_narrow_it_down(shelf: Shelf) -> None:
    first = shelf.add("word", agent="one")
    second = shelf.add("word", agent="two, or more")
    third = shelf.add("word", agent="one")
    shelf.fill()
    since_ms = NOON_NS // 1_000_000 + 2000
    assert shelf.sessions("word", agent="one") == [third, first]
    assert shelf.sessions("word", agent="two, or more") == [second]
    assert shelf.sessions("word", agent="none") == []
    assert shelf.sessions("word", since_ms=since_ms) == [third, second]
    assert shelf.sessions("word", since_ms=since_ms, agent="one") == [third]
    assert shelf.sessions("word", since_ms=since_ms + 10_000) == []
    assert shelf.sessions("agentx6f6e65 OR one") == []  # its name is no output


def test_old_hit_of_a_session_that_has_printed_since_is_left_out(shelf: Shelf) -> None:
    session_id = shelf.add("later words")
    log = shelf.files(session_id).log
    early = format_record(NOON_NS - SECOND_NS, b"stdout", b"needle" + b" hay" * 3000)
    log.write_bytes(early + log.read_bytes())
    shelf.fill()
    since_ms = NOON_NS // 1_000_000
    assert shelf.sessions("needle") == shelf.sessions("words", since_ms=since_ms) == [session_id]
    assert shelf.sessions("needle", since_ms=since_ms) == []


def test_long_record_shows_where_the_word_stands(shelf: Shelf) -> None:
    shelf.add("filler " * 20_000 + "needle " + "filler " * 20_000)
    shelf.fill()
    (group,) = shelf.find("needle").groups
    assert [part.text for part in group.hits[0].snippet if part.is_match] == ["needle"]
    assert sum(len(part.text) for part in group.hits[0].snippet) < 400


def test_word_across_two_windows_of_a_long_record_is_shown(shelf: Shelf) -> None:
    shelf.add("hay " * 499 + "needle " + "hay " * 1000)
    shelf.fill()
    (group,) = shelf.find("needle").groups
    assert [part.text for part in group.hits[0].snippet if part.is_match] == ["needle"]


def test_word_that_a_glance_misses_is_shown(shelf: Shelf) -> None:
    session_id = shelf.add(*["hay"] * 9, "Ömer")
    shelf.fill()
    assert shelf.sessions("omer") == [session_id]


def test_session_has_more_hits_only_where_there_are_more(shelf: Shelf) -> None:
    ids = [shelf.add(*MANY[: 256 * count]) for count in (HITS_OF_SESSION, HITS_OF_SESSION + 1)]
    shelf.fill()
    groups = {group.session_id: group for group in shelf.find("many").groups}
    assert [groups[one].has_more for one in ids] == [False, True]
    assert [len(groups[one].hits) for one in ids] == [HITS_OF_SESSION] * 2


def test_marks_in_the_output_mark_nothing(shelf: Shelf) -> None:
    shelf.add("a \x02false\x03 needle <b>bold</b>")
    shelf.fill()
    snippet = shelf.find("needle").groups[0].hits[0].snippet
    assert [part.text for part in snippet if part.is_match] == ["needle"]
    assert "".join(part.text for part in snippet) == "a  false  needle <b>bold</b>"


# --- sessions that run ------------------------------------------------------------------


def test_session_that_runs_is_found_chunk_by_chunk_and_whole_at_its_end(shelf: Shelf) -> None:
    session_id = shelf.add("early words", status="running")
    shelf.fill()
    assert shelf.find("early") == ([], None, 1)
    shelf.write(session_id, *MANY)
    assert shelf.fill() > 0
    assert shelf.sessions("early") == [session_id]
    assert shelf.fill() == 0
    shelf.write(session_id, "late words")
    shelf.end(session_id)
    execute(
        shelf.database,
        "UPDATE sessions SET status = 'failed', ended_at = '2026' WHERE id = :id",
        id=session_id,
    )
    shelf.fill()
    assert shelf.sessions("late") == [session_id]
    assert shelf.find("late").to_do == 0
    everything = shelf.find("words", session_id=session_id, limit=100).groups[0].hits
    assert len({hit.offset for hit in everything}) == len(everything)


def test_steps_of_any_size_index_each_record_once(shelf: Shelf) -> None:
    ids = [shelf.add(*MANY, "needle"), shelf.add(*["x" * 5000] * 20, "needle")]
    shelf.fill(shelf.small_steps(step_bytes=3000))
    assert shelf.sessions("needle") == ids[::-1]
    for session_id in ids:
        group = shelf.find("needle", session_id=session_id).groups[0]
        assert len(group.hits) == 1


def test_log_without_any_text_is_soon_done(shelf: Shelf) -> None:
    session_id = shelf.add(status="running")
    notice = format_record(NOON_NS, b"system", b'{"type":"gap","bytes":1}')
    shelf.files(session_id).log.write_bytes(notice * 1000)
    filler = shelf.small_steps(step_bytes=3000)
    assert shelf.fill(filler) >= len(notice) * 900
    assert shelf.fill(filler) == 0


def test_crash_between_two_steps_loses_and_repeats_nothing(shelf: Shelf) -> None:
    session_id = shelf.add(*MANY, "needle")
    sum(shelf.filler.learn())
    steps = shelf.small_steps(step_bytes=10_000).steps()
    assert [next(steps) > 0 for _ in range(3)] == [False, True, True]
    del steps
    again = SearchIndex(shelf.var)
    assert sum(Filler(shelf.database, shelf.var, again).steps()) > 0
    again.close()
    hits = shelf.find("many", session_id=session_id, limit=500).groups[0].hits
    assert len(hits) == len({hit.offset for hit in hits})
    assert shelf.sessions("needle") == [session_id]


# --- what may have become of logs and index -----------------------------------------------


def test_compressed_log_is_found_as_before(shelf: Shelf) -> None:
    session_id = shelf.add(*MANY)
    shelf.fill()
    before = shelf.find("many", session_id=session_id)
    compress_log(shelf.files(session_id).log)
    assert shelf.find("many", session_id=session_id) == before
    shelf.index.clear()
    shelf.fill()
    assert shelf.find("many", session_id=session_id) == before


def test_removed_session_is_found_no_more(shelf: Shelf) -> None:
    kept, removed = shelf.add("word here"), shelf.add("word there")
    shelf.fill()
    shelf.index.remove(removed)
    assert shelf.sessions("word") == [kept]
    assert shelf.sessions("there") == []


def test_log_that_is_gone_is_left_out(shelf: Shelf) -> None:
    kept, gone = shelf.add("word"), shelf.add("word")
    never = shelf.add("word")
    shelf.files(never).log.unlink()
    shelf.fill()
    shelf.files(gone).log.unlink()
    assert shelf.sessions("word") == [kept]
    assert shelf.find("word").to_do == 0


def test_log_that_is_damaged_is_left_out(shelf: Shelf) -> None:
    good, bad = shelf.add("word"), shelf.add("word")
    shelf.fill()
    compress_log(shelf.files(bad).log)
    with compressed_path(shelf.files(bad).log).open("r+b") as packed:
        packed.seek(20)
        packed.write(b"damage")
    assert shelf.sessions("word") == [good]


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 500])
def test_damaged_index_is_made_anew(shelf: Shelf, damage: bytes) -> None:
    session_id = shelf.add("word")
    shelf.fill()
    shelf.index.close()
    (shelf.var / FILE_NAME).write_bytes(damage)
    shelf.index.__init__(shelf.var)  # type: ignore[misc]
    assert shelf.find("word").groups == []
    shelf.fill()
    assert shelf.sessions("word") == [session_id]


def test_without_an_index_nothing_is_found(shelf: Shelf) -> None:
    os.unlink(shelf.var / FILE_NAME)
    assert shelf.find("word") == ([], None, 0)


def test_search_that_takes_too_long_is_given_up(shelf: Shelf) -> None:
    shelf.add(*MANY)
    shelf.fill()
    with (
        mock.patch.object(find, "MOST_SECONDS", -1),
        mock.patch.object(find, "_INSTRUCTIONS", 1),
        pytest.raises(ServiceUnavailable, match="look for rarer words"),
    ):
        shelf.find("many")


def test_each_look_at_a_few_sessions_is_a_step(shelf: Shelf) -> None:
    for _ in range(5):
        shelf.add("word", status="running")
    filler = shelf.small_steps(page=2)
    assert list(filler.learn()) == [2, 2, 1, 0, 0, 0]  # of live ones the texts wait
    shelf.fill(filler)
    assert list(filler.steps()) == [0] * 5
