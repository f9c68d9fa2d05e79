"""Characters that hide what a text says, made visible: controls, and invisible ones.

Bidirectional controls let a text read as another one (https://trojansource.codes/, Unicode
Technical Report 36, section 2.10); characters without width let two names look the same.
"""

import re

_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f"
    "\xad\u115f\u1160\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\U000e0000-\U000e007f]"
    # What joins letters, or picks their form, says nothing after ASCII.
    "|(?<=[\x00-\x7f])[\u200c\u200d\ufe00-\ufe0e\U000e0100-\U000e01ef]"
)


def visible(text: str, keep: str = "") -> str:
    r"""The text with `\u202e` for each character that hides something, less those in `keep`.

    The escapes are those of JSON: inside a JSON string they mean the same characters.
    """
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), text)


def shortened(value: object, most: int = 80) -> str:
    """A foreign value for a message: quoted, on one line, of at most about `most` letters."""
    text = visible(repr(value)[: most + 1])
    return f"{text[: most - 1]}…" if len(text) > most else text


def _escape(letter: str) -> str:
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    return f"\\u{0xD800 + (code - 0x10000 >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
