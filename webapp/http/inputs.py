"""Take what a client sent apart; each error names the field and what was expected."""

from collections.abc import Mapping

from webapp.errors import BadRequest


def check_object(value: object, field: str, known: tuple[str, ...]) -> dict[str, object]:
    """A JSON object with none but the known keys. BadRequest."""
    if not isinstance(value, dict):
        raise BadRequest(f"{field} is {_kind(value)}, expected an object.", field=field)
    for key in value:
        if key not in known:
            raise BadRequest(
                f"Unknown field {key!r}; there are: {', '.join(known)}.", field=str(key)
            )
    return value


def optional_text(values: Mapping[str, object], field: str, *, most_bytes: int = 256) -> str | None:
    """A text, or None where it is missing or null. BadRequest."""
    value = values.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"{field} is {_kind(value)}, expected a text.", field=field)
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise BadRequest(f"{field} holds half a surrogate pair: no text.", field=field) from None
    if size > most_bytes:
        raise BadRequest(f"{field} has {size} bytes, expected at most {most_bytes}.", field=field)
    return value


def required_text(values: Mapping[str, object], field: str, *, most_bytes: int = 256) -> str:
    """A text that is not empty. BadRequest."""
    value = optional_text(values, field, most_bytes=most_bytes)
    if not value:
        raise BadRequest(f"{field} is missing.", field=field)
    return value


def optional_texts(values: Mapping[str, object], field: str) -> list[str]:
    """A text, or an array of texts; none where it is missing or null. BadRequest."""
    value = values.get(field)
    if not isinstance(value, list):
        text = optional_text(values, field)
        return [text] if text else []
    return [required_text({field: item}, field) for item in value]


def optional_flag(values: Mapping[str, object], field: str) -> bool:
    """A boolean, false where it is missing or null. BadRequest."""
    value = values.get(field)
    if value is not None and not isinstance(value, bool):
        raise BadRequest(f"{field} is {_kind(value)}, expected true or false.", field=field)
    return bool(value)


def optional_number(
    values: Mapping[str, object], field: str, *, least: int, most: int
) -> int | None:
    """A whole number in a range, or None. BadRequest."""
    value = values.get(field)
    if value is None:
        return None
    expected = f"expected a whole number from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadRequest(f"{field} is {_kind(value)}, {expected}.", field=field)
    if not least <= value <= most:
        raise BadRequest(f"{field} is {value}, {expected}.", field=field)
    return value


def optional_digits(values: Mapping[str, str], field: str, *, least: int, most: int) -> int | None:
    """A whole number as a query string has it, or None. BadRequest."""
    text = values.get(field)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise BadRequest(
            f"{field} is {text[:80]!r}, expected a whole number from {least} to {most}.",
            field=field,
        )
    return optional_number({field: int(text)}, field, least=least, most=most)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean"}
    if value is None:
        return "null"
    return names.get(type(value), "a number")
