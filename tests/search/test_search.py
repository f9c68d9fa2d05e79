"""What was printed is found where it is."""

import json
import os

import pytest

from tests.search.stored_sessions import NOON_NS, SECOND_NS, StoredSessions
from tests.store.rows import execute
from webapp.errors import ServiceUnavailable
from webapp.keeper.compress import compress_log
from webapp.log.opened import compressed_path
from webapp.log.record import format_record, parse_record
from webapp.search.fill import Filler
from webapp.search.find import HITS_OF_SESSION, Search, find
from webapp.search.index import FILE_NAME, SearchIndex
from webapp.search.query import parse_query
from webapp.search.snippets import Snippet

MANY = [f"line {number} of many words" for number in range(2000)]


def test_hit_opens_at_the_record_that_has_the_words(stored: StoredSessions) -> None:
    session_id = stored.add("first", "the needle in it", "last")
    stored.fill()
    (group,) = stored.find("needle").groups
    (hit,) = group.hits
    assert group.session_id == session_id
    log = stored.files(session_id).log.read_bytes()
    record = parse_record(log[hit.offset :].partition(b"\n")[0])
    assert record is not None
    assert record.content == b"the needle in it"
    assert (hit.time, hit.stream) == (record.time, "stdout")
    assert hit.snippet == [
        Snippet("the ", is_match=False),
        Snippet("needle", is_match=True),
        Snippet(" in it", is_match=False),
    ]


def test_case_accents_and_json_do_not_hide_a_word(stored: StoredSessions) -> None:
    stored.add(json.dumps({"type": "message", "content": "Grüße\nan Ömer"}))
    stored.fill()
    assert stored.sessions("grusse OR omer") == stored.sessions("GRÜßE") == stored.sessions("Omer")
    assert len(stored.sessions("omer")) == 1


def test_newest_sessions_come_first_page_by_page(stored: StoredSessions) -> None:
    ids = [stored.add("common word", f"only {number}") for number in range(7)]
    stored.fill()
    pages, before = [], None
    for _ in range(20):
        page = stored.find("common", limit=3, before=before)
        pages.append([group.session_id for group in page.groups])
        before = page.next_before
        if before is None:
            break
    assert pages == [ids[:3:-1], ids[3:0:-1], ids[:1]]


def test_session_with_many_hits_does_not_hide_the_others(stored: StoredSessions) -> None:
    other = stored.add("one of many")
    noisy = stored.add(*MANY)
    stored.fill()
    groups = stored.find("many").groups
    assert [group.session_id for group in groups] == [noisy, other]
    assert len(groups[0].hits) == HITS_OF_SESSION
    assert [group.has_more for group in groups] == [True, False]


def test_search_in_one_session_goes_through_all_its_chunks(stored: StoredSessions) -> None:
    noisy = stored.add(*MANY)
    stored.add("many others")
    stored.fill()
    offsets, before = [], None
    for _ in range(20):
        page = stored.find("many", session_id=noisy, limit=2, before=before)
        offsets += [hit.offset for group in page.groups for hit in group.hits]
        before = page.next_before
        if before is None:
            break
    assert offsets == sorted(set(offsets), reverse=True)
    assert len(offsets) == len(MANY) // 256 + 1
    assert stored.find("many", session_id="session-none").groups == []


def test_sessions_that_ran_at_once_are_kept_apart(stored: StoredSessions) -> None:
    noisy = stored.add(*MANY, status="running")
    stored.fill()
    other = stored.add("one of many")
    stored.fill()
    stored.write(noisy, *MANY)
    stored.fill()
    assert stored.sessions("many") == [noisy, other]
    found = stored.find("many", session_id=noisy, limit=100)
    offsets = [hit.offset for hit in found.groups[0].hits]
    assert found.next_before is None
    assert len(offsets) == len(set(offsets)) == 2 * len(MANY) // 256
    assert stored.sessions("many", session_id=other, limit=100) == [other]


