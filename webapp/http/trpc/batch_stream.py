"""A batch whose answers go out one by one, as `httpBatchStreamLink` reads them.

Lines of JSON: first a head, `{"0":[[0],[null,0,0]],…}`, which promises chunk 0 for call 0
and so on; then `[chunk, 0, [[answer]]]` for each answer when it is there (a 0 for
"fulfilled"). An answer that fails is one too: the status is 200 by then.
"""

from collections.abc import Iterable, Iterator

from flask import request

from webapp.http.trpc.json_text import to_json

JSON_LINES = "application/jsonl"


def is_wanted() -> bool:
    """Whether the client asked for answers as they come."""
    asked = request.headers.get("trpc-accept")
    if asked is not None:
        return asked == JSON_LINES
    return JSON_LINES in (part.strip() for part in request.headers.get("Accept", "").split(","))


def encode(count: int, answers: Iterable[object]) -> Iterator[bytes]:
    """The body for as many calls as `count` says, from their answers in the same order."""
    yield to_json({str(index): [[0], [None, 0, index]] for index in range(count)}) + b"\n"
    for index, answer in enumerate(answers):
        yield to_json([index, 0, [[answer]]]) + b"\n"
