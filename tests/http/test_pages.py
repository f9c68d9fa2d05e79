"""The pages: what they are made of, and how much of it there is."""

import gzip
import re
from pathlib import Path

import pytest

from tests.http.client import Client
from tests.server import ROOT

STATIC = ROOT / "webapp" / "static"
MOST_BYTES = 60_000
MOST_BYTES_WITH_CONVERSATIONS = {"/": 90_000, "/sessions/{session}": 70_000}
PAGES = ["/", "/sessions", "/sessions/{session}", "/search", "/docs", "/overview"]
# A type's name follows where only a comment imports it.
LATER = r'import\("(\.[^"]+)"\)(?!\.[A-Z])|new URL\("(\.[^"]+\.css)", import\.meta\.url\)'
IMPORTED = r'from "(\.[^"]+)"|import "(\.[^"]+)"'


def page_of(client: Client, path: str) -> str:
    """A page's HTML; `{session}` in its path is one that has ended."""
    response = client.get(path.format(session=client.finished()), Accept="text/html")
    assert response.status_code == 200
    return response.get_data(as_text=True)


def files_of(page: str) -> set[str]:
    """What a page names."""
    return set(re.findall(r'(?:href|src)="/static/((?:js|css)/[^"]+)"', page))


def named_in(modules: set[str], pattern: str) -> set[str]:
    """What these modules name, from the folder of the static files."""
    return {
        (STATIC / name).parent.joinpath(found).resolve().relative_to(STATIC).as_posix()
        for name in modules
        if name.endswith(".js")
        for groups in re.findall(pattern, _read(name))
        for found in groups
        if found
    }


@pytest.mark.parametrize("path", PAGES)
def test_page_names_each_module_that_it_takes_and_is_small(client: Client, path: str) -> None:
    files = files_of(page_of(client, path))
    assert named_in(files, IMPORTED) <= files
    size = len(gzip.compress(b"".join((STATIC / name).read_bytes() for name in sorted(files)), 9))
    most = MOST_BYTES_WITH_CONVERSATIONS.get(path, MOST_BYTES)
    assert size < most, f"{size} bytes in {len(files)} files"


@pytest.mark.parametrize("path", ["/", "/sessions/{session}"])
def test_what_is_needed_at_times_is_loaded_then_and_in_one_step(client: Client, path: str) -> None:
    files = files_of(page_of(client, path))
    later = named_in(files, LATER)
    assert later
    assert not later & files
    assert named_in(later, IMPORTED) <= files | later


def _read(name: str) -> str:
    return Path(STATIC / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_to_each_other(client: Client, path: str) -> None:
    page = page_of(client, path)
    assert '<a class="site-link" href="/"' in page
    assert '<a class="site-link" href="/sessions"' in page
    assert '<a class="site-link" href="/search"' in page
    assert '<a class="site-link" href="/docs"' in page


def test_page_of_a_session_that_never_was_is_not_found(client: Client) -> None:
    response = client.get("/sessions/session-1", Accept="text/html")
    assert response.status_code == 404
    assert "never was one" in response.get_data(as_text=True)


def test_each_file_of_the_pages_belongs_to_one(client: Client) -> None:
    files = {name for path in PAGES for name in files_of(page_of(client, path))}
    later = named_in(files, LATER)
    files |= later | named_in(later, LATER) | {"js/login.js", "css/login.css", "css/error.css"}
    files |= {"js/diff/lines_view.js", "js/diff/rows.js", "css/diff.css"}
    assert {file.relative_to(STATIC).as_posix() for file in STATIC.glob("*/**/*.*")} == files
