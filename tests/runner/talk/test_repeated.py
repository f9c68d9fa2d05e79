"""What an agent repeats when it loads a conversation, in whatever pieces it comes."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webapp.runner.talk.repeated import Repeated

MAX_BYTES = 150


def update(kind: str, text: str = "") -> bytes:
    params = {"update": {"sessionUpdate": kind, "content": {"text": text}}}
    return json.dumps({"method": "session/update", "params": params}).encode() + b"\n"


NEW = (
    update("available_commands_update"),
    b"a warning\n",
    b'{"id":1,"result":{}}\n',
    b'{"method":"ask","id":2}\n',
    b'{"log":"' + b"x" * 200 + b'"}\n',
    b'{"id":2,"result":{}}\n',
    update("agent_message_chunk", "new"),
    b'{"cut',
)
HISTORY = (
    update("user_message_chunk", "old"),
    update("tool_call"),
    update("agent_message_chunk", "long " * 50),
)
OUTPUT = b"".join([NEW[0], HISTORY[0], *NEW[1:3], HISTORY[1], *NEW[3:5], HISTORY[2], *NEW[5:]])


@given(cuts=st.lists(st.integers(0, len(OUTPUT))))
def test_history_is_left_out_up_to_the_answer(cuts: list[int]) -> None:
    repeated = Repeated(2, MAX_BYTES)
    edges = [0, *sorted(cuts), len(OUTPUT)]
    pieces = [OUTPUT[start:end] for start, end in pairwise(edges)]
    kept = b"".join(map(repeated.feed, pieces)) + repeated.finish()
    assert (kept, repeated.lines) == (b"".join(NEW), len(HISTORY))


def test_text_of_a_line_that_has_no_end_yet_is_not_held_back() -> None:
    repeated = Repeated(2, MAX_BYTES)
    assert repeated.feed(b"loading") == b"loading"
    assert repeated.feed(b"...\n" + HISTORY[0]) == b"...\n"
    assert repeated.feed(b'{"cut') == b""
    assert repeated.finish() == b'{"cut'
