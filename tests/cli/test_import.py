"""`import`: a session that ran elsewhere."""

import base64
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from tests.cli.command import Output, environment_for, folder_of, refused, run
from tests.cli.exported import AGENTS, ended, exported
from tests.search.stored_sessions import open_stored
from tests.server import HTTP, PATIENCE_SECONDS, Server, running_server
from webapp.commands.exports.jsonl import ImportedLog
from webapp.errors import BadRequest
from webapp.sessions.importing import adopt


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("from")
    with running_server(folder, AGENTS, settings={"grace_seconds": 1}) as server:
        yield server


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("to"), workers=1) as server:
        yield server


def taken_in(place: Server | Path, content: str | bytes) -> Output:
    content = content.encode() if isinstance(content, str) else content
    finished = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "import", "-"],
        cwd=folder_of(place),
        env=environment_for(place),
        input=content,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    return subprocess.CompletedProcess(
        finished.args, finished.returncode, finished.stdout.decode(), finished.stderr.decode()
    )


def streamed(place: Server, session_id: str) -> bytes:
    """The stream without the first line, which tells when to come back, at random."""
    answer = HTTP.get(f"{place.url}/api/agent-stream?sessionId={session_id}")
    assert answer.status_code == 200
    return answer.content.partition(b"\n")[2]


@pytest.mark.parametrize("agent", ["bytes", "slow", "demo"])
def test_an_imported_session_streams_byte_for_byte_as_the_original(
    place: Server, elsewhere: Server, agent: str
) -> None:
    session_id = ended(place, agent, "markdown")
    output = taken_in(elsewhere, exported(place, session_id, "jsonl"))

    assert output.returncode == 0, output.stderr
    assert output.stdout.startswith(f"{session_id}: imported, {agent}, ")
    assert elsewhere.log_path(session_id).read_bytes() == place.log_path(session_id).read_bytes()
    assert streamed(elsewhere, session_id) == streamed(place, session_id)
    assert elsewhere.session(session_id) == place.session(session_id)


def test_what_was_said_comes_with_it(place: Server, elsewhere: Server) -> None:
    session_id = ended(place, "demo", "hello")
    assert taken_in(elsewhere, exported(place, session_id, "jsonl")).returncode == 0
    workflow_id = place.session(session_id)["workflowId"]

    def history(server: Server) -> list[tuple[str, str, str]]:
        url = f"{server.url}/api/trpc/workflow.getHistory"
        answer = HTTP.get(url, params={"input": json.dumps({"workflowId": workflow_id})})
        said = answer.raise_for_status().json()["result"]["data"]["messages"]
        return [(each["role"], each["content"], each["createdAt"]) for each in said]

    assert history(elsewhere) == history(place)
    assert [role for role, _content, _at in history(elsewhere)] == ["user", "agent"]


def test_input_and_system_records_come_with_it(place: Server, tmp_path: Path) -> None:
    session_id = place.invoke("input")
    run(place, "send", session_id, "typed", "--end")
    place.wait_until_ended(session_id)
    lines = [json.loads(line) for line in exported(place, session_id, "jsonl").splitlines()]

    assert {line["stream"] for line in lines[1:-1]} == {"system", "stdin", "stdout"}
    assert lines[0]["session"]["sessionId"] == session_id
    assert lines[-1]["bytes"] == place.log_path(session_id).stat().st_size


def test_a_whole_log_file_can_be_imported_too(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "bytes")
    output = run(tmp_path, "import", str(place.log_path(session_id)))

    assert output.returncode == 0, output.stderr
    copy = next((tmp_path / "var" / "sessions").glob(f"*/{session_id}/output.log"))
    assert copy.read_bytes() == place.log_path(session_id).read_bytes()


def test_a_log_may_be_compressed(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "bytes")
    log = place.log_path(session_id).read_bytes()
    packed = zstandard.ZstdCompressor()
    file = tmp_path / "output.log.zst"
    file.write_bytes(packed.compress(log[:300]) + packed.compress(log[300:]))
    damaged = taken_in(tmp_path, file.read_bytes()[:-20] + b"x" * 20)
    output = run(tmp_path, "import", str(file))

    assert output.returncode == 0, output.stderr
    copy = next((tmp_path / "var" / "sessions").glob(f"*/{session_id}/output.log"))
    assert copy.read_bytes() == log
    assert "compressed by zstd, and damaged" in refused(damaged)


def test_an_import_never_overwrites(place: Server, elsewhere: Server) -> None:
    session_id = ended(place, "slow")
    content = exported(place, session_id, "jsonl")
    assert taken_in(elsewhere, content).returncode == 0
    before = elsewhere.log_path(session_id).read_bytes()
    output = taken_in(elsewhere, content)

    assert output.returncode == 1
    assert f"There is a session {session_id} already" in output.stderr
    assert elsewhere.log_path(session_id).read_bytes() == before
    assert not list((elsewhere.var / "sessions").glob(".import-*"))


def test_an_import_never_overwrites_files_without_a_row(place: Server, tmp_path: Path) -> None:
    session_id = ended(place, "slow")
    content = exported(place, session_id, "jsonl")
    run(tmp_path, "migrate")
    log = tmp_path / "var" / str(place.session(session_id)["logPath"])
    log.parent.mkdir(parents=True)
    log.write_text("mine")

    assert taken_in(tmp_path, content).returncode == 1
    assert log.read_text() == "mine"


