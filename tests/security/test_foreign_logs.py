"""Logs from elsewhere that were made to harm: every field, every length, every ratio."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.cli.command import environment_for, refused, run
from tests.search.stored_sessions import StoredSessions, open_stored
from tests.server import PATIENCE_SECONDS
from webapp.commands.exports.jsonl import ImportedLog
from webapp.errors import BadRequest
from webapp.log.record import format_record
from webapp.sessions.importing import adopt

AT_NS = 1_790_000_000_000_000_000
SESSION_ID = "session-1790000000000-k3v9x0a1b2c3"
SESSION = {
    "type": "session",
    "sessionId": SESSION_ID,
    "workflowId": "workflow-1790000000000-k3v9x0a1b2c3",
    "stageIndex": 0,
    "agent": "demo",
    "pid": 7,
    "startedAt": "2026-09-21T13:33:20.000Z",
    "runnerPid": 6,
    "host": "elsewhere",
    "argv": ["true"],
    "cwd": "/",
    "takesInput": False,
    "createdAt": "2026-09-21T13:33:20.000Z",
    "workflow": {
        "template": "chat",
        "requestId": None,
        "createdAt": "2026-09-21T13:33:20.000Z",
        "stages": [{"name": "chat", "type": "chat", "gate": {"type": "auto"}}],
    },
}
DONE = {"type": "done", "exitCode": 0, "signal": None, "status": "succeeded"}
MESSAGE = {"role": "user", "content": "hi", "createdAt": "2026-09-21T13:33:20.000Z"}
SAID = format_record(AT_NS, b"stdout", b"hello")
ESCAPES = "x\x1b[2J\x1b]0;evil\x07\u202e\u200b"
HOSTILE = set("\x1b\x07\x9b\u202e\u200b")


def system(content: dict[str, Any], at_ns: int = AT_NS) -> bytes:
    return format_record(at_ns, b"system", json.dumps(content).encode())


def raw_system(content: bytes) -> bytes:
    return format_record(AT_NS, b"system", content)


def a_log(session: dict[str, Any] | None = None, done: dict[str, Any] | None = None) -> list[bytes]:
    return [system(SESSION | (session or {})), SAID, system(DONE | (done or {}))]


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[StoredSessions]:
    with open_stored(tmp_path) as opened:
        yield opened


def refusal(stored: StoredSessions, lines: list[bytes], messages: list[Any] | None = None) -> str:
    """Why it is not imported; nothing of it is left."""
    with pytest.raises(BadRequest) as raised:
        adopt(stored.database, stored.var, lines, messages or [], 1 << 20)
    assert not list((stored.var / "sessions").glob("**/*"))
    said = str(raised.value)
    assert not HOSTILE & set(said)
    assert len(said) < 400
    return said


def test_a_sound_log_is_taken(stored: StoredSessions) -> None:
    assert adopt(stored.database, stored.var, a_log(), [MESSAGE]).id == SESSION_ID


def test_what_was_allowed_elsewhere_is_not_allowed_here(stored: StoredSessions) -> None:
    session = SESSION | {"talk": "claude", "sessionRules": ["Bash"]}
    mode = {"type": "conversation", "conversationId": "c-1", "mode": "bypassPermissions"}
    found = adopt(stored.database, stored.var, [system(session), system(mode), system(DONE)], [])
    assert (found.talk, found.conversation_id) == ("claude", "c-1")
    assert (found.mode, found.session_rules) == (None, None)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("sessionId", [None, 7, "", "../../x", SESSION_ID + "\n", SESSION_ID.upper()]),
        ("workflowId", [None, [], "workflow-1", "workflow-1790000000000-k3v9x0a1b2c3\0"]),
        ("stageIndex", [None, -1, 100, 1 << 63, 1 << 70, 1.5, "0", True]),
        ("agent", [None, "", 7, ESCAPES, "a\nb", "a\tb", "x" * 201, "\ud800", "a\u2066b", "a\0"]),
        ("argv", [None, "rm", [7], ["\ud800"], ["a\0b"], {"a": 1}, ["x"] * 10_001]),
        ("host", [None, ESCAPES, "", {}, "h" * 5000]),
        ("dialect", [ESCAPES, 7]),
        ("pid", [0, -1, 1 << 40, 1 << 70, "7", True, 1.0]),
        ("runnerPid", [0, 1 << 70, []]),
        (
            "startedAt",
            [
                "then",
                "",
                0,
                "2026-02-30T13:33:20.000Z",
                "2026-09-21 13:33:20.000Z",
                "2026-09-21T13:33:20.000+02:00",
                "0001-01-01T00:00:00.000Z",
                "9999-12-31T23:59:59.999Z",
                "\uff12026-09-21T13:33:20.000Z",
                ESCAPES,
            ],
        ),
        ("createdAt", ["nonsense", 1790000000, "2026-13-01T00:00:00.000Z"]),
        ("cwd", [7, "\ud800", "a\0b", ["/"]]),
        ("takesInput", [1, "yes", ESCAPES]),
        ("workflow", [7, "x", [1]]),
        ("workflow.template", [7, ESCAPES, ""]),
        ("workflow.requestId", [7, "x" * 5000, "\ud800"]),
        ("workflow.createdAt", ["then", 7]),
        ("workflow.stages", [7, [7], [{}], [{"name": "x", "type": "y", "gate": {"type": "z"}}]]),
        ("workflow.stages", [[{"name": ESCAPES, "type": "y", "gate": {"type": "auto"}}]]),
        ("workflow.stages", [[SESSION["workflow"]["stages"][0]] * 101]),  # type: ignore[index]
    ],
)
def test_a_damaged_field_of_the_session_is_named(
    stored: StoredSessions, field: str, values: list[Any]
) -> None:
    for value in values:
        outer, _dot, inner = field.partition(".")
        workflow: Any = SESSION["workflow"]
        change = {outer: workflow | {inner: value}} if inner else {outer: value}
        said = refusal(stored, a_log(session=change))
        assert said.startswith(f"Record 1 of the log (session): {field} is "), value
        assert ", expected " in said


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("status", [None, "running", "Succeeded", ESCAPES, ["lost"], {}]),
        ("exitCode", [1 << 63, 1 << 31, "0", True, 0.5]),
        ("signal", [9, ESCAPES, "x" * 300]),
        ("error", [7, "\ud800", "a\0", "x" * ((1 << 20) + 1)]),
        ("droppedBytes", [-1, 1 << 60, "1"]),
    ],
)
def test_a_damaged_field_of_the_end_is_named(
    stored: StoredSessions, field: str, values: list[Any]
) -> None:
    for value in values:
        lines = a_log(done={field: value})
        with pytest.raises(BadRequest) as raised:
            adopt(stored.database, stored.var, lines, [], 1 << 30)
        assert f"(done): {field} is " in str(raised.value), value


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("role", [None, "root", 7, ["user"]]),
        ("content", [None, 7, "\ud800", "x" * ((1 << 20) + 1)]),
        ("createdAt", [None, "then", 7, ESCAPES]),
    ],
)
def test_a_damaged_message_is_named(tmp_path: Path, field: str, values: list[Any]) -> None:
    for value in values:
        head = {"format": "agent-stream", "version": 1, "messages": [MESSAGE | {field: value}]}
        file = tmp_path / "export.jsonl"
        file.write_text(json.dumps(head) + "\n")
        with open(file, "rb") as lines, pytest.raises(BadRequest, match="Line 1, message 1: ") as e:
            ImportedLog(lines)
        assert f"{field} is " in str(e.value)
        assert not HOSTILE & set(str(e.value))


FIRST, LAST = system(SESSION), system(DONE)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([FIRST, LAST, SAID], "follows its end"),
        ([FIRST, LAST, LAST], "follows its end"),
        ([FIRST, FIRST, LAST], "has a second record of its session"),
        ([SAID, FIRST, LAST], "does not begin with the record"),
        ([FIRST, SAID], "has no end"),
        ([FIRST, raw_system(b'{"exitCode":0,"type":"done","status":"succeeded"}')], "clearly"),
        ([FIRST, raw_system(b'{"type":"done","status":"lost","type":"gap"}'), LAST], "clearly"),
        ([FIRST, raw_system(b"[" * 100_000), LAST], "expected a JSON object"),
        ([FIRST, raw_system(b'{"type":"gap","bytes":' + b"9" * 5000 + b"}"), LAST], "JSON object"),
        ([FIRST, raw_system(b'{"type":"gap","bytes":NaN}'), LAST], "expected a JSON object"),
        ([FIRST, raw_system(b'{"type":["gap"]}'), LAST], "expected a JSON object with a type"),
        ([FIRST, raw_system(b"\xff\xfe"), LAST], "expected a JSON object"),
        ([FIRST, SAID.replace(b"2026-09-", b"2026-13-"), LAST], "its time is 2026-13-21T"),
        ([FIRST, SAID, LAST.replace(b"2026-09-21T", b"2026-02-30T", 1)], "its time is 2026-02-30T"),
        ([FIRST, *[SAID] * 30_000, LAST], "expected at most 1048576"),
    ],
    ids=range(15),
)
def test_a_log_that_no_runner_writes_is_refused(
    stored: StoredSessions, lines: list[bytes], said: str
) -> None:
    assert said in refusal(stored, lines)


# --- bombs ----------------------------------------------------------------------------------


# A child's peak counts that of the process that forked it, so that one must be small.
PEAK_OF = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[2:]).returncode
with open(sys.argv[1], "w") as peak:
    peak.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def peak_of_import(folder: Path, file: Path) -> tuple[subprocess.CompletedProcess[str], int]:
    """What the command says, and the memory that it took at its peak, in bytes."""
    command = [sys.executable, "-m", "webapp.cli", "import", str(file)]
    output = subprocess.run(
        [sys.executable, "-I", "-S", "-c", PEAK_OF, str(folder / "peak"), *command],
        cwd=folder,
        env=environment_for(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return output, int((folder / "peak").read_text()) * 1024


def zeros(size: int) -> bytes:
    """Compressed, by some twenty thousand to one."""
    compressor = zstandard.ZstdCompressor(level=19).compressobj()
    piece = bytes(1 << 20)
    return b"".join(compressor.compress(piece) for _ in range(size >> 20)) + compressor.flush()


def test_a_compressed_bomb_costs_little_memory(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    (tmp_path / "small").write_bytes(b"no log")
    usual = peak_of_import(tmp_path, tmp_path / "small")[1]
    bombs = {
        "one line": zeros(512 << 20),
        "many frames": zeros(16 << 20) * 32,
        "many lines": zstandard.compress(LAST * 2_000_000),
    }
    for name, content in bombs.items():
        file = tmp_path / f"{name}.zst"
        file.write_bytes(content)
        output, peak = peak_of_import(tmp_path, file)
        refused(output)
        assert peak - usual < 128 << 20, name


def test_a_frame_that_claims_a_large_window_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    file = tmp_path / "log.zst"
    file.write_bytes(compressor.compress(b"".join(a_log())) + compressor.flush())
    output, _peak = peak_of_import(tmp_path, file)
    assert "needs a window of more than 8388608 bytes" in refused(output)


def test_a_line_without_an_end_is_refused(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate").returncode == 0
    file = tmp_path / "line"
    file.write_bytes(FIRST[:40])
    os.truncate(file, 4 << 30)
    output, peak = peak_of_import(tmp_path, file)
    assert "Line 1 has more than 134217728 bytes" in refused(output)
    assert peak < 600 << 20


def test_a_longer_log_is_imported_where_that_is_allowed(tmp_path: Path) -> None:
    file = tmp_path / "output.log"
    file.write_bytes(b"".join(a_log()))
    assert "expected at most 500" in refused(run(tmp_path, "import", str(file), "--max-bytes=500"))
    assert run(tmp_path, "import", str(file), "--max-bytes", "1K").returncode == 0
