"""`search` and `prune`, as people run them."""

import json
from pathlib import Path

import pytest

from tests.cli.command import run
from tests.search.stored_sessions import StoredSessions, open_stored
from webapp.keeper.lock import KeeperLock


@pytest.fixture(scope="module")
def stored_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five sessions and no server; the last printed escape sequences."""
    folder = tmp_path_factory.mktemp("stored")
    with open_stored(folder) as stored:
        for number in range(4):
            stored.add(f"needle {number}", *["line"] * 200)
        stored.add("\x1b]0;title\x07the \x1b[31mneedle\x1b[0m", agent="rude")
    return folder


def test_search_fills_the_index_and_shows_hits(stored_folder: Path) -> None:
    found = run(stored_folder, "search", "needle", "--limit", "2")
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert [line.split()[0].startswith("session-") for line in lines] == [True, False] * 2
    assert lines[1].split(maxsplit=1)[1] == "the needle"


def test_search_as_json_names_the_moment(stored_folder: Path) -> None:
    found = run(stored_folder, "search", "--json", "--agent", "demo", "needle", "1")
    (hit,) = [json.loads(line) for line in found.stdout.splitlines()]
    assert hit["url"] == f"/sessions/{hit['sessionId']}?at={hit['id']}"
    assert [part["text"] for part in hit["snippet"] if part["match"]] == ["needle", "1"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nowhere"], 1, "Nothing matches."),
        (['"open'], 2, "a quote that is not closed"),
        ([], 2, "give words to look for"),
        (["--since", "soon", "word"], 2, "is no time"),
    ],
)
def test_search_that_finds_nothing_says_why(
    stored_folder: Path, words: list[str], code: int, message: str
) -> None:
    found = run(stored_folder, "search", *words)
    assert found.returncode == code
    assert message in found.stderr


def test_rebuilt_index_finds_the_same(stored_folder: Path) -> None:
    before = run(stored_folder, "search", "needle").stdout
    rebuilt = run(stored_folder, "search", "--rebuild")
    assert rebuilt.stdout == "5 session(s) indexed, 0 still run\n"
    assert run(stored_folder, "search", "needle").stdout == before


def test_search_leaves_the_index_to_the_process_that_fills_it(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        stored.add("needle")
        keeper = KeeperLock(stored.var)
        assert keeper.acquire()
        assert run(tmp_path, "search", "needle").returncode == 1
        assert stored.index.counts() == (0, 0)
        stored.fill()
        assert run(tmp_path, "search", "needle").returncode == 0
        assert "the running server fills it" in run(tmp_path, "search", "--rebuild").stdout
        assert stored.index.counts() == (0, 0)
        keeper.release()
        assert run(tmp_path, "search", "needle").returncode == 0


def test_prune_deletes_what_it_said_it_would(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        ids = [stored.add(*["line"] * 100) for _ in range(4)]
        live = stored.add("up", status="running")
        would = run(tmp_path, "prune", "--keep", "2", "--dry-run")
        assert would.returncode == 0
        assert [line.split()[0] for line in would.stdout.splitlines()[:-1]] == ids[:2]
        assert would.stdout.splitlines()[-1].startswith("2 log(s), ")
        assert logs(stored) == [*ids, live]

        done = run(tmp_path, "prune", "--older-than", "1h", "--keep", "2", "--json")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line.get("sessionId") for line in lines] == [*ids[:2], None]
        assert lines[-1]["leftAlone"] == 0
        assert logs(stored) == [*ids[2:], live]
        assert run(tmp_path, "prune", "--max-bytes", "0").stdout.startswith("2 log(s), ")
        assert logs(stored) == [live]
        assert run(tmp_path, "prune", "--max-bytes", "0").stdout.startswith("0 log(s), ")
    assert len(run(tmp_path, "ls", "--all", "--json").stdout.splitlines()) == 5


def logs(stored: StoredSessions) -> list[str]:
    """The sessions that have a folder."""
    return sorted(directory.name for directory in (stored.var / "sessions").glob("*/*"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "what is too much?"),
        (["--older-than", "soon"], "'soon' is no span of time"),
        (["--max-bytes", "lots"], "'lots' is no size"),
        (["--keep", "-1"], "-1"),
    ],
)
def test_prune_without_a_sensible_limit_is_refused(
    tmp_path: Path, options: list[str], message: str
) -> None:
    refused = run(tmp_path, "prune", *options)
    assert refused.returncode == 2
    assert message in refused.stderr