def changed(content: str, number: int, **fields: Any) -> str:
    lines = content.splitlines(keepends=True)
    line = {
        key: value for key, value in (json.loads(lines[number]) | fields).items() if value != ""
    }
    lines[number] = json.dumps(line) + "\n"
    return "".join(lines)


def test_each_kind_of_bad_input_is_named(place: Server, tmp_path: Path) -> None:
    content = exported(place, ended(place, "slow"), "jsonl")
    lines = content.splitlines(keepends=True)
    cases = {
        "": "The file is empty",
        "hello\n": "The file begins with 'hello",
        '{"a":1}\n': "expected what `agent-stream export --format jsonl` writes",
        changed(content, 0, version=9): "has version 9 of the format, expected 1",
        changed(content, 0, messages=[1]): "messages are not what an export has",
        changed(content, 2, time="yesterday"): "Line 3: time is 'yesterday'",
        changed(content, 2, stream="out"): "Line 3: stream is 'out'",
        changed(content, 2, tag="X"): "Line 3: tag is 'X', expected F or P",
        changed(content, 2, text=""): "Line 3 has neither text nor base64",
        changed(content, 2, text="", base64="*"): "Line 3: base64 is no base64",
        changed(content, 2, text="a\nb"): "Line 3: a record cannot hold a newline",
        changed(content, 2, text="other"): "The file was changed",
        "".join([*lines[:2], "nonsense\n", *lines[2:]]): "Line 3 is no JSON object: 'nonsense",
        "".join(lines[:-1]): "The file was cut short",
        "".join(lines[:3]): "The file was cut short",
        content + lines[-1]: "something follows the last line",
    }
    for bad, said in cases.items():
        with pytest.raises(BadRequest, match=re.escape(said)):
            list(ImportedLog(io.BytesIO(bad.encode())).records())

    assert said in refused(taken_in(tmp_path, bad))
    assert run(tmp_path, "ls", "--json").stdout == ""
    assert list((tmp_path / "var" / "sessions").iterdir()) == []


def test_a_session_that_has_no_end_is_refused(place: Server, tmp_path: Path) -> None:
    session_id = place.invoke("forever")
    output = run(place, "export", session_id, "--format", "jsonl")
    imported = taken_in(tmp_path, output.stdout)

    assert "still runs: this is what it has printed so far" in output.stderr
    assert imported.returncode == 2
    assert "has no end" in imported.stderr


def sealed(records: list[dict[str, str]]) -> str:
    """An export of these records whose last line is right."""
    log = b"".join(
        f"{each['time']} {each['stream']} {each['tag']} {each['text']}\n".encode()
        for each in records
    )
    end = {"records": len(records), "bytes": len(log), "sha256": hashlib.sha256(log).hexdigest()}
    head = {"format": "agent-stream", "version": 1, "session": {}, "messages": []}
    return "".join(json.dumps(each) + "\n" for each in [head, *records, end])


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ({}, "expected a JSON object with a type"),
        ({"type": "other"}, "does not begin with the record of its session"),
        ({"type": "session"}, "sessionId is None, expected a session's id"),
        ({"type": "session", "sessionId": "../../x"}, "'../../x', expected a session's id"),
        (
            {"type": "session", "sessionId": "session-1790000000000-k3v9x0a1b2c3"},
            "workflowId is None, expected a workflow's id",
        ),
    ],
)
def test_a_log_that_does_not_tell_its_session_is_refused(
    tmp_path: Path, first: dict[str, str], said: str
) -> None:
    record = {"time": "2026-11-23T21:04:00.123456789Z", "stream": "system", "tag": "F"}
    done = {"type": "done", "exitCode": 0, "signal": None, "status": "succeeded"}
    output = taken_in(
        tmp_path,
        sealed([record | {"text": json.dumps(first)}, record | {"text": json.dumps(done)}]),
    )

    assert output.returncode == 2
    assert said in output.stderr
    assert not list((tmp_path / "var" / "sessions").glob("*/*"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "Cannot read nowhere" in run(tmp_path, "import", "nowhere").stderr


def test_bytes_that_are_no_text_stay_exact(place: Server) -> None:
    content = exported(place, ended(place, "bytes"), "jsonl")
    encoded = [json.loads(line)["base64"] for line in content.splitlines() if '"base64"' in line]

    assert base64.b64decode(encoded[0]) == b"caf\xc3\xa9 \xff\xfe raw\r"
    assert content.isascii()


def test_what_a_killed_import_left_goes_with_the_next_and_with_prune(tmp_path: Path) -> None:
    with open_stored(tmp_path) as stored:
        left = leave_half_an_import(stored.var)
        with pytest.raises(BadRequest, match="does not begin with"):
            adopt(stored.database, stored.var, [b"no log"], [])
        assert not left.exists()
        left = leave_half_an_import(stored.var)
        run(tmp_path, "prune", "--max-bytes", "1G", "--dry-run")
        assert left.exists()
        run(tmp_path, "prune", "--max-bytes", "1G")
        assert not left.exists()


def leave_half_an_import(var: Path) -> Path:
    """What one leaves that was killed a while ago."""
    left = var / "sessions" / ".import-0123456789abcdef"
    left.mkdir(parents=True)
    (left / "output.log").write_text("half")
    os.utime(left, (time.time() - 90, time.time() - 90))
    return left