def test_agent_and_time_narrow_it_down(stored: StoredSessions) -> None:
    first = stored.add("word", agent="one")
    second = stored.add("word", agent="two, or more")
    third = stored.add("word", agent="one")
    stored.fill()
    since_ms = NOON_NS // 1_000_000 + 2000
    assert stored.sessions("word", agent="one") == [third, first]
    assert stored.sessions("word", agent="two, or more") == [second]
    assert stored.sessions("word", agent="none") == []
    assert stored.sessions("word", since_ms=since_ms) == [third, second]
    assert stored.sessions("word", since_ms=since_ms, agent="one") == [third]
    assert stored.sessions("word", since_ms=since_ms + 10_000) == []
    assert stored.sessions("agentx6f6e65 OR one") == []  # its name is no output


def test_old_hit_of_a_session_that_has_printed_since_is_left_out(stored: StoredSessions) -> None:
    session_id = stored.add("later words")
    log = stored.files(session_id).log
    early = format_record(NOON_NS - SECOND_NS, b"stdout", b"needle" + b" hay" * 3000)
    log.write_bytes(early + log.read_bytes())
    stored.fill()
    since_ms = NOON_NS // 1_000_000
    assert stored.sessions("needle") == stored.sessions("words", since_ms=since_ms) == [session_id]
    assert stored.sessions("needle", since_ms=since_ms) == []


def test_long_record_shows_where_the_word_is(stored: StoredSessions) -> None:
    stored.add("filler " * 20_000 + "needle " + "filler " * 20_000)
    stored.fill()
    (group,) = stored.find("needle").groups
    assert [part.text for part in group.hits[0].snippet if part.is_match] == ["needle"]
    assert sum(len(part.text) for part in group.hits[0].snippet) < 400


def test_word_across_two_windows_of_a_long_record_is_shown(stored: StoredSessions) -> None:
    stored.add("hay " * 499 + "needle " + "hay " * 1000)
    stored.fill()
    (group,) = stored.find("needle").groups
    assert [part.text for part in group.hits[0].snippet if part.is_match] == ["needle"]


def test_word_with_an_accent_is_shown(stored: StoredSessions) -> None:
    session_id = stored.add(*["hay"] * 9, "Ömer")
    stored.fill()
    assert stored.sessions("omer") == [session_id]


def test_session_has_more_hits_only_where_there_are_more(stored: StoredSessions) -> None:
    ids = [stored.add(*MANY[: 256 * count]) for count in (HITS_OF_SESSION, HITS_OF_SESSION + 1)]
    stored.fill()
    groups = {group.session_id: group for group in stored.find("many").groups}
    assert [groups[one].has_more for one in ids] == [False, True]
    assert [len(groups[one].hits) for one in ids] == [HITS_OF_SESSION] * 2


def test_marks_in_the_output_mark_nothing(stored: StoredSessions) -> None:
    stored.add("a \x02false\x03 needle <b>bold</b>")
    stored.fill()
    snippet = stored.find("needle").groups[0].hits[0].snippet
    assert [part.text for part in snippet if part.is_match] == ["needle"]
    assert "".join(part.text for part in snippet) == "a  false  needle <b>bold</b>"


# --- sessions that run ------------------------------------------------------------------


def test_session_that_runs_is_found_chunk_by_chunk_and_whole_at_its_end(
    stored: StoredSessions,
) -> None:
    session_id = stored.add("early words", status="running")
    stored.fill()
    assert stored.find("early") == ([], None, 1)
    stored.write(session_id, *MANY)
    assert stored.fill() > 0
    assert stored.sessions("early") == [session_id]
    assert stored.fill() == 0
    stored.write(session_id, "late words")
    stored.end(session_id)
    execute(
        stored.database,
        "UPDATE sessions SET status = 'failed', ended_at = '2026' WHERE id = :id",
        id=session_id,
    )
    stored.fill()
    assert stored.sessions("late") == [session_id]
    assert stored.find("late").to_do == 0
    everything = stored.find("words", session_id=session_id, limit=100).groups[0].hits
    assert len({hit.offset for hit in everything}) == len(everything)


def test_steps_of_any_size_index_each_record_once(stored: StoredSessions) -> None:
    ids = [stored.add(*MANY, "needle"), stored.add(*["x" * 5000] * 20, "needle")]
    stored.fill(stored.small_steps(step_bytes=3000))
    assert stored.sessions("needle") == ids[::-1]
    for session_id in ids:
        group = stored.find("needle", session_id=session_id).groups[0]
        assert len(group.hits) == 1


