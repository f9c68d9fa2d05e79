"""Make the rows again from the logs: each log tells its session and its workflow.

What only the database knew is lost with it: messages, idempotency keys, workflows that never
ran an agent, and how far a workflow's gates had been opened.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from webapp.log import folder, reader
from webapp.log.dialects.translate import read_dialect
from webapp.log.opened import OpenLog, compressed_path, open_log
from webapp.log.record import parse_record
from webapp.log.usage import UsageRow, read_usage
from webapp.sessions.layout import SessionFiles, new_session_files
from webapp.sessions.reconcile import last_record
from webapp.store import rebuilding, sessions
from webapp.store.engine import Database
from webapp.store.ids import SESSION_ID, WORKFLOW_ID, created_at
from webapp.store.models import ENDED

_AT_ONCE = 500
_HEAD_BYTES = 4 << 20
_NO_FACTS: dict[str, Any] = {"template": "chat", "requestId": None, "createdAt": None}


class _Unusable(Exception):
    """A log that does not say which session it is of."""


@dataclass
class Rebuilt:
    """What was made again, and which logs could not be used, with the reason."""

    sessions: int = 0
    workflows: int = 0
    logs: int = 0
    unusable: list[tuple[Path, str]] = field(default_factory=list)


def rebuild(database: Database, var: Path) -> Rebuilt:
    """Insert the rows of all logs that have none; rows that are there stay as they are.

    Live sessions become `running`; those that lost their runner too, until somebody looks.
    """
    rebuilt = Rebuilt()
    batch: list[_Found] = []
    for files in _sessions_on_disk(var):
        rebuilt.logs += 1
        try:
            batch.append(_read(var, files))
        except (_Unusable, OSError) as error:
            rebuilt.unusable.append((files.directory, str(error)))
        if len(batch) >= _AT_ONCE:
            _insert(database, batch, rebuilt)
            batch = []
    _insert(database, batch, rebuilt)
    return rebuilt


def add(
    database: Database,
    var: Path,
    files: SessionFiles,
    messages: Sequence[tuple[str, str, str]] = (),
) -> Rebuilt:
    """The same for one log, with messages of its history: role, content, time."""
    rebuilt = Rebuilt(logs=1)
    try:
        _insert(database, [_read(var, files)], rebuilt, messages)
    except _Unusable as error:
        rebuilt.unusable.append((files.directory, str(error)))
    return rebuilt


@dataclass(frozen=True)
class _Found:
    """One session as its log tells it."""

    row: dict[str, Any]
    workflow: dict[str, Any]
    usage: UsageRow | None


def _sessions_on_disk(var: Path) -> Iterator[SessionFiles]:
    """The folders of all sessions, oldest first."""
    days = var / "sessions"
    if not days.is_dir():
        return
    for day in sorted(days.iterdir()):
        if day.is_symlink() or not day.is_dir():
            continue
        for directory in sorted(day.iterdir()):
            if SESSION_ID.fullmatch(directory.name) and not directory.is_symlink():
                yield SessionFiles(directory)


def _read(var: Path, files: SessionFiles) -> _Found:
    session_id = files.directory.name
    if files.directory != new_session_files(var, session_id).directory:
        raise _Unusable("it does not lie in the folder of its day")
    log = open_log(files.log)
    try:
        facts = first_record(log) or _spec(files)
        _check(facts, session_id)
        path = files.log if log.is_plain else compressed_path(files.log)
        row = _row(facts, str(path.relative_to(var))) | _end(log)
        usage = _usage(log, row["log_bytes"])
    finally:
        log.close()
    told = facts.get("workflow")
    workflow = _NO_FACTS | (told if isinstance(told, dict) else {})
    return _Found(row, workflow, usage)


def first_record(log: OpenLog) -> dict[str, Any] | None:
    """What the first record of a log tells of its session; None where it is none of ours."""
    head = log.read(_HEAD_BYTES, 0).partition(b"\n")[0]
    record = parse_record(head)
    if record is None or record.stream != b"system":
        return None
    return _json_object(record.content)


def _spec(files: SessionFiles) -> dict[str, Any]:
    """`run.json`, for a log without a first record."""
    try:
        found = _json_object(folder.read_file(files.spec, _HEAD_BYTES))
    except OSError:
        found = None
    if found is None:
        raise _Unusable("neither its log nor its run.json says what it is")
    return found


def _json_object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _check(facts: dict[str, Any], session_id: str) -> None:
    if facts.get("sessionId") != session_id:
        raise _Unusable(f"its log is of session {facts.get('sessionId')!r}")
    kinds = {"workflowId": str, "stageIndex": int, "agent": str, "argv": list, "host": str}
    for name, kind in kinds.items():
        if not isinstance(facts.get(name), kind):
            raise _Unusable(f"its {name} is {facts.get(name)!r}")
    if not WORKFLOW_ID.fullmatch(facts["workflowId"]) or not 0 <= facts["stageIndex"] <= 10_000:
        raise _Unusable(f"its workflow is {facts['workflowId']!r}, stage {facts['stageIndex']}")


def _row(facts: dict[str, Any], log_path: str) -> dict[str, Any]:
    pid, started_at = _whole(facts.get("pid")), _text(facts.get("startedAt"))
    return {
        "id": facts["sessionId"],
        "workflow_id": facts["workflowId"],
        "stage_index": facts["stageIndex"],
        "agent": facts["agent"],
        "argv": json.dumps(facts["argv"], ensure_ascii=False),
        "cwd": _text(facts.get("cwd")),
        "takes_input": int(facts.get("takesInput") is True),
        "pid": pid,
        "runner_pid": _whole(facts.get("runnerPid")),
        "host": facts["host"],
        "log_path": log_path,
        "created_at": _text(facts.get("createdAt")) or created_at(facts["sessionId"]),
        "started_at": started_at,
    }


def _end(log: OpenLog) -> dict[str, Any]:
    """The columns that tell how it ended; `running` where the log does not."""
    end = {"status": "running", "exit_code": None, "exit_signal": None, "error": None}
    live = {**end, "log_bytes": None, "ended_at": None}
    if not reader.is_complete(log):
        return live
    done = last_record(log)
    if done is None:
        return live
    ended_at, facts = done
    status = facts.get("status")
    return {
        "status": status if status in ENDED else "lost",
        "exit_code": _whole(facts.get("exitCode")),
        "exit_signal": _text(facts.get("signal")),
        "error": _text(facts.get("error")),
        "log_bytes": log.size(),
        "ended_at": f"{ended_at[:23]}Z",
    }


def _usage(log: OpenLog, size: int | None) -> UsageRow | None:
    """What an ended session used; a live one tells it at its end."""
    if size is None:
        return None
    return read_usage(log.read, size, read_dialect(log).dialect)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 62 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _insert(
    database: Database,
    batch: list[_Found],
    rebuilt: Rebuilt,
    messages: Sequence[tuple[str, str, str]] = (),
) -> None:
    if not batch:
        return
    stages: dict[str, int] = {}
    facts: dict[str, dict[str, Any]] = {}
    for found in batch:
        workflow_id = found.row["workflow_id"]
        stages[workflow_id] = max(stages.get(workflow_id, 0), found.row["stage_index"])
        facts[workflow_id] = found.workflow

    def work(connection: Any) -> tuple[int, int]:
        workflows = sum(
            rebuilding.insert_workflow(
                connection,
                workflow_id,
                _plausible(facts[workflow_id], workflow_id, stage_index),
                current_stage=stage_index,
            )
            for workflow_id, stage_index in stages.items()
        )
        missing = rebuilding.insert_sessions(connection, (found.row for found in batch))
        usages = [(found.row["id"], found.usage) for found in batch if found.usage is not None]
        sessions.add_usages(connection, usages)
        if missing and messages:
            rebuilding.insert_messages(connection, batch[0].row, messages)
        return workflows, missing

    workflows, missing = database.write_sql(work)
    rebuilt.workflows += workflows
    rebuilt.sessions += missing


def _plausible(told: dict[str, Any], workflow_id: str, stage_index: int) -> dict[str, Any]:
    """What a log tells of its workflow, with at least the stage that the session ran in."""
    given = told.get("stages")
    stages = [stage for stage in given if _is_stage(stage)] if isinstance(given, list) else []
    while len(stages) <= stage_index:
        name = f"stage {len(stages) + 1}" if stage_index else "chat"
        stages.append({"name": name, "type": "chat", "gate": {"type": "auto"}})
    return {
        "template": _text(told["template"]) or "chat",
        "requestId": _text(told["requestId"]),
        "createdAt": _text(told["createdAt"]) or created_at(workflow_id),
        "stages": stages,
    }


def _is_stage(stage: Any) -> bool:
    try:
        texts = stage["name"], stage["type"]
        return all(isinstance(text, str) for text in texts) and (
            stage["gate"]["type"] in rebuilding.GATES
        )
    except (KeyError, TypeError):
        return False
