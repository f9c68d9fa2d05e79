"""What people type becomes what FTS5 takes."""

import pysqlite3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.errors import BadRequest
from webapp.search.query import MAX_LETTERS, parse_query

DOCUMENTS = ("alpha beta", "alpha gamma", "beta gamma src/app.py", "Gämma delta no space left")


def matches(expression: str) -> list[int]:
    """Which of the documents SQLite finds."""
    connection = pysqlite3.connect(":memory:")
    connection.execute(
        "CREATE VIRTUAL TABLE found USING fts5(text, tokenize = 'unicode61 remove_diacritics 2')"
    )
    connection.executemany("INSERT INTO found VALUES (?)", [(text,) for text in DOCUMENTS])
    rows = connection.execute("SELECT rowid - 1 FROM found WHERE found MATCH ?", (expression,))
    found = sorted(row[0] for row in rows)
    connection.close()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpha", [0, 1]),
        ("ALPHA", [0, 1]),
        ("alpha beta", [0]),
        ("alpha AND beta", [0]),
        ("beta OR delta", [0, 2, 3]),
        ("beta OR gamma delta", [0, 2, 3]),
        ("(beta OR gamma) alpha", [0, 1]),
        ("gamma NOT alpha", [2, 3]),
        ("gamma NOT alpha NOT delta", [2]),
        ("gamma NOT (alpha OR delta)", [2]),
        ("gamm*", [1, 2, 3]),
        ('"alpha gamma"', [1]),
        ('"gamma alpha"', []),
        ('"no space le"*', [3]),
        ('"alpha ""beta"', [0]),
        ("alpha\0beta", [0]),
        ("src/app.py", [2]),
        ("app.py", [2]),
        ("py.app", []),
        ("gämma", [1, 2, 3]),
        ("not", []),
        ("NEAR(alpha, beta)", []),
        ("text: alpha", []),
        ("^alpha", [0, 1]),
        ("-delta", [3]),
    ],
)
def test_query_finds_what_it_says(text: str, expected: list[int]) -> None:
    assert matches(parse_query(text).expression) == expected


def test_what_is_excluded_is_not_wanted() -> None:
    query = parse_query("disk NOT (memory OR swap) full")
    assert query.wanted == '"disk" OR "full"'
    assert query.parts == ("disk", "full")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ('"open', 'a quote that is not closed: "open'),
        ("(a", r'a "\(" that is not closed'),
        ("a)", r'a "\)" without its "\("'),
        ("a OR", "ends after OR, expected a word"),
        ("AND a", "AND at its beginning"),
        ("NOT a", "NOT at its beginning"),
        ("a OR AND b", "AND after OR"),
        ("->", "'->', in which there is no letter"),
        ('a ""', "no letter"),
        ("ab*", r"'ab\*', expected at least 3 letters before \*"),
        ("*", "no letter"),
        ("word " * 33, "more than 32 words"),
        ("x" * (MAX_LETTERS + 1), "has 501 letters, expected at most 500"),
    ],
)
def test_bad_query_says_what_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(BadRequest, match=f"^q .*{reason}") as caught:
        parse_query(text)
    assert caught.value.field == "q"


@given(
    st.lists(
        st.sampled_from(['"', "(", ")", "*", "AND", "OR", "NOT", "a b", "wörd", "-", "^", ":", "+"])
        | st.text(max_size=5)
    )
)
def test_whatever_is_typed_is_refused_or_taken_by_sqlite(parts: list[str]) -> None:
    try:
        query = parse_query(" ".join(parts))
    except BadRequest:
        return
    matches(query.expression)
    if query.wanted:
        matches(query.wanted)
