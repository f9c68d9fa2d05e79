"""Syntax colours of a piece of code."""

from typing import Any

import pytest

from tests.http.client import Client, plain_error


def lines(client: Client, language: str, text: str) -> Any:
    """What the server says of each line."""
    answer = client.post("/api/colours", {"language": language, "text": text})
    assert answer.status_code == 200
    return answer.get_json()["lines"]


@pytest.mark.parametrize("language", ["python", "py"])
def test_code_has_colours_by_its_language(client: Client, language: str) -> None:
    found = lines(client, language, "def f():\n    return '\U0001f600' # x")
    assert found == [
        [3, "k", 1, "", 1, "f"],
        [4, "", 6, "k", 1, "", 4, "s", 1, "", 3, "c"],
    ]
    assert lines(client, language, "def f():\n    return '\U0001f600' # x") == found


def test_language_that_nobody_knows_has_none(client: Client) -> None:
    assert lines(client, "no-such-language", "a\nb") == [[], []]
    assert lines(client, "../../etc/passwd", "a") == [[]]


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"language": "python"}, "text"),
        ({"language": "", "text": "x"}, "language"),
        ({"language": "python", "text": "x" * 40_000}, "text"),
        ({"language": "x" * 300, "text": "x"}, "language"),
    ],
)
def test_bad_input_is_named(client: Client, value: dict[str, object], field: str) -> None:
    assert plain_error(client.post("/api/colours", value)) == (400, "BAD_REQUEST", field)
