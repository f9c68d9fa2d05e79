"""`POST /api/colours`: the syntax colours of a piece of code."""

from functools import lru_cache
from typing import Annotated

from flask import Blueprint, Response, jsonify

from webapp.colours.runs import Runs, colour_lines, lexer_for
from webapp.http.inputs import Input, Required, convert, max_bytes
from webapp.http.threads import run_aside
from webapp.http.trpc.call_input import read_input

blueprint = Blueprint("colours", __name__, url_prefix="/api")

MAX_BYTES = 32 * 1024


class _Code(Input):
    language: Required
    text: Annotated[str, max_bytes(MAX_BYTES)]


@blueprint.post("/colours")
def colours() -> Response:
    """`{language, text}` → `{lines: [[length, class, …], …]}`; empty where it has no colours.

    A length is in UTF-16 units. What has been coloured lately is not coloured again.
    """
    given = convert(read_input(), _Code)
    return jsonify(lines=run_aside(lambda: _coloured(given.language, given.text)))


@lru_cache(maxsize=128)
def _coloured(language: str, text: str) -> list[Runs]:
    lexer = lexer_for(language=language) or lexer_for(path=f"code.{language}")
    return colour_lines(text.split("\n"), lexer)
