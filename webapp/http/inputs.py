"""Turn what a client sent into typed structs; each error names the field and what was expected.

A struct's annotations say all that is expected: a type, a range (`msgspec.Meta`), a set of words
(`Literal`). https://jcristharif.com/msgspec/constraints.html
"""

import re
from collections.abc import Collection, Mapping
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from webapp.errors import BadRequest

T = TypeVar("T", bound=Struct)

_TEXT_BYTES = 256
_DIGITS = 20
_FLOAT_LETTERS = 32
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SHOWN_LETTERS = 80
_PROBLEM = re.compile(r"^Object missing required field `(\w+)`$| - at `\$\.(\w+)")
_KINDS = {dict: "an object", list: "an array", bool: "a boolean", NoneType: "null"}

Required = Annotated[str, Meta(min_length=1)]
"""A text that is not empty."""


class Input(Struct, rename="camel"):
    """What a request may say, by names in camelCase."""


def max_bytes(count: int) -> Meta:
    """The size of a text in UTF-8, where that is not the usual 256 bytes."""
    return Meta(extra={"max_bytes": count})


def convert(value: object, kind: type[T]) -> T:
    """A JSON value as a struct; none given is an object without fields. BadRequest."""
    is_needed = any(field.required for field in msgspec.structs.fields(kind))
    hints = _hints(kind)
    given = check_object({} if value is None and not is_needed else value, hints)
    try:
        converted = msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise _bad_request(str(error), given, hints) from None
    for field, hint in hints.items():
        _check_texts(field, given.get(field), hint)
    return converted


def convert_args(args: Mapping[str, str], kind: type[T]) -> T:
    """The fields of a query string as a struct; it may have others too. BadRequest.

    A number is in digits, and a list has commas between its items.
    """
    given: dict[str, object] = {}
    for field, hint in _hints(kind).items():
        text = args.get(field)
        if text is None:
            continue
        types = _types(hint)
        if int in types and text.isascii() and text.isdigit() and len(text) <= _DIGITS:
            given[field] = int(text)
        elif float in types and _NUMBER.fullmatch(text) and len(text) <= _FLOAT_LETTERS:
            given[field] = float(text)
        elif any(get_origin(each) is list for each in types):
            given[field] = [part for part in text.split(",") if part]
        else:
            given[field] = text
    return convert(given, kind)


def check_object(value: object, known: Collection[str]) -> dict[str, object]:
    """A JSON object with none but the known fields. BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest(f"input is {_shown(value)}, expected an object.", field="input")
    for field in value:
        if field not in known:
            raise BadRequest(
                f"Unknown field {field!r}. Available: {', '.join(known)}.", field=str(field)
            )
    return value


def check_text(field: str, text: str, max_bytes: int = _TEXT_BYTES) -> str:
    """The text, if it has UTF-8 of that many bytes or less. BadRequest."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadRequest(
            f"{field} has half a surrogate pair, expected a text.", field=field
        ) from None
    if size > max_bytes:
        raise BadRequest(f"{field} has {size} bytes, expected at most {max_bytes}.", field=field)
    return text


# --- what a struct expects --------------------------------------------------------------


@cache
def _hints(kind: type[Struct]) -> dict[str, Any]:
    """The annotations by the names on the wire."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.encode_name: hints[field.name] for field in msgspec.structs.fields(kind)}


def _types(hint: Any) -> list[Any]:
    """The members of a union, without what is annotated."""
    if get_origin(hint) is Annotated:
        return _types(get_args(hint)[0])
    members = get_args(hint) if get_origin(hint) not in (None, list, dict, Literal) else ()
    return [each for member in members for each in _types(member)] or [hint]


def _metas(hint: Any) -> list[Meta]:
    own = [each for each in getattr(hint, "__metadata__", ()) if isinstance(each, Meta)]
    return own + [meta for member in get_args(hint) for meta in _metas(member)]


def _expected(hint: Any) -> str:
    types = [each for each in _types(hint) if each is not NoneType]
    if get_origin(types[0]) is Literal:
        return " or ".join(get_args(types[0]))
    if get_origin(types[0]) is dict:
        return "an object"
    if int in types or float in types:
        (meta,) = _metas(hint)
        number = "a whole number" if int in types else "a number"
        return f"{number} from {meta.ge} to {meta.le}"
    if bool in types:
        return "true or false"
    return "a text or an array of texts" if len(types) > 1 else "a text"


# --- what is wrong ----------------------------------------------------------------------


def _bad_request(problem: str, given: dict[str, object], hints: dict[str, Any]) -> BadRequest:
    """The error for what msgspec found."""
    found = _PROBLEM.search(problem)
    assert found is not None, problem
    field = found[1] or found[2]
    value = given.get(field)
    is_required_text = any(meta.min_length for meta in _metas(hints[field]))
    if value is None or (value == "" and is_required_text):
        return BadRequest(f"{field} is missing.", field=field)
    return BadRequest(
        f"{field} is {_shown(value)}, expected {_expected(hints[field])}.", field=field
    )


def _check_texts(field: str, value: object, hint: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _check_texts(field, item, hint)
    if not isinstance(value, str):
        return
    limits = [meta.extra["max_bytes"] for meta in _metas(hint) if meta.extra]
    check_text(field, value, *limits)


def _shown(value: object) -> str:
    if isinstance(value, str):
        return repr(value[:_SHOWN_LETTERS])
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(value)[:_SHOWN_LETTERS]
    return _KINDS[type(value)]
