"""JSON as it goes out."""

import json


def to_json(value: object) -> bytes:
    """Compact UTF-8. Half a surrogate, which UTF-8 has no place for, stays as `\\ud800`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")
