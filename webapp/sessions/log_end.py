"""The end that a log gets whose runner is gone, and what its row gets of it.

A log that has its own `done` keeps it; else that is written, after what the runner would have
written of what went on: approvals that nobody can answer any more, a turn that was cut.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from webapp.log import reader
from webapp.log.conversation import Conversation, read_conversation
from webapp.log.dialects.translate import read_dialect
from webapp.log.folder import NotRegular
from webapp.log.opened import OpenLog, PlainLog, open_log
from webapp.log.record import format_record, parse_record
from webapp.log.system_records import done_record, end_columns, session_record
from webapp.log.usage import read_usage
from webapp.runner.background import MAX_NAMED_PROCESSES
from webapp.sessions import record_checks
from webapp.store import sessions
from webapp.store.models import Session, now

_HEAD_BYTES = 256


def end_log(
    log_fd: int,
    session: Session,
    *,
    status: str | None,
    error: str | None,
    killed: Mapping[int, str] | None = None,
) -> sessions.End:
    """Make the log end with one `done`; the end that its row should have.

    `killed`: what was left of the session, by pid and name.
    """
    mend_torn_record(log_fd)
    log = PlainLog(log_fd)
    done = last_record(log)
    pid, started_at = session.pid, session.started_at
    if pid is None:
        pid, started_at = _first_facts(log)
    if done is None or done[1].get("type") != "done":
        if log.size() == 0:
            _append(log_fd, _session_content(session))
        if session.talk is not None:
            for record in _loose_ends(read_conversation(log), error):
                _append(log_fd, record)
        if killed:
            _append(log_fd, _killed_content(killed))
        if error is not None:
            _append(log_fd, {"type": "error", "message": error})
        code, signal = session.exit_code, session.exit_signal
        _append(log_fd, done_record(status or "lost", code, signal, error))
        done = last_record(log)
        assert done is not None
    return _end_by(done, log, pid, started_at)


def _loose_ends(conversation: Conversation, error: str | None) -> Iterator[dict[str, object]]:
    """The records that the runner would have written of what went on."""
    for approval in conversation.open_approvals:
        yield {"type": "approval_resolved", "id": approval["id"], "outcome": "withdrawn"}
    for turn in conversation.turns.values():
        if turn.ended_at is None:
            ended = {"type": "turn_ended", "turn": turn.number, "outcome": "failed"}
            yield ended | ({"error": error} if error is not None else {})


def _end_by(
    done: tuple[str, dict[str, Any]], log: OpenLog, pid: int | None, started_at: str | None
) -> sessions.End:
    """The end that the last record of a log tells, as far as it makes sense."""
    ended_at, facts = done[0], record_checks.valid_fields(done[1], record_checks.DONE)
    return sessions.End(
        **end_columns(facts),
        log_bytes=log.size(),
        ended_at=record_checks.row_time(ended_at) or now(),
        pid=pid,
        started_at=started_at,
        usage=read_usage(log.read, log.size(), read_dialect(log).dialect),
    )


def mend_torn_record(log_fd: int) -> None:
    """Let the log end in a whole record again.

    A record of the agent's that broke off in its content gets its newline, so that the
    bytes stay. One that broke off before holds none, and one of the runner's own is made
    again: they are cut off.
    """
    log = PlainLog(log_fd)
    start = reader.find_end(log, log.size())
    if start == log.size():
        return
    record = parse_record(log.read(_HEAD_BYTES, start))
    if record is not None and record.stream != b"system":
        os.write(log_fd, b"\n")
    else:
        os.ftruncate(log_fd, start)


def last_record(log: OpenLog) -> tuple[str, dict[str, Any]] | None:
    """Time and content of the last record, if it is one of the runner's own."""
    size = log.size()
    start = reader.last_line_start(log, size)
    return _system_record(log.read(size - start, start).rstrip(b"\n"))


def _first_facts(log: OpenLog) -> tuple[int | None, str | None]:
    """The agent's pid and start from the log's first record."""
    head = reader.read_records(log, 0)
    found = _system_record(head.partition(b"\n")[0])
    if found is None or found[1].get("type") != "session":
        return None, None
    facts = record_checks.valid_fields(found[1], record_checks.SESSION)
    return facts["pid"], facts["startedAt"]


def _system_record(line: bytes) -> tuple[str, dict[str, Any]] | None:
    record = parse_record(line)
    if record is None or record.stream != b"system":
        return None
    content = record_checks.read_object(record.content)
    return None if content is None else (record.time, content)


def _session_content(session: Session) -> dict[str, object]:
    return session_record(
        session_id=session.id,
        workflow_id=session.workflow_id,
        stage_index=session.stage_index,
        agent=session.agent,
        pid=session.pid,
        started_at=session.started_at,
        runner_pid=session.runner_pid,
        host=session.host,
        argv=json.loads(session.argv),
        cwd=session.cwd,
        takes_input=bool(session.takes_input),
        created_at=session.created_at,
        talk=session.talk,
        resumedFrom=session.resumed_from,
        sessionRules=json.loads(session.session_rules or "[]"),
    )


def _killed_content(killed: Mapping[int, str]) -> dict[str, object]:
    """As the runner itself would have said it: webapp/runner/background.py."""
    named = [{"pid": pid, "name": name, "signal": "SIGKILL"} for pid, name in killed.items()]
    return {
        "type": "processes_ended",
        "count": len(named),
        "processes": named[:MAX_NAMED_PROCESSES],
    }


def _append(log_fd: int, content: dict[str, object]) -> None:
    os.write(log_fd, format_record(time.time_ns(), b"system", json.dumps(content).encode()))


def end_of_compressed(path: Path) -> sessions.End | None:
    """The end by a log that was compressed: its row is older, from a backup. None: no such log."""
    try:
        log = open_log(path)
    except (FileNotFoundError, NotRegular):
        return None
    try:
        done = last_record(log)
        return None if done is None else _end_by(done, log, *_first_facts(log))
    finally:
        log.close()


def end_without_log(session: Session) -> sessions.End:
    """The log itself is gone: all that is left to say is that."""
    return sessions.End(
        status="lost",
        exit_code=None,
        exit_signal=None,
        error=f"its log is gone: {session.log_path}",
        log_bytes=0,
        ended_at=now(),
    )
