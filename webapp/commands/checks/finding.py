"""What a check has found, and what to do about it."""

from typing import Literal, NamedTuple

Mark = Literal["ok", "hint", "warn", "bad"]


class Finding(NamedTuple):
    """One line of the doctor's. Only `bad` keeps sessions from running."""

    check: str
    mark: Mark
    message: str
    advice: str = ""
