"""Logs for Hypothesis: what runners write, and what may have become of it on a bad disk."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

from webapp.log.dialects.translate import LOG_DIALECTS
from webapp.log.json_line import RESERVED_NAMES
from webapp.log.opened import PlainLog
from webapp.log.record import format_record

DONE = b'{"type":"done","exitCode":0,"signal":null,"status":"succeeded"}'
SESSION = b'{"type":"session","sessionId":"s","workflowId":"w","stageIndex":0}'

times = st.integers(0, 4_102_444_800_000_000_000)
"""Nanoseconds from 1970 to 2100."""

any_bytes = st.binary(max_size=60).map(lambda content: content.replace(b"\n", b""))

contents = any_bytes | st.sampled_from(
    [
        b"",
        b'{"type":"tool_call","name":"read_file"}',
        b'{"type":"done","exitCode":0}',
        b'{"type":"x",\r"n":1}',
        b'{"no":"type"}',
        b"{",
        b"a\rb\r",
        b"\x00",
        "\u2028\u0085 caf\u00e9".encode(),
        b"2026-11-23T21:04:00.123456789Z system F " + DONE,
        b"x" * 300,
    ]
)

type_names = st.sampled_from(
    [*sorted(RESERVED_NAMES), "tool_call", "a", "A.b:c-d_9", "9a", "", "a b", "x" * 64, "x" * 65]
)
json_texts = st.text(max_size=20) | st.sampled_from(["x" * 200, "caf\u00e9 \u2028 \U0001f600"])


def _typed_json(kind: str, text: str, depth: int, is_ascii: bool, space: str) -> bytes:
    """A typed JSON line around the limits of nesting and length that events.py has."""
    value = json.dumps({"type": kind, "s": text}, ensure_ascii=is_ascii)[:-1]
    line = f'{value},{space}"n":{"[" * depth}{"]" * depth}}}{space}'
    return line.encode("utf-8", "surrogatepass")


typed_json = st.builds(
    _typed_json,
    type_names,
    json_texts,
    st.sampled_from([0, 1, 2, 100, 126, 127, 128, 129, 400]),
    st.booleans(),
    st.sampled_from(["", "", " ", "\r"]),
)
broken_json = st.sampled_from(
    [
        b'{"type":"x","s":"\xff"}',
        b'{"type":"x\xff"}',
        b'{"type":"x","s":"cut \\ud83d"}',
        b'{"type":"\\ud83d"}',
        b'{"type":"x","s":"\xed\xa0\x80"}',
        b'{"type":"x","n":NaN,"s":"\\ud83d"}',
        b'{"type":"x","s":"' + b"[" * 200 + b'"}',
        b'{"type":"x","s":"' + b"[" * 100 + b'\\"' + b"{" * 100 + b'"}',
        b'{"type":"x","type":"done"}',
        b'{"type":1}',
        b'{"type":"x"} and more',
        b'{"\\u0074ype":"x"}',
        b' {"type":"x"}',
        b'{"type":"x","n":1e999}',
    ]
)


def _line(value: object) -> bytes:
    return json.dumps(value).encode()


json_bits = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "id", "a b", "\ud83d"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "id", "text", "content", "message", "name", "items", "delta"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
claude_blocks = st.sampled_from(
    [
        {"type": "text", "text": "Let me look."},
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls", "n": 1e300}},
        {"type": "tool_result", "tool_use_id": "t1", "content": "a\nb", "is_error": False},
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "content": [{"type": "text", "text": "\u2028"}],
        },
        {"type": "never_seen", "n": 1},
        "bare",
    ]
)
claude_lines = st.builds(
    lambda kind, content: _line({"type": kind, "message": {"content": content}}),
    st.sampled_from(["assistant", "user"]),
    st.lists(claude_blocks | json_bits, max_size=4) | json_bits,
) | st.builds(
    lambda extra: _line({"type": "result", "is_error": True} | extra),
    st.dictionaries(st.sampled_from(["usage", "result", "errors", "is_error"]), json_bits),
)
codex_items = st.sampled_from(
    [
        {"id": "i1", "type": "agent_message", "text": "Done."},
        {"id": "i1", "type": "command_execution", "command": "ls", "exit_code": 1},
        {"id": "i1", "type": "file_change", "changes": [{"path": "a", "kind": "add"}]},
        {"id": "i1", "type": "todo_list", "items": [{"text": "a", "completed": True}]},
        {"id": "i1", "type": "never_seen"},
    ]
)
codex_lines = st.builds(
    lambda kind, item: _line({"type": kind, "item": item}),
    st.sampled_from(["item.started", "item.updated", "item.completed"]),
    codex_items | json_bits,
) | st.builds(
    lambda kind, bits: _line({"type": kind, "usage": bits, "error": bits, "message": bits}),
    st.sampled_from(["turn.completed", "turn.failed", "error", "thread.started"]),
    json_bits,
)

output_records = st.builds(
    format_record,
    times,
    st.sampled_from([b"stdout", b"stdout", b"stdout", b"stderr", b"stdin"]),
    contents | typed_json | broken_json | claude_lines | codex_lines,
    st.sampled_from([b"F", b"F", b"P"]),
)
spoken_records = st.builds(
    format_record, times, st.just(b"stdout"), claude_lines | codex_lines, st.just(b"F")
)

notices = st.builds(
    format_record,
    times,
    st.just(b"system"),
    st.sampled_from([SESSION, b'{"type":"gap","bytes":7}', b"broken"]),
)
corrupt_lines = st.builds(lambda line: line + b"\n", any_bytes)

records = output_records | spoken_records | notices | corrupt_lines
live_logs = st.lists(records, max_size=25).map(b"".join)
"""Whole records without an end."""
clean_logs = st.lists(output_records | notices, max_size=25).map(b"".join)
"""The same from a disk that never failed."""
dialects = st.sampled_from([dialect.translate for dialect in LOG_DIALECTS.values()])
done_records = st.builds(format_record, times, st.just(b"system"), st.just(DONE))


@contextmanager
def open_file(content: bytes) -> Iterator[PlainLog]:
    """A log that holds these bytes and lies on no disk."""
    log = PlainLog(os.memfd_create("log"))
    try:
        os.write(log.fd, content)
        yield log
    finally:
        log.close()