def test_log_without_any_text_is_soon_done(stored: StoredSessions) -> None:
    session_id = stored.add(status="running")
    notice = format_record(NOON_NS, b"system", b'{"type":"gap","bytes":1}')
    stored.files(session_id).log.write_bytes(notice * 1000)
    filler = stored.small_steps(step_bytes=3000)
    assert stored.fill(filler) >= len(notice) * 900
    assert stored.fill(filler) == 0


def test_crash_between_two_steps_loses_and_repeats_nothing(stored: StoredSessions) -> None:
    session_id = stored.add(*MANY, "needle")
    sum(stored.filler.learn())
    steps = stored.small_steps(step_bytes=10_000).steps()
    assert [next(steps) > 0 for _ in range(3)] == [False, True, True]
    del steps
    again = SearchIndex(stored.var)
    assert sum(Filler(stored.database, stored.var, again).steps()) > 0
    again.close()
    hits = stored.find("many", session_id=session_id, limit=500).groups[0].hits
    assert len(hits) == len({hit.offset for hit in hits})
    assert stored.sessions("needle") == [session_id]


# --- what may have become of logs and index -----------------------------------------------


def test_compressed_log_is_found_as_before(stored: StoredSessions) -> None:
    session_id = stored.add(*MANY)
    stored.fill()
    before = stored.find("many", session_id=session_id)
    compress_log(stored.files(session_id).log)
    assert stored.find("many", session_id=session_id) == before
    stored.index.clear()
    stored.fill()
    assert stored.find("many", session_id=session_id) == before


def test_removed_session_is_found_no_more(stored: StoredSessions) -> None:
    left, removed = stored.add("word here"), stored.add("word there")
    stored.fill()
    stored.index.remove(removed)
    assert stored.sessions("word") == [left]
    assert stored.sessions("there") == []


def test_log_that_is_gone_is_left_out(stored: StoredSessions) -> None:
    left, gone = stored.add("word"), stored.add("word")
    never = stored.add("word")
    stored.files(never).log.unlink()
    stored.fill()
    stored.files(gone).log.unlink()
    assert stored.sessions("word") == [left]
    assert stored.find("word").to_do == 0


def test_log_that_is_damaged_is_left_out(stored: StoredSessions) -> None:
    good, bad = stored.add("word"), stored.add("word")
    stored.fill()
    compress_log(stored.files(bad).log)
    with compressed_path(stored.files(bad).log).open("r+b") as packed:
        packed.seek(20)
        packed.write(b"damage")
    assert stored.sessions("word") == [good]


@pytest.mark.parametrize("damage", [b"", b"no database at all" * 500])
def test_damaged_index_is_made_anew(stored: StoredSessions, damage: bytes) -> None:
    session_id = stored.add("word")
    stored.fill()
    stored.index.close()
    (stored.var / FILE_NAME).write_bytes(damage)
    stored.index.__init__(stored.var)  # type: ignore[misc]
    assert stored.find("word").groups == []
    stored.fill()
    assert stored.sessions("word") == [session_id]


def test_without_an_index_nothing_is_found(stored: StoredSessions) -> None:
    os.unlink(stored.var / FILE_NAME)
    assert stored.find("word") == ([], None, 0)


def test_search_that_takes_too_long_is_given_up(stored: StoredSessions) -> None:
    for number in range(60):
        stored.add(f"word {number}")
    stored.fill()
    assert len(stored.find("word", limit=60).groups) == 60
    search = Search(parse_query("word"), limit=60)
    with pytest.raises(ServiceUnavailable, match="look for rarer words"):
        find(stored.var, search, lambda id_: stored.files(id_).log, max_seconds=-1)


def test_each_look_at_a_few_sessions_is_a_step(stored: StoredSessions) -> None:
    for _ in range(5):
        stored.add("word", status="running")
    filler = stored.small_steps(page=2)
    assert list(filler.learn()) == [2, 2, 1, 0, 0, 0]  # of live ones the texts wait
    stored.fill(filler)
    assert list(filler.steps()) == [0] * 5
