"""Topics, sections, search and HTML of the documentation."""

import pytest

from webapp.docs.render import render_topic
from webapp.docs.topics import TOPICS, find_sections, read_topic
from webapp.errors import NotFound


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_has_a_title_a_summary_and_a_page(name: str) -> None:
    topic = read_topic(name)

    assert topic.title
    assert len(topic.summary) > 20
    assert "<p>" in render_topic(name)


def test_unknown_topic_names_the_available_ones() -> None:
    with pytest.raises(NotFound, match=r"'cooking'.*commands, api"):
        read_topic("cooking")


def test_search_finds_the_section_that_holds_all_words() -> None:
    found = find_sections("systemctl upgrade")

    assert (found[0].section.topic, found[0].section.anchor) == ("deploy", "upgrade-and-backup")
    assert "systemctl" in found[0].excerpt


def test_search_puts_sections_with_a_word_in_the_heading_first() -> None:
    assert [match.section.heading for match in find_sections("dialect")[:2]] == [
        "Dialects",
        "Add a dialect",
    ]


@pytest.mark.parametrize("query", ["", "  ", "x", "nonsense-that-nobody-wrote"])
def test_search_for_nothing_finds_nothing(query: str) -> None:
    assert find_sections(query) == []


def test_links_between_topics_lead_to_pages() -> None:
    assert 'href="./events#dialects"' in render_topic("api")


def test_headings_have_the_anchors_that_links_name() -> None:
    assert '<h2 id="dialects">' in render_topic("events")


def test_headings_in_code_are_no_sections() -> None:
    headings = [section.heading for section in read_topic("commands").sections]

    assert headings == [
        "The command",
        "Run a command as a session",
        "Conversations",
        "Export and import",
    ]
