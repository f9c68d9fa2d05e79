"""Input is what a struct says, and an error says what was given and what was expected."""

from typing import Annotated, Literal

import pytest
from msgspec import Meta, field

from webapp.errors import BadRequest
from webapp.http.inputs import Input, Required, convert, convert_args, max_bytes


class Sample(Input):
    """A field of each kind."""

    task_name: Required
    note: Annotated[str, max_bytes(10)] | None = None
    limit: Annotated[int, Meta(ge=1, le=9)] | None = None
    factor: Annotated[float, Meta(ge=0.5, le=2)] | None = None
    is_last: bool | None = None
    order: Literal["asc", "desc"] = "asc"
    tags: str | list[Required] | None = None
    since: str | None = field(name="from", default=None)


class Nothing(Input):
    """No field is needed."""

    limit: Annotated[int, Meta(ge=1, le=9)] | None = None


NAMES = "taskName, note, limit, factor, isLast, order, tags, from"


def test_fields_are_those_of_the_struct() -> None:
    given = {"taskName": "a", "note": "ä" * 5, "limit": 9, "factor": 2, "isLast": True}
    sample = convert(given | {"order": "desc", "tags": ["x", "y"], "from": "then"}, Sample)
    assert sample == Sample("a", "ä" * 5, 9, 2.0, True, "desc", ["x", "y"], "then")
    assert convert({"taskName": "a", "note": None, "tags": "x"}, Sample) == Sample("a", tags="x")
    assert convert(None, Nothing) == Nothing()


@pytest.mark.parametrize(
    ("given", "name", "message"),
    [
        (None, "input", "input is null, expected an object."),
        ([], "input", "input is an array, expected an object."),
        ("x", "input", "input is 'x', expected an object."),
        ({"name": "a"}, "name", f"Unknown field 'name'. Available: {NAMES}."),
        ({}, "taskName", "taskName is missing."),
        ({"taskName": None}, "taskName", "taskName is missing."),
        ({"taskName": ""}, "taskName", "taskName is missing."),
        ({"taskName": 5}, "taskName", "taskName is 5, expected a text."),
        ({"taskName": {}}, "taskName", "taskName is an object, expected a text."),
        ({"taskName": "a" * 257}, "taskName", "taskName has 257 bytes, expected at most 256."),
        ({"note": "ä" * 6}, "note", "note has 12 bytes, expected at most 10."),
        ({"note": "\ud800"}, "note", "note has half a surrogate pair, expected a text."),
        ({"limit": 0}, "limit", "limit is 0, expected a whole number from 1 to 9."),
        ({"limit": 10**40}, "limit", f"limit is {10**40}, expected a whole number from 1 to 9."),
        ({"limit": "5"}, "limit", "limit is '5', expected a whole number from 1 to 9."),
        ({"limit": True}, "limit", "limit is a boolean, expected a whole number from 1 to 9."),
        ({"limit": 5.5}, "limit", "limit is 5.5, expected a whole number from 1 to 9."),
        ({"factor": 3}, "factor", "factor is 3, expected a number from 0.5 to 2."),
        ({"isLast": 1}, "isLast", "isLast is 1, expected true or false."),
        ({"order": "up"}, "order", "order is 'up', expected asc or desc."),
        ({"order": ""}, "order", "order is '', expected asc or desc."),
        ({"tags": 5}, "tags", "tags is 5, expected a text or an array of texts."),
        ({"tags": ["a", 5]}, "tags", "tags is an array, expected a text or an array of texts."),
        ({"tags": ["a", "b" * 257]}, "tags", "tags has 257 bytes, expected at most 256."),
        ({"from": []}, "from", "from is an array, expected a text."),
        ({"note": "x" * 999}, "note", "note has 999 bytes, expected at most 10."),
        ({"order": "x" * 999}, "order", f"order is '{'x' * 80}', expected asc or desc."),
    ],
)
def test_error_says_what_was_given_and_what_was_expected(
    given: object, name: str, message: str
) -> None:
    is_fields = isinstance(given, dict) and "taskName" not in given and "missing" not in message
    with pytest.raises(BadRequest) as caught:
        convert(given | {"taskName": "a"} if is_fields else given, Sample)  # type: ignore[operator]
    assert (caught.value.field, caught.value.message) == (name, message)


def test_query_string_has_digits_and_commas() -> None:
    args = {"taskName": "a,b", "limit": "7", "factor": "5e-1", "tags": "x,,y,", "other": "?"}
    sample = convert_args(args, Sample)
    assert sample == Sample("a,b", limit=7, factor=0.5, tags=["x", "y"])


@pytest.mark.parametrize("digits", ["", "x", "-1", "+1", "1.0", "0", "10", "٣", "1" * 40, "null"])
def test_number_of_a_query_string_is_in_digits_and_in_its_range(digits: str) -> None:
    with pytest.raises(BadRequest, match="expected a whole number from 1 to 9") as caught:
        convert_args({"limit": digits}, Nothing)
    assert caught.value.field == "limit"
