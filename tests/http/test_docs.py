"""The documentation over HTTP."""

import httpx
import pytest

from tests.server import Server
from webapp.docs.topics import TOPICS


def get(server: Server, path: str) -> httpx.Response:
    return httpx.get(f"{server.url}{path}", follow_redirects=False)


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_is_a_page(server: Server, name: str) -> None:
    page = get(server, f"/docs/{name}")

    assert page.status_code == 200
    assert 'aria-current="page"' in page.text


def test_index_links_every_topic(server: Server) -> None:
    page = get(server, "/docs").text

    assert all(f'href="/docs/{name}"' in page for name in TOPICS)


def test_search_links_the_section_and_escapes_the_query(server: Server) -> None:
    page = get(server, "/docs?q=systemctl").text
    assert 'href="/docs/deploy#upgrade-and-backup"' in page

    assert "<b>bold" not in get(server, "/docs?q=%3Cb%3Ebold").text


def test_unknown_topic_is_404_and_names_the_available_ones(server: Server) -> None:
    page = get(server, "/docs/cooking")

    assert page.status_code == 404
    assert "cooking" in page.text
    assert "forensics" in page.text


@pytest.mark.parametrize("name", ["missing.svg", "..%2Ftopics.py", "%2e%2e/topics.py"])
def test_only_pictures_of_the_documentation_are_served(server: Server, name: str) -> None:
    assert get(server, "/docs/images/figures.svg").headers["Content-Type"].startswith("image/svg")
    assert get(server, f"/docs/images/{name}").status_code == 404
